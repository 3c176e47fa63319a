from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.test import Client


def test_the_root_lists_the_addresses(alice: Client) -> None:
    assert alice.get("/api/").json() == {
        "todos": "http://testserver/api/todos/",
        "me": "http://testserver/api/me/",
        "schema": "http://testserver/api/schema/",
    }


def test_me_is_the_user_of_the_token(bearer: Any, mint: Any) -> None:
    """Without a query: pytest-django refuses one where no test asks for the database."""
    expires_at = datetime(2100, 1, 1, tzinfo=UTC)
    token = mint(sub="alice", email="a@example.com", name="Alice", exp=int(expires_at.timestamp()))
    assert bearer(token).get("/api/me/").json() == {
        "id": "alice",
        "email": "a@example.com",
        "name": "Alice",
        "token_expires_at": "2100-01-01T00:00:00Z",
    }


def test_claims_that_the_token_lacks_are_null(bearer: Any, mint: Any) -> None:
    body = bearer(mint(sub="alice")).get("/api/me/").json()
    assert (body["email"], body["name"]) == (None, None)
