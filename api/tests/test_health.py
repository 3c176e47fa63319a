"""What probes are told. They have no token."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import InterfaceError, OperationalError
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from authn.testing import Issuer


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


def test_a_process_that_answers_is_alive(
    anonymous: Client, monkeypatch: pytest.MonkeyPatch, issuer: Issuer
) -> None:
    issuer.broken = True
    monkeypatch.setattr("api.health._require_database", fail)
    response = anonymous.get("/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})
    assert issuer.fetches == 0


@pytest.mark.django_db
def test_a_server_with_database_and_keys_is_ready(
    anonymous: Client, django_assert_num_queries: DjangoAssertNumQueries, issuer: Issuer
) -> None:
    with django_assert_num_queries(1):
        response = anonymous.get("/readyz")
    assert (response.status_code, response.json()) == (200, {"database": "ok", "keys": "ok"})
    assert issuer.fetches == 1


@pytest.mark.django_db
def test_a_server_without_keys_is_not_ready(anonymous: Client, issuer: Issuer) -> None:
    issuer.broken = True
    assert missing(anonymous.get("/readyz")) == [("keys", "keys_unavailable")]


@pytest.mark.django_db
def test_the_secret_needs_nobody(anonymous: Client) -> None:
    assert anonymous.get("/readyz").status_code == 200


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_a_server_without_database_is_not_ready(
    anonymous: Client, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    monkeypatch.setattr("api.health._require_database", lambda: fail(error))
    assert missing(anonymous.get("/readyz")) == [("database", "database_unavailable")]


def test_a_server_without_either_says_so(
    anonymous: Client, monkeypatch: pytest.MonkeyPatch, issuer: Issuer
) -> None:
    issuer.broken = True
    monkeypatch.setattr("api.health._require_database", fail)
    assert [name for name, _ in missing(anonymous.get("/readyz"))] == ["database", "keys"]


@pytest.mark.django_db
def test_a_token_changes_nothing(bearer: Callable[[str], Client]) -> None:
    for path in ("/healthz", "/readyz"):
        response = bearer("no token").get(path)
        assert response.status_code == 200
        assert "RateLimit" not in response
