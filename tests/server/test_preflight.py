"""Starts that cannot work end with one line that says what to do."""

from __future__ import annotations

import os
import re
import socket
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings
from pytest_django import Settings

from server.demo import introduction, write_env_file
from server.preflight import (
    Address,
    CannotStart,
    load_settings,
    require_allowed_host,
    require_free,
    require_passing_checks,
    shared_metrics,
)

SESAME = "open sesame " * 3


def test_a_port_that_another_program_listens_on_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(CannotStart) as reason:
            require_free(Address("127.0.0.1", port), command="make run")
    assert str(reason.value) == (
        f"Another program listens on 127.0.0.1:{port}: stop it, or make run PORT=8001"
    )


def test_a_port_of_administrators_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **options: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("server.preflight.socket.create_server", refuse)
    with pytest.raises(CannotStart, match="make serve PORT=8001"):
        require_free(Address("127.0.0.1", 80), command="make serve")


@pytest.mark.parametrize("value", ["0", "65536", "http", "-1", "8_0", "٣"])
def test_a_port_is_a_number_from_1_to_65535(settings: Settings, value: str) -> None:
    settings.PORT = value
    with pytest.raises(CannotStart, match=f"PORT is {value}: "):
        Address.from_settings()


@pytest.mark.parametrize(
    "host",
    [
        "192.0.2.1",
        "2001:db8::1",
        "127.0.0.0.1",
        "a" * 64,
        "no-such-host.invalid",
        "http://127.0.0.1",
        "127.0.0.1:8000",
        "127.0.0.1 ",
        "*",
    ],
)
def test_a_host_is_an_address_of_this_machine(settings: Settings, host: str) -> None:
    settings.HOST = host
    with pytest.raises(CannotStart, match=f"^HOST is {re.escape(host)}, no address of this"):
        require_free(Address.from_settings(), command="make run")


@pytest.mark.parametrize(
    ("host", "told", "shown", "reachable"),
    [
        ("127.0.0.1", "127.0.0.1", "127.0.0.1:8000", "127.0.0.1:8000"),
        ("127.1", "127.0.0.1", "127.1:8000", "127.1:8000"),
        ("0.0.0.0", "0.0.0.0", "0.0.0.0:8000", "127.0.0.1:8000"),
        ("::1", "::1", "[::1]:8000", "[::1]:8000"),
        ("[::]", "::", "[::]:8000", "[::1]:8000"),
        ("localhost", "127.0.0.1", "localhost:8000", "localhost:8000"),
    ],
)
def test_a_server_is_told_an_address_and_clients_are_shown_a_name(
    settings: Settings, host: str, told: str, shown: str, reachable: str
) -> None:
    settings.HOST, settings.PORT = host, "8000"
    address = Address.from_settings()
    assert (address.host, str(address), str(address.reachable)) == (told, shown, reachable)


def test_a_port_is_free_at_the_address_of_a_name(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings.HOST, settings.PORT = "localhost", str(server.getsockname()[1])
        address = Address.from_settings()
        with pytest.raises(CannotStart, match=rf"listens on localhost:{settings.PORT}: stop it"):
            require_free(address, command="make serve")
    require_free(address, command="make serve")


def test_a_host_that_no_request_may_name_is_named(settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["todos.example.com"]
    require_allowed_host(Address("127.0.0.1", 8000, "todos.example.com"))
    with pytest.raises(CannotStart, match=r"127\.0\.0\.2 would be refused: name it in DJANGO_ALL"):
        require_allowed_host(Address("127.0.0.2", 8000))


def test_a_setting_that_cannot_be_read_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise ImproperlyConfigured("LOG_LEVEL must be one of DEBUG, INFO.\nSee the docs.")

    monkeypatch.setattr("django.setup", refuse)
    with pytest.raises(CannotStart, match=r"^LOG_LEVEL must be one of DEBUG, INFO\.$"):
        load_settings()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("secret", "reason"), [("", r"^authn\.E001: "), ("short", r"^authn\.E003: .*openssl rand")]
)
def test_without_keys_no_server_starts(settings: Settings, secret: str, reason: str) -> None:
    settings.BETTER_AUTH_SECRET = secret
    with pytest.raises(CannotStart, match=reason):
        require_passing_checks(deployment=True)


@pytest.mark.django_db
@pytest.mark.parametrize("deployment", [False, True], ids=["make run", "make serve"])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BETTER_AUTH_SECRETS", SESAME),
        ("BETTER_AUTH_SECRETS", f"2:{SESAME},"),
        ("BETTER_AUTH_SECRETS", f"2:{SESAME},2:another {SESAME}"),
        ("BETTER_AUTH_SECRETS", f"2:{SESAME},1:sesame"),
        ("OAUTH_RESOURCE", "todos.example.com"),
        ("OAUTH_RESOURCE", "https://user:sesame@todos.example.com"),
        ("OAUTH_RESOURCE", "https://todos.example.com/?key=sesame"),
        ("OAUTH_RESOURCE", "https://todos.example.com"),  # without a key set
    ],
)
def test_a_value_that_cannot_work_is_named_and_not_shown(
    settings: Settings, name: str, value: str, deployment: bool
) -> None:
    setattr(settings, name, value)
    with pytest.raises(CannotStart) as reason:
        require_passing_checks(deployment=deployment)
    assert re.search(rf"^authn\.E\d+: .*\b{name}\b", str(reason.value), re.MULTILINE)
    assert "sesame" not in str(reason.value)


def test_a_start_that_fails_leaves_no_folder_of_metrics(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", "")
    settings.METRICS_TOKEN = "m" * 32
    with suppress(CannotStart), shared_metrics():
        [folder] = tmp_path.iterdir()
        assert os.environ["PROMETHEUS_MULTIPROC_DIR"] == str(folder)
        raise CannotStart
    assert not [*tmp_path.iterdir()]


def test_metrics_without_a_folder_for_temporary_files(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    settings.METRICS_TOKEN = "m" * 32
    with pytest.raises(CannotStart, match=r"\(No such file or directory\): set TMPDIR"):
        shared_metrics().__enter__()


def test_an_env_file_in_no_folder_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match=r"\.env cannot be written \(No such file"):
        write_env_file(tmp_path / "missing" / ".env")


@override_settings(BETTER_AUTH_SECRET="", BETTER_AUTH_URL="https://app.example.com")
def test_without_a_secret_the_introduction_names_the_issuer() -> None:
    printed = introduction("http://127.0.0.1:8000/api/")
    assert "GET https://app.example.com/api/auth/token" in printed
    assert 'Bearer $TOKEN"' in printed
