"""The system checks: their ids, and their effect on a start."""

from __future__ import annotations

import re
import secrets
import shlex
from collections import Counter

import pytest
from django.conf import settings as project_settings
from pytest_django import Settings

from server.preflight import CannotStart, require_passing_checks
from tests.support.apps import rooms
from tests.support.pages import first_cells, section, texts
from tests.support.settings import ids_of_checks

DEBUG_FOR_OTHERS = ["api.E003", "api.E011", "api.W004", "security.W016", "security.W018"]
SEVERAL_PROCESSES = {"WEB_CONCURRENCY": "2", "CACHE_URL": "redis://cache.example.com:6379/0"}


def ids_in_the_code() -> list[str]:
    files = [
        file
        for package in rooms()
        for file in (project_settings.BASE_DIR / package).rglob("*.py")
        if "tests" not in file.relative_to(project_settings.BASE_DIR).parts
    ]
    ids = rf'"((?:{"|".join(rooms())})\.[EW]\d{{3}})"'
    return [each for file in files for each in re.findall(ids, file.read_text())]


def documented_environment() -> dict[str, str]:
    """Return the first block of the README's Deployment, with a random value for each ``…``."""
    block = texts("README.md", "sh", "Deployment")[0]
    lines = re.findall(r"^([A-Z_]+)=(\S+)", block, re.MULTILINE)
    random = {name: value.replace("…", secrets.token_urlsafe(48)) for name, value in lines}
    return {name: "".join(shlex.split(value)) for name, value in random.items()}


def test_every_id_belongs_to_one_check() -> None:
    numbers = Counter(re.sub(r"\.[EW]", ".", each) for each in ids_in_the_code())
    assert numbers
    assert [number for number, count in numbers.items() if count > 1] == []


def test_every_check_is_documented() -> None:
    rows = first_cells(section("docs/operations.md", "Checks"))
    assert sorted(row.strip("`") for row in rows) == sorted(ids_in_the_code())


def test_the_documented_environment_is_read() -> None:
    environment = documented_environment()
    assert len(environment["DJANGO_SECRET_KEY"]) >= 50
    assert {"DJANGO_ALLOWED_HOSTS", "BETTER_AUTH_URL", "DATABASE_URL"} <= environment.keys()


@pytest.mark.parametrize("more", [{}, SEVERAL_PROCESSES], ids=["as it is", "several processes"])
def test_the_documented_environment_passes_every_check(more: dict[str, str]) -> None:
    assert ids_of_checks(documented_environment() | more) == []


@pytest.mark.parametrize(
    ("changes", "ids"),
    [
        ({"DJANGO_SECRET_KEY": "short"}, ["security.W009"]),
        ({"DJANGO_SECRET_KEY": ""}, ["api.E002"]),
        ({"DJANGO_ALLOWED_HOSTS": ""}, ["security.W020"]),
        ({"DJANGO_ALLOWED_HOSTS": "*"}, ["api.W005"]),
        ({"BETTER_AUTH_URL": ""}, ["authn.E001"]),
        ({"DEBUG": "true"}, ["api.E003", "security.W016", "security.W018"]),
        ({"BROWSABLE_API": "true"}, ["browsable.W001"]),
        ({"CORS_ALLOWED_ORIGINS": "*"}, ["api.W006", "corsheaders.E013"]),
        ({"CORS_ALLOWED_ORIGINS": "https://*.vercel.app"}, ["api.W012"]),
        ({"CORS_ALLOWED_ORIGINS": "http://*.example.com:3000"}, ["api.W008"]),
        ({"HOST": "0.0.0.0", "DEBUG": "true"}, DEBUG_FOR_OTHERS),
        ({"WEB_CONCURRENCY": "2", "CACHE_URL": ""}, ["api.W009"]),
        ({**SEVERAL_PROCESSES, "DATABASE_URL": "sqlite:///todos.sqlite3"}, ["api.W010"]),
    ],
    ids=repr,
)
def test_a_careless_change_of_the_environment_is_reported(
    changes: dict[str, str], ids: list[str]
) -> None:
    environment = documented_environment() | changes
    assert ids_of_checks(environment, tags=["security"]) == ids


def test_an_error_stops_a_start(settings: Settings) -> None:
    settings.DEBUG, settings.ALLOWED_HOSTS = True, ["todos.example.com"]
    with pytest.raises(CannotStart, match=r"^api\.E003: .*DEBUG=false"):
        require_passing_checks()


@pytest.mark.django_db
def test_a_warning_is_printed_and_stops_no_start(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.DJANGO_SECRET_KEY, settings.BROWSABLE_API = "0123456789" * 5, True
    require_passing_checks(deployment=True)
    assert "browsable.W001: " in capsys.readouterr().err
