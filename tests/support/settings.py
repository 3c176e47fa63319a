"""Settings of another environment, in a process of their own."""

from __future__ import annotations

import os
import subprocess
import sys

from django.conf import settings


def run(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Python code with the project's settings, read from ``environment`` alone."""
    # PYTEST_VERSION keeps a developer's .env out, as in the suite itself.
    path = {"PATH": os.environ["PATH"], "PYTEST_VERSION": "any"}
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=settings.BASE_DIR,
        env={**path, "DJANGO_SETTINGS_MODULE": "config.settings", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
