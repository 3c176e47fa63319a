"""Security header fields: every answer has them, from a view, a middleware or Django."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from api.views import MeView
from tests.support.security_headers import HSTS, assert_guarded

ORIGIN = "https://app.example.com"
TODOS = "/api/todos/"


@pytest.mark.django_db
def test_an_answer_about_a_todo_has_the_fields(alice: Client, bob: Client) -> None:
    created = alice.post(TODOS, {"title": "x"}, content_type="application/json")
    address, etag = created["Location"], created["ETag"]
    assert_guarded(created, status=201)
    assert_guarded(alice.get(address), status=200)
    assert_guarded(alice.head(address), status=200)
    assert_guarded(alice.get(address, headers={"if-none-match": etag}), status=304)
    assert_guarded(bob.get(address), status=403)
    assert_guarded(alice.delete(address), status=204)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/schema/", 200),
        ("GET", "/healthz", 200),
        ("POST", TODOS, 400),
        ("GET", f"{TODOS}x/", 404),
        ("GET", "/nope", 404),
        ("DELETE", "/api/me/", 405),
    ],
)
def test_an_answer_at_any_path_has_the_fields(
    alice: Client, method: str, path: str, status: int
) -> None:
    assert_guarded(alice.generic(method, path, "{}", "application/json"), status=status)


def test_an_answer_of_a_middleware_has_the_fields(anonymous: Client, settings: Settings) -> None:
    assert_guarded(anonymous.get("/api/me/", headers={"host": "evil.example"}), status=400)
    settings.THROTTLE_ANON = (2, 3600)
    assert_guarded(anonymous.get("/api/me/"), status=401)
    assert_guarded(anonymous.get("/api/me/"), status=429)


def test_a_crash_has_the_fields(alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(self: MeView, request: Any) -> None:
        raise LookupError

    monkeypatch.setattr(MeView, "get", crash)
    alice.raise_request_exception = False
    assert_guarded(alice.get("/api/me/"), status=500)


@pytest.mark.parametrize("path", ["/api/me/", "/nope", "/healthz"])
def test_an_answer_over_https_tells_browsers_to_keep_to_https(anonymous: Client, path: str) -> None:
    assert anonymous.get(path, secure=True)["Strict-Transport-Security"] == HSTS
    assert "Strict-Transport-Security" not in anonymous.get(path)


class TestAnAllowedOrigin:
    """``Cross-Origin-Resource-Policy`` concerns requests without CORS only."""

    @pytest.fixture(autouse=True)
    def _open_to_the_front_end(self, settings: Settings) -> None:
        settings.CORS_ALLOWED_ORIGINS = [ORIGIN]

    def test_may_read_an_answer_that_has_the_fields(self, alice: Client) -> None:
        response = alice.get("/api/me/", headers={"origin": ORIGIN})
        assert_guarded(response, status=200)
        assert response["Access-Control-Allow-Origin"] == ORIGIN
        assert response.json()["id"] == "alice"

    def test_gets_the_fields_with_a_preflight(self, anonymous: Client) -> None:
        headers = {"origin": ORIGIN, "access-control-request-method": "PATCH"}
        response = anonymous.options(TODOS, headers=headers)
        assert_guarded(response, status=200)
        assert response["Access-Control-Allow-Origin"] == ORIGIN
