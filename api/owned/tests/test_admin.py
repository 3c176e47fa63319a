"""Add Django's admin to look at todos."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_the_admin_shows_todos() -> None:
    pages = Path(__file__).with_name("pages_of_admin.py")
    options = [
        "--ds=api.owned.tests.admin_settings",
        "-q",
        "-p",
        "no:xdist",
        "-p",
        "no:cacheprovider",
    ]
    command = [sys.executable, "-m", "pytest", *options, str(pages)]
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert run.returncode == 0, run.stdout + run.stderr
