"""No token, secret or content of a request is logged, at any level and in either format."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client

from api.views import MeView
from authn.testing import SECRET, Bearer, Issuer, Mint
from operations.logging import ConsoleFormatter, JsonFormatter
from todos.tests.factories import make_todo

pytestmark = pytest.mark.django_db

TODOS = "/api/todos/"
# A request below contains or concerns each of these.
PRIVATE = {
    "email": "private.mail@example.com",
    "name": "Private Name",
    "claim": "private-claim",
    "password": "private-password-123",
    "title": "private-title",
    "field": "private-field",
    "query": "private-query",
    "header": "private-header",
    "path": "private-path",
    "agent": "private-agent",
}
FORMATTERS = (
    JsonFormatter(),
    ConsoleFormatter("{asctime} {levelname} {name}: {message}", style="{"),
)


class Traffic:
    """Send requests, and remember which parts must not be logged."""

    def __init__(self, mint: Mint, bearer: Bearer) -> None:
        self._mint, self._bearer = mint, bearer
        self.secrets = {SECRET, *PRIVATE.values()}

    def client(self, *, mint: Mint | None = None, **claims: Any) -> Client:
        """Requests with tokens, valid or not, that have every claim of Better Auth."""
        private = {name: PRIVATE[name] for name in ("email", "name", "claim")}
        return self.sending((mint or self._mint)(**{**private, **claims}))

    def sending(self, token: str) -> Client:
        self.secrets |= {part for part in (token, *token.split(".")) if len(part) > 8}
        client = self._bearer(token)
        client.raise_request_exception = False
        client.defaults |= {
            "HTTP_X_API_KEY": PRIVATE["header"],
            "HTTP_COOKIE": f"session={PRIVATE['header']}; todos_token={token}",
            "HTTP_USER_AGENT": PRIVATE["agent"],
            "HTTP_REFERER": f"https://app.example.com/?{PRIVATE['query']}",
        }
        return client


@pytest.fixture
def traffic(mint: Mint, bearer: Bearer) -> Traffic:
    return Traffic(mint, bearer)


@pytest.fixture
def everything(caplog: pytest.LogCaptureFixture) -> Iterator[Callable[[], str]]:
    """All that has been logged, as captured, as objects and as lines."""

    def logged() -> str:
        records = caplog.records
        lines = [each.format(record) for each in FORMATTERS for record in records]
        return "\n".join([caplog.text, *lines, *(repr(vars(record)) for record in records)])

    with caplog.at_level(logging.DEBUG):
        yield logged


def refused(traffic: Traffic) -> Iterator[Any]:
    for name, value in (("exp", 1), ("aud", "others"), ("iss", "others"), ("exp", None)):
        claims: Any = {"sub": PRIVATE["claim"], name: value}
        yield traffic.client(**claims).get("/api/me/")
    good = traffic.client()
    token = good.defaults["HTTP_AUTHORIZATION"].removeprefix("Bearer ")
    for spoilt in (token[:-4], f"{token}.{token}", token.replace(".", "!"), token[::-1]):
        yield traffic.sending(spoilt).get("/api/me/")
    yield Client().get(f"/api/me/?token={token}&access_token={token}")


def mistaken(client: Client) -> Iterator[Any]:
    secret = {PRIVATE["field"]: PRIVATE["password"], "title": [PRIVATE["title"]]}
    for body in (json.dumps(secret), json.dumps(secret)[:-2], PRIVATE["password"]):
        yield client.post(TODOS, body, content_type="application/json")
    yield client.post(TODOS, secret)
    yield client.get(f"{TODOS}?q={PRIVATE['query']}&{PRIVATE['query']}=1&limit={PRIVATE['query']}")
    yield client.post(f"{TODOS}batch/", {"operations": [secret]}, content_type="application/json")
    yield client.get("/api/me/", headers={"accept": PRIVATE["header"]})
    headers = {"idempotency-key": f"{PRIVATE['header']} \x00"}
    yield client.post(TODOS, secret, content_type="application/json", headers=headers)


def carried_out(client: Client) -> Iterator[Any]:
    headers = {"idempotency-key": PRIVATE["header"]}
    body = {"title": PRIVATE["title"], "description": PRIVATE["password"]}
    created = client.post(TODOS, body, content_type="application/json", headers=headers)
    yield created
    yield client.get(f"{TODOS}?q={PRIVATE['query']}")
    yield client.get(created["Location"], headers={"if-match": f'"{PRIVATE["header"]}"'})
    yield client.patch(
        created["Location"], body, "application/json", headers={"if-match": '"private-header"'}
    )
    yield client.delete(created["Location"])


def elsewhere(client: Client) -> Iterator[Any]:
    login = {"email": PRIVATE["email"], "password": PRIVATE["password"]}
    yield client.post("/api/login/", login)
    yield client.post("/api/auth/sign-in/email", login, content_type="application/json")
    yield client.get(f"/{PRIVATE['path']}/?{PRIVATE['query']}")
    yield client.get(f"{TODOS}{PRIVATE['path']}/")
    yield client.get(f"{TODOS}{make_todo(owner_id='bob', title=PRIVATE['title']).pk}/")


def test_no_secret_of_a_request_is_logged(traffic: Traffic, everything: Callable[[], str]) -> None:
    client = traffic.client(sub="alice")
    answers = [
        *carried_out(client),
        *mistaken(client),
        *elsewhere(client),
        *refused(traffic),
    ]
    statuses = {answer.status_code for answer in answers}
    assert statuses == {200, 201, 204, 400, 401, 403, 404, 406, 412, 415}
    logged = everything()
    assert logged.count("Token refused: token_expired")
    assert "alice" in logged
    assert not [secret for secret in traffic.secrets if secret in logged]


def test_no_secret_is_logged_with_a_crash(
    traffic: Traffic, everything: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(self: MeView, request: Any) -> None:
        raise LookupError

    monkeypatch.setattr(MeView, "get", crash)
    answer = traffic.client().get("/api/me/", headers={"x-other": PRIVATE["header"]})
    assert answer.status_code == 500
    logged = everything()
    assert "LookupError" in logged
    assert not [secret for secret in traffic.secrets if secret in logged]


def test_no_secret_of_a_key_set_token_is_logged(
    traffic: Traffic, everything: Callable[[], str], issuer: Issuer
) -> None:
    assert traffic.client(mint=issuer.mint).get("/api/me/").status_code == 200
    assert traffic.client(mint=issuer.mint, exp=1).get("/api/me/").status_code == 401
    issuer.rotate()
    issuer.broken = True
    assert traffic.client(mint=issuer.mint).get("/api/me/").status_code in (401, 503)
    logged = everything()
    assert not [secret for secret in traffic.secrets if secret in logged]


def test_a_logged_secret_would_be_found(everything: Callable[[], str]) -> None:
    for secret in PRIVATE.values():
        logging.getLogger("any").debug("Oops: %s", secret)
    assert all(secret in everything() for secret in PRIVATE.values())
