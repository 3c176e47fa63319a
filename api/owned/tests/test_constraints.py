"""A value that no client may write breaks a constraint of the database, and of ``full_clean``."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from lists.models import TodoList
from todos.models import Todo
from todos.tests.factories import make_todo

pytestmark = pytest.mark.django_db

MOMENT = datetime(2026, 2, 28, tzinfo=UTC)
REFUSED: list[dict[str, Any]] = [
    {"priority": 4},
    {"priority": -1},
    {"owner_id": ""},
    {"title": ""},
    {"completed": True},
    {"completed_at": MOMENT},
    {"due_at": MOMENT},
    {"tags": "urgent"},
    {"tags": {"urgent": True}},
    {"tags": None},
]


@pytest.mark.parametrize("values", REFUSED, ids=str)
def test_no_row_holds_a_value_that_no_client_may_write(values: dict[str, Any]) -> None:
    todo = make_todo()
    with pytest.raises(IntegrityError), transaction.atomic():
        Todo.objects.all().write(**values)
    assert Todo.objects.get().version == todo.version


def test_a_list_has_an_owner_and_a_name() -> None:
    TodoList.objects.create(owner_id="alice", name="Home")
    for values in ({"owner_id": ""}, {"name": ""}):
        with pytest.raises(IntegrityError), transaction.atomic():
            TodoList.objects.all().write(**values)


def test_a_valid_todo_is_clean() -> None:
    todo = Todo(owner_id="alice", title="Ä", completed=True)
    todo.full_clean()
    assert (todo.title_folded, todo.completed_at) == ("ä", todo.created_at)
    todo.save()
    todo.full_clean()


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ({"title": ""}, ["title"]),
        ({"title": None}, ["title"]),
        ({"title": "x" * 501, "priority": 7}, ["priority", "title"]),
        ({"owner_id": ""}, ["__all__"]),
        ({"due_date": "soon"}, ["due_date"]),
        ({"tags": "urgent"}, ["__all__"]),
        ({"due_time": "12:00"}, ["__all__"]),
    ],
    ids=str,
)
def test_full_clean_names_what_is_wrong(values: dict[str, Any], names: list[str]) -> None:
    todo = Todo(**{"owner_id": "alice", "title": "x", **values})
    with pytest.raises(ValidationError) as caught:
        todo.full_clean()
    assert sorted(caught.value.message_dict) == names
