"""Measure the import of ``authn`` in fresh processes: ``python -m benchmarks.imports``.

The bound is 60 ms beyond Django and DRF, which a project imports anyway.
"""

from __future__ import annotations

import subprocess
import sys
from statistics import median

ROUNDS = 25
DJANGO = "from django.conf import settings; settings.configure(); import django; django.setup(); "
DRF = "from rest_framework import views; "
TIMED = "from time import perf_counter as now; s = now(); {}; print((now() - s) * 1000)"
# Name -> what the project has imported before, and what is timed.
IMPORTS = {
    "django, set up": ("", DJANGO.rstrip("; ")),
    "rest_framework.views, after Django": (DJANGO, "from rest_framework import views"),
    "authn": ("", "import authn"),
    "authn.verifier, without Django": ("", "import authn.verifier"),
    "authn.conf, after Django": (DJANGO, "import authn.conf"),
    "authn.JWTAuthentication, after Django and DRF": (
        DJANGO + DRF,
        "from authn import JWTAuthentication",
    ),
}


def milliseconds(before: str, timed: str) -> float:
    code = before + TIMED.format(timed)
    return float(subprocess.check_output([sys.executable, "-c", code]))


def main() -> None:
    turns = [{name: milliseconds(*each) for name, each in IMPORTS.items()} for _ in range(ROUNDS)]
    print(f"| medians of {ROUNDS} processes each | ms |\n|---|---|")
    for name in IMPORTS:
        print(f"| {name} | {median(turn[name] for turn in turns):.1f} |")


if __name__ == "__main__":
    main()
