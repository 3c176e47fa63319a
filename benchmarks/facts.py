"""Date, machine and versions behind a result."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.installed import wrk
from benchmarks.subjects import Subject
from benchmarks.targets import Bench


def facts(place: Bench, subjects: Sequence[Subject]) -> dict[str, str]:
    durability = ", ".join(
        f"{name} {place.cluster.setting(name)}" for name in ("fsync", "synchronous_commit")
    )
    return {
        "Date": f"{datetime.now(UTC):%-d %B %Y}",
        "Machine": f"{machine()}; load before {place.load_average:.1f}",
        "PostgreSQL": f"{place.cluster.setting('server_version').split()[0]}, {durability}",
        "Load": first_line(wrk(), "-v").partition(" Copyright")[0],
        **{subject.title: first_line(*subject.versions()) for subject in subjects},
    }


def machine() -> str:
    cores = len(os.sched_getaffinity(0))
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    name = model[1] if model else platform.machine()
    return f"{cores} cores ({name}), {memory:.0f} GiB, {platform.system()}"


def first_line(*command: str) -> str:
    result = subprocess.run(command, check=False, capture_output=True, text=True)
    return result.stdout.strip().partition("\n")[0]
