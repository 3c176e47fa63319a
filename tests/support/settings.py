"""Settings of another environment."""

from __future__ import annotations

import os
import subprocess
import sys
from runpy import run_path
from typing import Any
from unittest.mock import patch

from django.conf import settings

from config.env import ENVIRONMENT


def settings_of(**environment: str) -> dict[str, Any]:
    """Read ``config/settings.py`` anew, from ``environment`` alone."""
    with patch.dict(ENVIRONMENT, environment, clear=True):
        return run_path(str(settings.BASE_DIR / "config" / "settings.py"))


def run(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Python code in a process whose settings come from ``environment`` alone."""
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
