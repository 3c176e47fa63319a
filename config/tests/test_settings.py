"""Settings as an operator meets them: in a process of its own, from the environment alone."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from django.conf import settings

SECRET = "x" * 32


def run(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
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


def value_of(name: str, **environment: str) -> str:
    result = run(f"from django.conf import settings; print(settings.{name})", **environment)
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def test_an_empty_environment_is_safe() -> None:
    assert value_of("DEBUG") == "False"
    assert value_of("ALLOWED_HOSTS") == "[]"
    assert len(value_of("SECRET_KEY")) >= 50
    assert value_of("SECRET_KEY") != value_of("SECRET_KEY")


@pytest.mark.parametrize("typo", ["ture", "", "enabled", "-"])
def test_a_typing_mistake_does_not_turn_debug_on(typo: str) -> None:
    assert value_of("DEBUG", DEBUG=typo) == "False"


@pytest.mark.parametrize("name", ["DJANGO_SECRET_KEY", "BETTER_AUTH_SECRET"])
def test_a_secret_that_starts_with_a_dollar_is_taken_to_the_letter(name: str) -> None:
    secret = "$HOME" + "x" * 60
    assert value_of(name.replace("DJANGO_", ""), **{name: secret}) == secret


@pytest.mark.parametrize(
    ("name", "setting", "default"),
    [
        ("BETTER_AUTH_LEEWAY", "BETTER_AUTH_LEEWAY", "30"),
        ("LOG_LEVEL", "LOG_LEVEL", "INFO"),
        ("DATABASE_URL", "DATABASES['default']['ENGINE']", "django.db.backends.sqlite3"),
        ("HOST", "HOST", "127.0.0.1"),
        ("PORT", "PORT", "8000"),
        ("DJANGO_ALLOWED_HOSTS", "ALLOWED_HOSTS", "[]"),
    ],
)
def test_a_blank_counts_as_unset(name: str, setting: str, default: str) -> None:
    assert value_of(setting, **{name: ""}) == default


@pytest.mark.parametrize(("log_format", "start"), [("console", "20"), ("json", "{")])
def test_the_log_is_for_people_or_for_programs(log_format: str, start: str) -> None:
    code = "import django, logging; django.setup(); logging.getLogger('x').warning('y')"
    assert run(code, LOG_FORMAT=log_format).stderr.startswith(start)


def test_the_level_is_for_every_logger() -> None:
    code = "import django, logging; django.setup(); logging.getLogger('django.x').warning('y')"
    assert run(code, LOG_LEVEL="WARNING").stderr
    assert not run(code, LOG_LEVEL="ERROR").stderr


def test_spaces_in_a_comma_list_do_not_count() -> None:
    assert value_of("BETTER_AUTH_AUDIENCE", BETTER_AUTH_AUDIENCE=" todos, api ,") == (
        "['todos', 'api']"
    )


def test_postgresql_is_not_waited_for_forever() -> None:
    options = value_of("DATABASES['default']['OPTIONS']", DATABASE_URL="postgres://u:p@h/db")
    assert options == "{'connect_timeout': 5}"


def test_the_server_refuses_to_start_unconfigured_and_says_which_variable_to_set() -> None:
    result = run("import config.wsgi")
    assert result.returncode != 0
    last_line = result.stderr.strip().splitlines()[-1]
    assert "NotConfigured" in last_line
    assert "BETTER_AUTH_URL" in last_line
    assert "BETTER_AUTH_SECRET" in last_line


@pytest.mark.parametrize(
    "environment", [{"BETTER_AUTH_SECRET": SECRET}, {"BETTER_AUTH_URL": "https://app.example.com"}]
)
def test_the_server_starts_with_either_source(environment: dict[str, str]) -> None:
    assert run("import config.wsgi", **environment).returncode == 0


def test_the_verifier_needs_neither_django_nor_the_framework() -> None:
    code = (
        "import sys, authn.verifier, authn.users; "
        "assert not {'django', 'rest_framework'} & set(sys.modules), 'imported'"
    )
    result = run(code)
    assert result.returncode == 0, result.stderr


def test_the_authenticator_is_importable_by_its_name() -> None:
    code = "import django; django.setup(); from authn import JWTAuthentication as A; print(A)"
    assert "authn.authentication.JWTAuthentication" in run(code).stdout
    assert run("import authn; authn.nonsense").returncode != 0
