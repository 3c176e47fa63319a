"""The apps of this project, and the modules that they may have for the tests of all apps."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings


def rooms(*files: str) -> list[str]:
    """Return the packages of this project that have one of these files, by default any package."""
    found = (settings.BASE_DIR.glob(f"*/{file}") for file in files or ["__init__.py"])
    return sorted({file.parent.name for each in found for file in each} - {"tests"})


def project_apps() -> list[str]:
    """Return the apps of ``INSTALLED_APPS`` that are folders of this project."""
    configs = apps.get_app_configs()
    return [each.name for each in configs if Path(each.path).parent == settings.BASE_DIR]


def declared(app: str, module: str) -> dict[str, Any]:
    """Return the names in ``<app>/tests/<module>.py``, or none if there is no such file."""
    has_file = (settings.BASE_DIR / app / "tests" / f"{module}.py").exists()
    return vars(import_module(f"{app}.tests.{module}")) if has_file else {}
