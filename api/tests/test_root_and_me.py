from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries


def test_the_root_lists_the_addresses(alice: Client) -> None:
    assert alice.get("/api/").json() == {
        "todos": "http://testserver/api/todos/",
        "me": "http://testserver/api/me/",
        "schema": "http://testserver/api/schema/",
    }


def test_me_is_the_user_of_the_token(bearer: Any, mint: Any) -> None:
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


@pytest.mark.django_db
def test_me_costs_no_query(
    alice: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(0):
        assert alice.get("/api/me/").status_code == 200
