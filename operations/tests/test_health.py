"""Probes need no token."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import InterfaceError, OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from authn.testing import Issuer
from operations.encoding import check_encoding

READY = {"database": "ok", "migrations": "ok", "keys": "ok"}


def fail(error: type[Exception] = OperationalError) -> None:
    raise error("connection to server at db.example.com failed")


def missing(response: Any) -> list[tuple[str, str]]:
    body = response.json()
    assert (response.status_code, body["code"]) == (503, "not_ready")
    assert response["Content-Type"] == "application/problem+json"
    assert response["Retry-After"] == "5"
    assert "example.com" not in str(body)
    assert all(error["detail"] for error in body["errors"])
    return [(error["check"], error["code"]) for error in body["errors"]]


def test_healthz_needs_neither_database_nor_issuer(
    anonymous: Client, monkeypatch: pytest.MonkeyPatch, issuer: Issuer
) -> None:
    issuer.broken = True
    monkeypatch.setattr("django.db.connection.ensure_connection", fail)
    response = anonymous.get("/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})
    assert issuer.fetches == 0


@pytest.mark.django_db
def test_a_server_with_a_database_and_keys_is_ready(
    anonymous: Client, django_assert_num_queries: DjangoAssertNumQueries, issuer: Issuer
) -> None:
    with django_assert_num_queries(2):
        response = anonymous.get("/readyz")
    assert (response.status_code, response.json()) == (200, READY)
    assert issuer.fetches == 1


@pytest.mark.django_db
def test_a_server_without_keys_is_not_ready(anonymous: Client, issuer: Issuer) -> None:
    issuer.broken = True
    assert missing(anonymous.get("/readyz")) == [("keys", "keys_unavailable")]


@pytest.mark.django_db
def test_a_server_with_a_secret_needs_no_issuer_to_be_ready(anonymous: Client) -> None:
    assert anonymous.get("/readyz").status_code == 200


@pytest.mark.django_db
def test_a_server_whose_database_is_not_migrated_is_not_ready(anonymous: Client) -> None:
    recorder = MigrationRecorder(connection)
    recorder.record_unapplied("api", "0001_initial")
    assert missing(anonymous.get("/readyz")) == [("migrations", "migrations_pending")]
    recorder.record_applied("api", "0001_initial")
    assert anonymous.get("/readyz").json() == READY


@pytest.mark.django_db
def test_a_database_newer_than_the_code_is_ready(anonymous: Client) -> None:
    MigrationRecorder(connection).record_applied("todos", "9999_of_the_next_version")
    assert anonymous.get("/readyz").json() == READY


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_a_server_without_a_database_is_not_ready(
    anonymous: Client, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    monkeypatch.setattr("django.db.connection.ensure_connection", lambda: fail(error))
    assert missing(anonymous.get("/readyz")) == [("database", "database_unavailable")]


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1", "WIN1251"])
@pytest.mark.django_db
def test_a_database_in_another_encoding_is_not_ready(
    anonymous: Client, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    says(monkeypatch, encoding)
    assert missing(anonymous.get("/readyz")) == [("database", "database_encoding")]
    [error] = check_encoding(databases=["default"])
    assert (error.id, error.is_serious()) == ("api.E013", True)
    assert "ENCODING 'UTF8' TEMPLATE template0" in str(error.msg)


@pytest.mark.parametrize("encoding", ["UTF8", None], ids=str)
@pytest.mark.django_db
def test_a_database_in_utf8_is_ready(
    anonymous: Client, monkeypatch: pytest.MonkeyPatch, encoding: str | None
) -> None:
    says(monkeypatch, encoding)
    assert anonymous.get("/readyz").json() == READY
    assert [*check_encoding(databases=["default"])] == []


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_a_database_that_is_down_is_a_warning_of_the_start(
    monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    says(monkeypatch, "LATIN1")
    monkeypatch.setattr("operations.encoding.connection.temporary_connection", lambda: fail(error))
    [warning] = check_encoding(databases=["default"])
    assert (warning.id, warning.is_serious()) == ("api.W015", False)
    assert "connection to server at db.example.com failed" in str(warning.msg)


def says(monkeypatch: pytest.MonkeyPatch, encoding: str | None) -> None:
    """Pretend that a PostgreSQL of this encoding is connected."""
    info = SimpleNamespace(parameter_status={"server_encoding": encoding}.get)
    stub = SimpleNamespace(
        vendor="postgresql",
        connection=SimpleNamespace(info=info),
        temporary_connection=nullcontext,
    )
    monkeypatch.setattr("operations.encoding.connection", stub)


def test_a_server_without_database_and_keys_names_both(
    anonymous: Client, monkeypatch: pytest.MonkeyPatch, issuer: Issuer
) -> None:
    issuer.broken = True
    monkeypatch.setattr("django.db.connection.ensure_connection", fail)
    assert [name for name, _ in missing(anonymous.get("/readyz"))] == ["database", "keys"]


@pytest.mark.django_db
def test_probes_ignore_tokens(bearer: Callable[[str], Client]) -> None:
    for path in ("/healthz", "/readyz"):
        response = bearer("no token").get(path)
        assert response.status_code == 200
        assert "RateLimit" not in response


class TestProbeOfAnAddress:
    """Orchestrators and load balancers name a process by its address."""

    @pytest.mark.django_db
    @pytest.mark.parametrize("host", ["10.0.0.7:8000", "[fd00::7]:8000", "a b", "évil.example"])
    @pytest.mark.parametrize("path", ["/healthz", "/readyz"])
    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    def test_a_probe_of_an_address_is_answered(
        self, anonymous: Client, settings: Settings, method: str, path: str, host: str
    ) -> None:
        settings.ALLOWED_HOSTS = ["todos.example.com"]
        response = anonymous.generic(method, path, headers={"host": host})
        assert response.status_code == 200
        assert host not in str(response.headers)

    @pytest.mark.django_db
    @pytest.mark.parametrize("path", ["/healthz", "/readyz", "/healthz?x=1"])
    @pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST", "TRACE"])
    @pytest.mark.parametrize("accept", ["*/*", "text/html", "x/y"])
    def test_the_host_of_a_probe_is_never_read(
        self,
        anonymous: Client,
        monkeypatch: pytest.MonkeyPatch,
        method: str,
        path: str,
        accept: str,
    ) -> None:
        monkeypatch.setattr(HttpRequest, "get_host", fail)
        headers = {"accept": accept, "origin": "https://app.example.com"}
        assert anonymous.generic(method, path, headers=headers).status_code < 500

    @pytest.mark.parametrize("path", ["/", "/healthz/", "/healthz/x", "//healthz", "/api/me/"])
    def test_a_path_beside_the_probes_refuses_an_unknown_host(
        self, anonymous: Client, settings: Settings, path: str
    ) -> None:
        settings.ALLOWED_HOSTS = ["todos.example.com"]
        response = anonymous.get(path, headers={"host": "10.0.0.7"})
        assert (response.status_code, response.json()["code"]) == (400, "bad_request")
