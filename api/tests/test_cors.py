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


def test_no_other_origin_is_allowed_by_default(alice: Client) -> None:
    assert "Access-Control-Allow-Origin" not in preflight(alice)
    assert "Access-Control-Allow-Origin" not in alice.get("/api/me/", headers={"origin": ORIGIN})


@pytest.mark.parametrize("open_to", [[], [ORIGIN]])
@pytest.mark.parametrize("origin", [{}, {"origin": ""}, {"origin": ORIGIN}])
@pytest.mark.parametrize(("path", "status"), [("/api/me/", 200), ("/nope", 404), ("/healthz", 200)])
def test_every_answer_is_private_and_its_vary_names_origin(
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
    assert response["Cache-Control"] == "private, no-cache"


def test_options_with_a_requested_method_is_a_preflight(anonymous: Client) -> None:
    response = anonymous.options("/api/me/", headers={"access-control-request-method": "GET"})
    assert (response.status_code, response["Vary"]) == (200, "origin")
    assert "Access-Control-Allow-Origin" not in response
    assert anonymous.options("/api/me/").status_code == 401


@pytest.mark.usefixtures("_open_to_the_front_end")
class TestAnAllowedOrigin:
    def test_needs_no_token_for_a_preflight(self, anonymous: Client) -> None:
        response = preflight(anonymous)
        assert response.status_code == 200
        assert response["Access-Control-Allow-Origin"] == ORIGIN
        assert "PATCH" in response["Access-Control-Allow-Methods"]

    def test_may_send_the_fields_of_the_api_and_of_a_tracer(self, anonymous: Client) -> None:
        allowed = preflight(anonymous)["Access-Control-Allow-Headers"].split(", ")
        assert {
            *("accept", "authorization", "content-type"),
            *("idempotency-key", "if-match", "if-none-match"),
            *("traceparent", "tracestate", "baggage", "sentry-trace", "x-request-id"),
        } <= set(allowed)

    def test_may_read_answers_and_refusals(self, alice: Client, anonymous: Client) -> None:
        for client, path, status in (
            (alice, "/api/me/", 200),
            (anonymous, "/api/me/", 401),
            (anonymous, "/nope", 404),
        ):
            response = client.get(path, headers={"origin": ORIGIN})
            assert response.status_code == status
            assert response["Access-Control-Allow-Origin"] == ORIGIN
            assert "Access-Control-Allow-Credentials" not in response
            assert set(response["Access-Control-Expose-Headers"].split(", ")) == {
                *("ETag", "Idempotency-Replayed", "Location", "X-Request-Id"),
                *("RateLimit", "RateLimit-Policy", "Retry-After", "WWW-Authenticate"),
            }


@pytest.mark.usefixtures("_open_to_the_front_end")
def test_another_origin_may_read_no_answer(alice: Client) -> None:
    response = alice.get("/api/me/", headers={"origin": "https://evil.example"})
    assert "Access-Control-Allow-Origin" not in response
