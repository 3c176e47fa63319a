"""A search that takes too long is ended, and says so."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from api.lists.time_limits import time_limit
from todos.tests.factories import make_todo
from todos.tests.finding import found
from todos.tests.walking import shown, walk

committed = pytest.mark.django_db(transaction=True)


@pytest.fixture
def _slow(settings: Settings) -> None:
    """The text that is searched takes longer than the shortest limit that PostgreSQL has."""
    settings.SEARCH_SECONDS = 0.001
    for _ in range(300):
        make_todo(description="a" * 10_000)


def search(client: Client) -> Any:
    return client.get("/api/todos/", {"q": "a" * 98 + "b"})


@committed
@pytest.mark.usefixtures("_slow")
def test_a_search_that_takes_too_long_is_503_and_the_next_request_is_answered(
    alice: Client,
) -> None:
    response = search(alice)
    assert (response.status_code, response.json()["code"]) == (503, "search_too_broad")
    assert response["Retry-After"] == "5"
    assert "add a filter" in response.json()["detail"]
    assert alice.get("/api/todos/?limit=1").status_code == 200
    assert make_todo().pk


@committed
@pytest.mark.usefixtures("_slow")
def test_the_time_limit_ends_with_its_search(alice: Client) -> None:
    search(alice)
    alice.get("/api/todos/?q=a&limit=1")
    if connection.vendor == "postgresql":
        sql, expected = "SHOW statement_timeout", "10s"
    else:
        # Two million steps, of which the handler would have let a thousand pass.
        sql = (
            "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 100000)"
            " SELECT CAST(MAX(n) AS TEXT) FROM t"
        )
        expected = "100000"
    with connection.cursor() as cursor:
        cursor.execute(sql)
        assert cursor.fetchone() == (expected,)


@pytest.mark.django_db
def test_a_search_within_its_limit_costs_one_query_a_page(
    alice: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(3):
        make_todo(title=f"milk {number}")
    with django_assert_num_queries(3):
        pages = walk(alice, "/api/todos/?q=milk&limit=1&ordering=created_at")
    assert [shown(page) for page in pages] == [["milk 0"], ["milk 1"], ["milk 2"]]
    assert found(alice, q="%;") == set()


@pytest.mark.django_db
def test_another_database_error_within_a_time_limit_is_kept() -> None:
    with pytest.raises(OperationalError, match="disk I/O error"), time_limit(1):
        raise OperationalError("disk I/O error")
