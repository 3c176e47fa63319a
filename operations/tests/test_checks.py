from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.checks import CheckMessage, Tags, run_checks
from pytest_django import Settings

PRODUCTION = {
    "DEBUG": False,
    "DJANGO_SECRET_KEY": "0123456789" * 5,
    "ALLOWED_HOSTS": ["todos.example.com"],
    "HOST": "127.0.0.1",
    "CORS_ALLOWED_ORIGINS": ["https://app.example.com"],
    "CORS_ALLOWED_ORIGIN_REGEXES": [],
    "CACHES": {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}},
    "WEB_CONCURRENCY": 1,
}


def subdomains(*origins: str) -> dict[str, Any]:
    """Return the settings that the environment variable makes of ``https://*.example.com``."""
    parts = [origin.split("*.") for origin in origins]
    patterns = [rf"^{scheme}([a-z0-9_-]+\.)+{re.escape(rest)}\Z" for scheme, rest in parts]
    return {"CORS_ALLOWED_ORIGINS": [], "CORS_ALLOWED_ORIGIN_REGEXES": patterns}


DEVELOPMENT = {**PRODUCTION, "DEBUG": True, "DJANGO_SECRET_KEY": "", "ALLOWED_HOSTS": []}


@pytest.fixture(autouse=True)
def _on_postgresql(monkeypatch: pytest.MonkeyPatch) -> None:
    use_database(monkeypatch, "postgresql")


def use_database(monkeypatch: pytest.MonkeyPatch, vendor: str) -> None:
    monkeypatch.setattr("operations.checks.connection", SimpleNamespace(vendor=vendor))


def redis(url: str) -> dict[str, Any]:
    backend = "django.core.cache.backends.redis.RedisCache"
    return {"CACHES": {"default": {"BACKEND": backend, "LOCATION": [url]}}}


def configure(settings: Settings, values: dict[str, Any]) -> None:
    for name, value in values.items():
        setattr(settings, name, value)


def found(*, deployment: bool = True) -> list[CheckMessage]:
    messages = run_checks(tags=[Tags.security], include_deployment_checks=deployment)
    ours = [message for message in messages if str(message.id).startswith("api.")]
    return sorted(ours, key=lambda message: str(message.id))


@pytest.mark.parametrize(
    ("changes", "ids"),
    [
        ({}, []),
        ({"DJANGO_SECRET_KEY": ""}, ["api.E002"]),
        ({"DEBUG": True}, ["api.E003"]),
        ({"DEBUG": True, "ALLOWED_HOSTS": []}, []),
        ({"DEBUG": True, "ALLOWED_HOSTS": [], "HOST": "0.0.0.0"}, ["api.E011", "api.W004"]),
        ({"DEBUG": True, "ALLOWED_HOSTS": [], "HOST": "192.168.1.5"}, ["api.E011", "api.W004"]),
        ({"DEBUG": True, "ALLOWED_HOSTS": [], "HOST": "::"}, ["api.E011", "api.W004"]),
        ({"ALLOWED_HOSTS": ["*"]}, ["api.W005"]),
        ({"ALLOWED_HOSTS": ["todos.example.com", "*.example.com"]}, ["api.W005"]),
        ({"ALLOWED_HOSTS": [".example.com", "10.0.0.1"]}, []),
        ({"CORS_ALLOWED_ORIGINS": []}, []),
        ({"CORS_ALLOWED_ORIGINS": ["*"]}, ["api.W006"]),
        (subdomains("https://*.example.com"), []),
        (subdomains("https://*.preview.vercel.app"), []),
        (subdomains("https://*.vercel.app"), ["api.W012"]),
        (subdomains("https://*.example.com", "https://*.co.uk"), ["api.W012"]),
        (subdomains("http://*.example.com"), ["api.W008"]),
        (subdomains("http://*.localhost:3000"), []),
        (subdomains("http://*.localhost.example.com"), ["api.W008"]),
        ({"CORS_ALLOW_ALL_ORIGINS": True}, ["api.W006"]),
        ({"CORS_ALLOWED_ORIGINS": ["null"]}, ["api.W007"]),
        ({"CORS_ALLOWED_ORIGINS": ["https://app.example.com", "file://"]}, ["api.W007"]),
        ({"CORS_ALLOWED_ORIGINS": ["http://app.example.com"]}, ["api.W008"]),
        ({"CORS_ALLOWED_ORIGINS": ["http://localhost.example.com"]}, ["api.W008"]),
        ({"CORS_ALLOWED_ORIGINS": ["http://10.0.0.1:3000"]}, ["api.W008"]),
        ({"CORS_ALLOWED_ORIGINS": ["http://localhost:3000"]}, []),
        ({"CORS_ALLOWED_ORIGINS": ["http://[::1]:3000", "http://127.0.0.1"]}, []),
        ({"CORS_ALLOWED_ORIGINS": ["capacitor://localhost"]}, []),
        ({"WEB_CONCURRENCY": 2}, ["api.W009"]),
        ({"WEB_CONCURRENCY": 2, **redis("redis://cache.example.com:6379/0")}, []),
        ({"HOST": "0.0.0.0"}, []),
    ],
    ids=repr,
)
def test_a_deployment_check_names_each_mistake(
    settings: Settings, changes: dict[str, Any], ids: list[str]
) -> None:
    configure(settings, PRODUCTION | changes)
    messages = found()
    assert [message.id for message in messages] == ids
    assert all(message.hint for message in messages)


