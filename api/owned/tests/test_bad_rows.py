"""One bad row cannot make a list a 500: values that only SQL from outside would write.

The database refuses most of them, and a list shows the others. SQLite keeps a text that is no
UTF-8, which no test here writes.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client

from api.lists.ordering import Column
from api.owned.fields import Readable
from api.owned.registry import owned_models
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
OF_SQLITE = ["9e999", "x'ff'", "char(0, 34)", "zeroblob(16)"]
VALUES = [*JSON, *DATES, *OTHERS, *(OF_SQLITE if connection.vendor == "sqlite" else [])]
COLUMNS = [field.column for field in Todo._meta.concrete_fields if field.column != "owner_id"]
MOMENTS = ["'infinity'", "'-infinity'", "'10000-01-01'", "'0044-03-15 BC'", "'2026-02-31'"]
UNREADABLE = {"DateField": MOMENTS, "DateTimeField": MOMENTS, "TimeField": ["'24:00'", "'25:61'"]}
if connection.vendor == "sqlite":
    TEXTS = ["''", "'soon'", "'0000-01-01'", "20260228", "1.5", "x'ff'", "CAST(x'ff' AS TEXT)"]
    DAY, CLOCK = "2026-02-28", "12:00:00"
    AFTER = ["x", ".5", ".1234567", ".12345x", "' || char(0) || '", " ", "Z"]
    UNREADABLE = {
        "BooleanField": ["2", "0.5", "'t'", "x'ff'"],
        "CharField": ["x'ff'", "zeroblob(16)"],
        "DateField": [*TEXTS, *MOMENTS, *(f"'{DAY}{each}'" for each in AFTER)],
        "DateTimeField": [
            *TEXTS,
            *MOMENTS,
            "'0000-01-01 12:00:00'",
            "'2026-02-31 12:00:00'",
            f"CAST('{DAY} {CLOCK}' AS BLOB)",
            *(f"'{DAY} {CLOCK}{each}'" for each in AFTER),
        ],
        "PositiveSmallIntegerField": ["1.5", "'x'", "x'ff'", "9e999"],
        "TextField": ["x'ff'", "zeroblob(16)"],
        "TimeField": [*TEXTS, "'24:00:00'", "'12:60:00'", *(f"'{CLOCK}{each}'" for each in AFTER)],
        "UUIDField": [
            *TEXTS,
            f"'{'A' * 32}'",
            f"'{'a' * 31}'",
            f"'{'a' * 32}' || char(0)",
            f"CAST('{'a' * 32}' AS BLOB)",
        ],
    }
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


@pytest.mark.parametrize("field", Todo._meta.concrete_fields, ids=lambda field: field.name)
def test_the_database_refuses_what_python_cannot_read(field: Any) -> None:
    kind = (getattr(field, "target_field", None) or field).get_internal_type()
    for value in UNREADABLE.get(kind, []):
        assert spoilt(field.column, value) is None, value


@pytest.mark.parametrize("model", owned_models())
def test_every_owned_model_has_the_constraint(model: Any) -> None:
    [constraint] = [each for each in model._meta.constraints if "is_readable" in each.name]
    read = {each.name for each in constraint.condition.get_source_expressions()}
    kinds = {each.name: each.get_internal_type() for each in model._meta.concrete_fields}
    assert read == {name for name, kind in kinds.items() if kind in Readable.sqlite}


@pytest.mark.parametrize("moment", [datetime.min, datetime.max, datetime(2024, 2, 29, 12)])
def test_the_database_keeps_every_moment_of_python(moment: datetime) -> None:
    day = {"due_date": moment.date(), "due_time": moment.time()}
    moment = moment.replace(tzinfo=UTC)
    make_todo(**NOON)
    Todo.objects.all().write(created_at=moment, due_at=moment, **day)
    todo = Todo.objects.get()
    assert (todo.created_at, todo.due_at) == (moment, moment)
    assert {"due_date": todo.due_date, "due_time": todo.due_time} == day


@pytest.mark.parametrize("column", COLUMNS)
def test_a_list_and_a_row_with_a_bad_value_answer(alice: Client, column: str) -> None:
    for value in VALUES:
        if todo := spoilt(column, value):
            for query in ("", "?q=t&completed=true", "?tag=x&due=overdue", "summary/"):
                assert alice.get(f"/api/todos/{query}").status_code == 200, value
            is_gone = column == "deleted_at" and value is not None
            assert len(alice.get("/api/todos/").json()["results"]) == (2 if is_gone else 3)
            expected = 404 if column == "id" or is_gone else 200
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
