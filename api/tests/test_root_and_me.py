from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries


def test_the_root_says_where_things_are(alice: Client) -> None:
    assert alice.get("/api/").json() == {
        "todos": "http://testserver/api/todos/",
        "me": "http://testserver/api/me/",
        "schema": "http://testserver/api/schema/",
    }


def test_me_is_who_the_token_says(bearer: Any, mint: Any) -> None:
    expires_at = datetime(2100, 1, 1, tzinfo=UTC)
    token = mint(sub="alice", email="a@example.com", name="Alice", exp=int(expires_at.timestamp()))
    assert bearer(token).get("/api/me/").json() == {
        "id": "alice",
        "email": "a@example.com",
        "name": "Alice",
        "token_expires_at": "2100-01-01T00:00:00Z",
    }


def test_what_the_token_does_not_say_is_null(bearer: Any, mint: Any) -> None:
    body = bearer(mint(sub="alice")).get("/api/me/").json()
    assert (body["email"], body["name"]) == (None, None)


@pytest.mark.django_db
def test_me_costs_no_query(
    alice: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(0):
        assert alice.get("/api/me/").status_code == 200
