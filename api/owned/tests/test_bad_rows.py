"""One bad row cannot make a list a 500: values that only SQL from outside would write."""

from __future__ import annotations

from datetime import date
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client

from api.lists.ordering import Column
from tests.support import documented
from todos.models import Todo
from todos.tests.factories import make_todo
from todos.views import TodoViewSet

pytestmark = pytest.mark.django_db

JSON = [
    "'{\"a\": 1}'",
    "'null'",
    "'[1e400]'",
    "'[123456789012345678901234567890]'",
    "'[null, 1, {\"a\": []}, true]'",
    "'[\"\\ud800\"]'",
    f"'{'[' * 252}{']' * 252}'",
    f"'{'[' * 900}{']' * 900}'",
    f"'{'[' * 3000}{']' * 3000}'",
]
DATES = ["'0001-01-01'", "'9999-12-31'", "'10000-01-01'", "'0044-03-15 BC'", "'2026-02-31'"]
DATES += ["'infinity'", "'-infinity'", "'24:00'", "'25:61'", "'2026-02-31 25:00:00'"]
DATES += ["'0001-01-01 00:00:00+14:00'", "'9999-12-31 23:59:59.999999-12:00'"]
OTHERS = ["''", "'Atlantis/Capital'", "0", "-1.5", "1.5", "9e99", "2147483647", "'\"\t'"]
OF_SQLITE = ["9e999", "x'ff'", "CAST(x'ff' AS TEXT)", "char(0, 34)", "zeroblob(16)"]
VALUES = [*JSON, *DATES, *OTHERS, *(OF_SQLITE if connection.vendor == "sqlite" else [])]
COLUMNS = [field.column for field in Todo._meta.concrete_fields if field.column != "owner_id"]
NOON = {"due_date": date(2026, 2, 28), "due_time": "12:00", "timezone": "UTC"}


@pytest.fixture(autouse=True)
def _undocumented(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let an answer repeat a value that no client could have sent."""
    monkeypatch.setattr(documented, "check", lambda *_: None)


def spoilt(column: str, value: str) -> Todo | None:
    """Make three todos and write SQL into the second, which the database may refuse."""
    Todo.objects.all().erase()
    _, todo, _ = [make_todo(completed=True, **NOON) for _ in range(3)]
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            where = f"title = '{todo.title}'"
            cursor.execute(f"UPDATE todos_todo SET {column} = {value} WHERE {where}")
    except DatabaseError:
        return None
    return todo


@pytest.mark.parametrize("column", COLUMNS)
def test_a_list_and_a_row_with_a_bad_value_answer(alice: Client, column: str) -> None:
    for value in VALUES:
        if todo := spoilt(column, value):
            for query in ("", "?q=t&completed=true", "?tag=x&due=overdue"):
                assert alice.get(f"/api/todos/{query}").status_code == 200, value
            assert len(alice.get("/api/todos/").json()["results"]) == 3
            expected = 404 if column == "id" else 200
            assert alice.get(f"/api/todos/{todo.pk}/").status_code == expected, value


def walk(client: Client, query: dict[str, Any]) -> int:
    """Follow ``next`` from page to page, and count the rows. Stop at more than there are."""
    page = client.get("/api/todos/", query).json()
    count = len(page["results"])
    while page["next"] and count <= 3:
        url = urlsplit(page["next"])
        response = client.get(f"{url.path}?{url.query}")
        assert response.status_code == 200, url
        page = response.json()
        count += len(page["results"])
    return count


@pytest.mark.parametrize("name", TodoViewSet.orderings)
def test_pages_of_every_ordering_come_to_an_end(alice: Client, name: str) -> None:
    columns: tuple[Column, ...] = TodoViewSet.orderings[name]
    for value in VALUES:
        for column in (*columns, Column("id")):
            if spoilt(column.name, value):
                for ordering in (name, f"-{name}"):
                    assert walk(alice, {"ordering": ordering, "limit": 1}) <= 3, value
