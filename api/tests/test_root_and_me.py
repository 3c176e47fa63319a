from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.test import Client

from api.owned.registry import resources
from tests.support.documented import OPENAPI


def test_the_root_lists_every_resource_in_the_order_of_the_routes(alice: Client) -> None:
    root = alice.get("/api/").json()
    assert [*root.items()] == [
        *((each.plural, f"http://testserver{each.path}") for each in resources()),
        ("me", "http://testserver/api/me/"),
        ("schema", "http://testserver/api/schema/"),
    ]
    assert root["todos"] == "http://testserver/api/todos/"


def test_the_openapi_document_describes_every_resource() -> None:
    plurals = [each.plural for each in resources()]
    assert [*OPENAPI["components"]["schemas"]["Root"]["properties"]] == [*plurals, "me", "schema"]
    assert [each["name"] for each in OPENAPI["tags"]] == ["root", "me", *plurals]


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
