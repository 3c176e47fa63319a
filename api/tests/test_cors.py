from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

ORIGIN = "https://app.example.com"


def preflight(client: Client) -> Any:
    return client.options(
        "/api/todos/",
        headers={
            "origin": ORIGIN,
            "access-control-request-method": "POST",
            "access-control-request-headers": "authorization, content-type",
        },
    )


@pytest.fixture
def _open_to_the_front_end(settings: Settings) -> None:
    settings.CORS_ALLOWED_ORIGINS = [ORIGIN]


def test_no_other_origin_is_let_in_by_default(alice: Client) -> None:
    assert "Access-Control-Allow-Origin" not in preflight(alice)
    assert "Access-Control-Allow-Origin" not in alice.get("/api/me/", headers={"origin": ORIGIN})


@pytest.mark.parametrize("open_to", [[], [ORIGIN]])
@pytest.mark.parametrize("origin", [{}, {"origin": ""}, {"origin": ORIGIN}])
@pytest.mark.parametrize(("path", "status"), [("/api/me/", 200), ("/nope", 404), ("/healthz", 200)])
def test_a_cache_is_told_that_the_origin_matters(
    alice: Client,
    settings: Settings,
    open_to: list[str],
    origin: dict[str, str],
    path: str,
    status: int,
) -> None:
    settings.CORS_ALLOWED_ORIGINS = open_to
    response = alice.get(path, headers=origin)
    assert response.status_code == status
    assert response["Vary"] == "Accept, Authorization, origin"


def test_what_looks_like_a_preflight_is_answered_as_one(anonymous: Client) -> None:
    response = anonymous.options("/api/me/", headers={"access-control-request-method": "GET"})
    assert (response.status_code, response["Vary"]) == (200, "origin")
    assert "Access-Control-Allow-Origin" not in response
    assert anonymous.options("/api/me/").status_code == 401


@pytest.mark.usefixtures("_open_to_the_front_end")
class TestAnAllowedOrigin:
    def test_a_preflight_needs_no_token(self, anonymous: Client) -> None:
        response = preflight(anonymous)
        assert response.status_code == 200
        assert response["Access-Control-Allow-Origin"] == ORIGIN
        assert "authorization" in response["Access-Control-Allow-Headers"]
        assert "PATCH" in response["Access-Control-Allow-Methods"]

    def test_it_may_read_answers_and_refusals(self, alice: Client, anonymous: Client) -> None:
        for client, path, status in (
            (alice, "/api/me/", 200),
            (anonymous, "/api/me/", 401),
            (anonymous, "/nope", 404),
        ):
            response = client.get(path, headers={"origin": ORIGIN})
            assert response.status_code == status
            assert response["Access-Control-Allow-Origin"] == ORIGIN
            assert "X-Request-Id" in response["Access-Control-Expose-Headers"]
            assert "origin" in response["Vary"].lower()

    def test_it_may_send_every_header_that_is_read_here(self, anonymous: Client) -> None:
        allowed = preflight(anonymous)["Access-Control-Allow-Headers"].split(", ")
        read = {"accept", "authorization", "content-type"}
        conditional = {"idempotency-key", "if-match", "if-none-match"}
        assert read | conditional <= set(allowed)

    @pytest.mark.parametrize(
        "name", ["traceparent", "tracestate", "baggage", "sentry-trace", "x-request-id"]
    )
    def test_a_front_end_that_is_traced_may_send_what_its_tracer_adds(
        self, anonymous: Client, name: str
    ) -> None:
        allowed = preflight(anonymous)["Access-Control-Allow-Headers"].split(", ")
        assert name in allowed

    def test_it_may_read_every_header_that_is_sent_here(self, alice: Client) -> None:
        response = alice.get("/api/me/", headers={"origin": ORIGIN})
        assert set(response["Access-Control-Expose-Headers"].split(", ")) == {
            "ETag",
            "Idempotency-Replayed",
            "Location",
            "RateLimit",
            "RateLimit-Policy",
            "Retry-After",
            "WWW-Authenticate",
            "X-Request-Id",
        }

    def test_no_cookie_is_sent_along(self, alice: Client) -> None:
        response = alice.get("/api/me/", headers={"origin": ORIGIN})
        assert "Access-Control-Allow-Credentials" not in response

    def test_another_origin_may_not(self, alice: Client) -> None:
        response = alice.get("/api/me/", headers={"origin": "https://evil.example"})
        assert "Access-Control-Allow-Origin" not in response


def test_what_another_origin_would_get_is_said_to_differ(alice: Client) -> None:
    """A cache must not give it the answer that had no ``Origin``."""
    for headers in ({}, {"Origin": "https://app.example.com"}):
        response = alice.get("/api/me/", headers=headers)
        assert "origin" in response["Vary"].lower().split(", ")
