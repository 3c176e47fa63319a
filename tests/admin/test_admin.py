"""Add Django's admin as ``docs/operations.md`` does."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tests.support.pages import texts
from tests.support.processes import PROJECT, run

# The API answers here too, to see that the admin leaves it as it is.
OF_THE_SUITE = f"""
DATABASES["default"]["TEST"] = {{"NAME": "test_admin_{os.getpid()}"}}
ALLOWED_HOSTS = ["testserver"]
ROOT_URLCONF = "tests.admin.urls"
"""


def test_the_admin_shows_todos(tmp_path: Path) -> None:
    settings, urls = texts("docs/operations.md", "python", "Django's admin")
    settings = settings.replace("config.settings", "tests.settings")
    (tmp_path / "admin_settings.py").write_text(settings + OF_THE_SUITE)
    (tmp_path / "admin_urls.py").write_text(urls)
    options = ["--ds=admin_settings", "-p", "no:xdist", "-p", "no:cacheprovider"]
    command = [sys.executable, "-m", "pytest", *options, "tests/admin/pages.py"]
    run(command, PROJECT, {"PYTHONPATH": str(tmp_path)})
