"""Read the project's settings from another environment."""

from __future__ import annotations

import runpy
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from django.conf import settings
from django.core import checks
from django.db.utils import ConnectionHandler
from django.test import override_settings

from config import env
from tests.support.processes import result_of


def settings_of(**environment: str) -> dict[str, Any]:
    """Read ``config/settings.py`` anew, from ``environment`` alone. Changes no other setting."""
    with mock.patch.object(env, "ENVIRONMENT", environment):
        values = runpy.run_path(str(settings.BASE_DIR / "config" / "settings.py"))
    return {name: value for name, value in values.items() if name.isupper()}


@contextmanager
def configured(**environment: str) -> Iterator[None]:
    """Use these settings in a block. Tests keep their own database."""
    values = settings_of(**environment)
    connection = ConnectionHandler(values["DATABASES"])["default"]  # connects to nothing
    for name in ("DATABASES", "INSTALLED_APPS", "LOGGING"):
        del values[name]
    with override_settings(**values), mock.patch("operations.checks.connection", connection):
        yield


def ids_of_checks(environment: dict[str, str], *, tags: list[str] | None = None) -> list[str]:
    """Return the ids of all messages of ``manage.py check --deploy`` for an environment."""
    with configured(**environment):
        found = checks.run_checks(tags=tags, include_deployment_checks=True, databases=[])
    return sorted({str(each.id) for each in found if not each.is_silenced()})


def run(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Python code in a process with the settings of ``environment`` alone."""
    command = [sys.executable, "-c", code]
    return result_of(
        command, environment={"DJANGO_SETTINGS_MODULE": "config.settings", **environment}
    )
