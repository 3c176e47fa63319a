"""One line for every request, with its fields."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from pytest_django import Settings

from api.views import MeView
from authn.testing import Bearer, Clock, Issuer, Mint
from operations.request_log import request_log

LOGGER = "operations.request_log"
ID = "7d0a1c5e-38c5-4f0e-9f55-0d0c6f7b9a11"


class Lines:
    """Collects the log lines of requests."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        self._caplog = caplog

    def __call__(self) -> list[Any]:
        return [each for each in self._caplog.records if each.name == LOGGER]

    def fields(self) -> dict[str, Any]:
        """Return the fields of the only line."""
        [line] = self()
        fields: dict[str, Any] = line.fields
        return fields


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Lines:
    return Lines(caplog)


def test_a_line_names_user_route_and_outcome(alice: Client, lines: Lines) -> None:
    response = alice.get("/api/me/")
    fields = lines.fields()
    assert isinstance(fields.pop("duration_ms"), float)
    assert fields == {
        "method": "GET",
        "route": "/api/me/",
        "status": 200,
        "code": None,
        "user_id": "alice",
        "request_id": response["X-Request-Id"],
    }
    [line] = lines()
    assert (line.levelname, line.getMessage()) == ("INFO", "Answered")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("method", "path", "route"),
    [
        ("GET", "/", "/"),
        ("GET", "/api/todos?q=secret", "/api/todos/"),
        ("GET", f"/api/todos/{ID}/", "/api/todos/{id}/"),
        ("POST", f"/api/todos/{ID}/complete", "/api/todos/{id}/complete/"),
        ("GET", "/api/todos/secret", "/api/todos/{id}/"),
        ("GET", "/secret/", None),
        ("GET", "/api/secret/", None),
    ],
)
def test_the_route_is_written_as_in_openapi(
    alice: Client, lines: Lines, method: str, path: str, route: str | None
) -> None:
    alice.generic(method, path)
    assert lines.fields()["route"] == route


@pytest.mark.parametrize("method", ["FROBNICATE", "\x1b[2J", "GET\nGET"])
def test_an_unknown_method_is_logged_as_other(
    rf: RequestFactory, lines: Lines, method: str
) -> None:
    request = rf.generic(method, "/api/me/")
    request.META["HTTP_X_REQUEST_ID"] = ID
    request_log(lambda request: HttpResponse())(request)
    assert lines.fields()["method"] == "other"


def test_the_duration_includes_all_inner_middleware(rf: RequestFactory, lines: Lines) -> None:
    clock = Clock()

    def slow(request: HttpRequest) -> HttpResponse:
        clock.advance(1.23456)
        return HttpResponse()

    request = rf.get("/")
    request.META["HTTP_X_REQUEST_ID"] = ID
    request_log(slow, clock=clock)(request)
    assert lines.fields()["duration_ms"] == 1234.6


@pytest.mark.parametrize(
    ("claims", "path", "headers", "expected"),
    [
        ({"exp": 1}, "/api/me/", {}, (401, "token_expired", None)),
        ({"aud": "others"}, "/api/me/", {}, (401, "audience_mismatch", None)),
        ({"sub": None}, "/api/me/", {}, (401, "claim_missing", None)),
        ({}, "/api/me/", {"authorization": ""}, (401, "not_authenticated", None)),
        ({}, "/api/me/?x=1", {}, (400, "invalid_parameter", "alice")),
        ({}, "/nope", {}, (404, "not_found", None)),
        ({}, "/api/me/", {"host": "evil.example"}, (400, "bad_request", None)),
        ({}, "/api/me/", {"accept": "x/y"}, (406, "not_acceptable", None)),
    ],
)
def test_a_refused_request_has_its_code_and_a_verified_user(
    mint: Mint,
    bearer: Bearer,
    lines: Lines,
    claims: dict[str, Any],
    path: str,
    headers: dict[str, str],
    expected: tuple[int, str, str | None],
) -> None:
    bearer(mint(**{"sub": "alice", **claims})).get(path, headers=headers)
    fields = lines.fields()
    assert (fields["status"], fields["code"], fields["user_id"]) == expected


def test_a_throttled_request_has_the_user(alice: Client, lines: Lines, settings: Settings) -> None:
    settings.THROTTLE_USER = (1, 3600)
    for _ in range(2):
        alice.get("/api/me/")
    last = lines()[-1].fields
    assert (last["status"], last["code"], last["user_id"]) == (429, "throttled", "alice")


def test_a_crash_has_route_and_user(
    mint: Mint, monkeypatch: pytest.MonkeyPatch, lines: Lines, caplog: pytest.LogCaptureFixture
) -> None:
    def crash(self: MeView, request: Any) -> None:
        raise LookupError

    monkeypatch.setattr(MeView, "get", crash)
    client = Client(raise_request_exception=False)
    client.get("/api/me/", headers={"authorization": f"Bearer {mint(sub='alice')}"})
    fields = lines.fields()
    assert (fields["status"], fields["code"]) == (500, "internal_error")
    assert (fields["route"], fields["user_id"]) == ("/api/me/", "alice")
    assert [each.name for each in caplog.records] == ["django.request", LOGGER]


def test_unavailable_keys_have_their_code(issuer: Issuer, bearer: Bearer, lines: Lines) -> None:
    issuer.broken = True
    bearer(issuer.mint()).get("/api/me/")
    assert (lines.fields()["status"], lines.fields()["code"]) == (503, "keys_unavailable")


def test_a_refused_token_is_one_line(
    mint: Mint, bearer: Bearer, caplog: pytest.LogCaptureFixture
) -> None:
    bearer(mint(exp=1)).get("/api/me/")
    assert [each.name for each in caplog.records] == [LOGGER]


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_probes_are_logged_at_debug(
    anonymous: Client, caplog: pytest.LogCaptureFixture, lines: Lines, path: str
) -> None:
    anonymous.get(path)
    assert not lines()
    with caplog.at_level(logging.DEBUG):
        anonymous.get(path)
    assert (lines.fields()["route"], lines()[0].levelname) == (path, "DEBUG")


def test_a_preflight_is_logged(anonymous: Client, lines: Lines, settings: Settings) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["https://app.example.com"]
    anonymous.options(
        "/api/todos/",
        headers={"origin": "https://app.example.com", "access-control-request-method": "POST"},
    )
    assert (lines.fields()["method"], lines.fields()["status"]) == ("OPTIONS", 200)
