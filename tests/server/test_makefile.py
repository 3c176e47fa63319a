"""The Makefile in a shell that has set variables for other projects."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from server.preflight import load_settings
from tests.support.processes import PROJECT, result_of, run

FOREIGN = [
    "DJANGO_SETTINGS_MODULE",
    "PIP_DRY_RUN",
    "PIP_PREFIX",
    "PIP_PYTHON",
    "PIP_REQUIRE_VIRTUALENV",
    "PIP_ROOT",
    "PIP_TARGET",
    "PIP_USER",
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONHOME",
    "PYTHONOPTIMIZE",
    "PYTHONPATH",
    "PYTHONSAFEPATH",
    "PYTHONSTARTUP",
    "PYTHONUSERBASE",
    "PYTHONWARNINGS",
]


def make(recipe: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run one recipe with what the Makefile sets for all of its own."""
    definitions = [f"RUN={sys.executable}", "--eval", f"recipe: ; @{recipe}"]
    return result_of(
        ["make", "--no-print-directory", *definitions, "recipe"], environment=environment
    )


def test_recipes_unset_variables_of_other_projects() -> None:
    result = make("env", HTTPS_PROXY="kept", PIP_INDEX_URL="kept", **dict.fromkeys(FOREIGN, "1"))
    names = {line.partition("=")[0] for line in result.stdout.splitlines()}
    assert {"HTTPS_PROXY", "PIP_INDEX_URL"} <= names
    assert names.isdisjoint(FOREIGN)


@pytest.mark.live
def test_pip_ignores_a_target_in_its_own_file(tmp_path: Path) -> None:
    (tmp_path / "pip.conf").write_text("[install]\nuser = true\n")
    install = f"$(PIP_INSTALL) --no-index -r {os.devnull}"
    result = make(install, PIP_CONFIG_FILE=str(tmp_path / "pip.conf"), VIRTUAL_ENV="", PIP_USER="1")
    assert result.returncode == 0, result.stderr


def test_commands_have_the_settings_of_this_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "somebody.elses.settings")
    load_settings()
    assert os.environ["DJANGO_SETTINGS_MODULE"] == "config.settings"


@pytest.mark.live
@pytest.mark.parametrize(
    "command",
    [
        ["manage.py", "check"],
        ["-c", "import config.wsgi"],
        ["-m", "pytest", "--collect-only", "-qq", "config/tests/test_env_file.py"],
    ],
    ids=["manage.py", "wsgi", "pytest"],
)
def test_commands_ignore_settings_of_another_project(command: list[str]) -> None:
    foreign = {
        "DJANGO_SETTINGS_MODULE": "somebody.elses.settings",
        "BETTER_AUTH_SECRET": "s" * 32,
    }
    run([sys.executable, *command], PROJECT, foreign)


def test_a_command_names_an_invalid_setting_in_one_line() -> None:
    command = [sys.executable, "manage.py", "check"]
    result = result_of(command, environment={"DEBUG": "ture"})
    assert (result.returncode, result.stderr) == (1, "DEBUG must be true or false.\n")
