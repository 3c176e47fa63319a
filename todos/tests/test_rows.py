"""The statements that are compiled once give each user what is theirs."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from api.lists.ordering import Column, Ordering
from api.owned import counting
from authn.users import TokenUser
from database.compiled import Compiled
from todos.models import Todo
from todos.tests.factories import make_todo

pytestmark = pytest.mark.django_db

BY_TITLE = Ordering((Column("title_folded"),), descending=False)


@pytest.mark.parametrize("owner", ["' OR 1=1 --", "%s", "%(x)s", "\\", '"', "é"])
def test_an_owner_id_is_never_read_as_sql(owner: str) -> None:
    make_todo()
    todo = make_todo(owner_id=owner)
    user = TokenUser(owner)
    assert [row.id for row in Todo.first_owned(user, BY_TITLE, 5)] == [todo.pk]
    assert Todo.owned(user, todo.pk) is not None


def test_an_insertion_writes_what_django_would() -> None:
    fields = {"owner_id": "alice", "title": "100 % 'é", "tags": ["a", '"'], "priority": 3}
    moment = datetime(2026, 2, 28, 12, 0, 0, 1, tzinfo=UTC)
    times = {"due_date": moment.date(), "due_time": time(9), "timezone": "UTC", "due_at": moment}
    done = {"completed": True, "completed_at": moment, "updated_at": moment}
    todo, other = (Todo(**fields, **times, **done, version="1") for _ in range(2))
    counting.insert(todo)
    assert not todo._state.adding
    other.save_base(force_insert=True)
    rows = Todo.objects.filter(pk__in=[todo.pk, other.pk]).order_by("created_at")
    row, expected = map(dict[str, Any], rows.values())
    differing = {name for name, value in row.items() if value != expected[name]}
    assert differing == {"id", "created_at", "change_number"}
    assert row == {name: getattr(todo, name) for name in row}
    with pytest.raises(IntegrityError), transaction.atomic():
        counting.insert(todo)


@pytest.mark.parametrize("rows", [Todo.objects.none, lambda: Todo.objects.filter(pk__in=[])])
def test_a_compiled_query_that_matches_nothing_gives_no_row(rows: Any) -> None:
    make_todo()
    assert Compiled(rows().order_by("pk")[:2]).rows() == []


def test_a_compiled_query_gives_what_django_gives() -> None:
    todo = make_todo(
        tags=["é"],
        completed=True,
        due_date=date(2026, 2, 28),
        due_time=time(9),
        timezone="Europe/Berlin",
    )
    [row] = Compiled(Todo.objects.all()).rows()
    expected = Todo.objects.get(pk=todo.pk)
    names = [field.attname for field in Todo._meta.concrete_fields]
    assert [getattr(row, name) for name in names] == [getattr(expected, name) for name in names]
    assert (row, row._state.adding, row._state.db) == (expected, False, "default")