@pytest.mark.parametrize(
    ("changes", "ids"),
    [
        ({}, []),
        ({"ALLOWED_HOSTS": ["localhost", ".localhost", "todos.localhost"]}, []),
        ({"ALLOWED_HOSTS": ["127.0.0.1", "127.8.0.1", "[::1]", "LOCALHOST"]}, []),
        ({"ALLOWED_HOSTS": ["localhost", "todos.example.com"]}, ["api.E003"]),
        ({"ALLOWED_HOSTS": ["*"]}, ["api.E003"]),
        ({"ALLOWED_HOSTS": [".example.com"]}, ["api.E003"]),
        ({"ALLOWED_HOSTS": ["localhost.example.com"]}, ["api.E003"]),
        ({"ALLOWED_HOSTS": ["notlocalhost"]}, ["api.E003"]),
        ({"ALLOWED_HOSTS": ["192.168.1.5"]}, ["api.E003"]),
        ({"ALLOWED_HOSTS": ["[2001:db8::1]"]}, ["api.E003"]),
        ({"ALLOWED_HOSTS": ["[::1"]}, ["api.E003"]),
        ({"HOST": "localhost"}, []),
        ({"HOST": "127.0.0.2"}, []),
        ({"HOST": "::1"}, []),
        ({"HOST": "[::1]"}, []),
        ({"HOST": "0.0.0.0"}, ["api.W004"]),
        ({"HOST": "::"}, ["api.W004"]),
        ({"HOST": "192.168.1.5"}, ["api.W004"]),
        # These concern a deployment only:
        ({"CORS_ALLOWED_ORIGINS": ["http://app.example.com", "null"], "WEB_CONCURRENCY": 2}, []),
    ],
    ids=repr,
)
def test_every_start_keeps_debug_on_this_machine(
    settings: Settings, changes: dict[str, Any], ids: list[str]
) -> None:
    configure(settings, DEVELOPMENT | changes)
    messages = found(deployment=False)
    assert [message.id for message in messages] == ids
    assert all(message.hint for message in messages)


@pytest.mark.parametrize(
    ("vendor", "changes", "ids"),
    [
        ("sqlite", {}, []),
        ("sqlite", redis("redis://:secret@127.0.0.1:6379/0") | {"WEB_CONCURRENCY": 8}, []),
        ("sqlite", redis("redis://localhost"), []),
        ("sqlite", redis("redis://"), []),
        ("sqlite", redis("rediss://:secret@[::1]:6379/0"), []),
        ("sqlite", redis("redis://:secret@cache.example.com:6379/0"), ["api.W010"]),
        ("sqlite", redis("redis://10.0.0.1"), ["api.W010"]),
        ("postgresql", redis("redis://cache.example.com"), []),
    ],
)
def test_sqlite_with_a_redis_elsewhere_is_a_warning(
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    vendor: str,
    changes: dict[str, Any],
    ids: list[str],
) -> None:
    configure(settings, PRODUCTION | changes)
    use_database(monkeypatch, vendor)
    messages = found()
    assert [message.id for message in messages] == ids
    assert "secret" not in " ".join(f"{message.msg} {message.hint}" for message in messages)
    assert all(message.hint for message in messages)


@pytest.mark.parametrize(
    ("vendor", "name", "ids"),
    [
        ("sqlite", "missing/db.sqlite3", ["api.E014"]),
        ("sqlite", ".", ["api.E014"]),
        ("sqlite", "new.sqlite3", []),
        ("sqlite", ":memory:", []),
        ("postgresql", "missing/db", []),
    ],
)
def test_an_sqlite_file_without_a_folder_is_an_error(
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    vendor: str,
    name: str,
    ids: list[str],
) -> None:
    configure(settings, PRODUCTION)
    use_database(monkeypatch, vendor)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(settings.DATABASES["default"], "NAME", name)
    assert [message.id for message in found()] == ids


def test_several_mistakes_are_all_named(settings: Settings) -> None:
    configure(settings, PRODUCTION)
    settings.CORS_ALLOWED_ORIGINS = ["null", "http://a.example", "http://b.example", "*"]
    assert [message.id for message in found()] == ["api.W006", "api.W007", "api.W008"]
    assert "http://a.example, http://b.example" in found()[-1].msg
