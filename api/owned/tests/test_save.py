"""``save()`` of a stored row is a change: a new version, and columns that follow."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db.models import F, Value
from pytest_django import DjangoAssertNumQueries
from rest_framework.exceptions import ValidationError as LinkError

from api.owned.models import StaleRow
from api.owned.tests.language import changed, stored, unchanged
from lists.models import TodoList
from tests.support.statements import A_CHANGE
from todos.models import Todo
from todos.tests.factories import make_todo

pytestmark = pytest.mark.django_db

NOON = {"due_date": "2026-02-28", "due_time": "12:00", "timezone": "UTC"}


def test_saving_twice_writes_twice() -> None:
    todo = make_todo(title="X")
    for title in ("Y", "Z"):
        before = Todo.objects.get(pk=todo.pk)
        todo.title = title
        todo.save()
        row = changed(before)
        assert (row.title_folded, row.version, row.updated_at) == (
            title.lower(),
            todo.version,
            todo.updated_at,
        )


def test_a_save_writes_every_kind_of_column() -> None:
    todo = make_todo()
    values = {"title": "X", "tags": ["A"], "completed": True, "priority": 2}
    for name, value in {**values, **NOON}.items():
        setattr(todo, name, value)
    todo.list = TodoList.objects.create(owner_id="alice", name="Home")
    todo.save()
    row = Todo.objects.get(pk=todo.pk)
    assert {name: getattr(row, name) for name in values} == values
    assert (row.list, row.due_at) == (todo.list, datetime(2026, 2, 28, 12, tzinfo=UTC))
    assert stored(todo).completed_at == todo.completed_at


def test_update_fields_write_those_and_what_follows() -> None:
    todo = make_todo(title="X", description="X")
    before = Todo.objects.get(pk=todo.pk)
    todo.title = todo.description = "Y"
    todo.save(update_fields=["title"])
    row = changed(before)
    assert (row.title, row.title_folded, row.description) == ("Y", "y", "X")


def test_no_update_fields_write_nothing(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    todo = make_todo()
    with django_assert_num_queries(0):
        todo.save(update_fields=[])
    unchanged(todo)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("title_folded", "wrong"),
        ("due_at", datetime(2026, 1, 1, tzinfo=UTC)),
        ("completed_at", datetime(2026, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_column_that_follows_is_not_set(name: str, value: Any) -> None:
    todo = make_todo(title="X")
    for write in ("save", "change", "update"):
        before = Todo.objects.get(pk=todo.pk)
        if write == "save":
            setattr(todo, name, value)
            todo.save(update_fields=[name])
        elif write == "change":
            todo.change(**{name: value})
        else:
            Todo.objects.filter(pk=todo.pk).update(**{name: value})
        assert getattr(changed(before), name) == getattr(before, name)
        todo.refresh_from_db()


def test_the_moment_of_a_completion_can_be_corrected() -> None:
    before, moment = make_todo(completed=True), datetime(2026, 1, 1, tzinfo=UTC)
    todo = Todo.objects.get()
    todo.completed_at = moment
    todo.save()
    assert changed(before).completed_at == moment


def test_deferred_fields_stay_as_they_are(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    before = make_todo(title="X", description="X", **NOON)
    todo = Todo.objects.defer("description", "due_date", "timezone").get()
    Todo.objects.all().write(description="Y", description_folded="y")
    todo.title = "Z"
    with django_assert_num_queries(2 + A_CHANGE):  # two that due_at follows from, and the update
        todo.save()
    row = changed(before)
    assert (row.title, row.description, row.due_at) == ("Z", "Y", before.due_at)


def test_a_row_without_its_version_can_be_saved() -> None:
    before = make_todo(**NOON)
    todo = Todo.objects.only("due_time").get()
    todo.due_time = time(13)
    todo.save()
    assert changed(before).due_at == datetime(2026, 2, 28, 13, tzinfo=UTC)


WRITES: dict[str, Callable[[Todo], Any]] = {
    "save": Todo.save,
    "update_fields": lambda todo: todo.save(update_fields=["title"]),
    "change": lambda todo: todo.change(title="Z"),
    "delete": Todo.delete,
    "bulk_update": lambda todo: Todo.objects.bulk_update([todo], ["title"]),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=[*WRITES])
def test_a_stale_row_is_refused(write: Callable[[Todo], Any]) -> None:
    todo = make_todo(title="X")
    Todo.objects.update(priority=3)
    current = Todo.objects.get()
    todo.title = "Y"
    with pytest.raises(StaleRow, match="load it again"):
        write(todo)
    assert unchanged(current).title == "X"
    todo.refresh_from_db()
    todo.change(title="Z")
    assert changed(current).title == "Z"


def test_another_owner_cannot_be_saved() -> None:
    todo = make_todo()
    todo.owner_id = "bob"
    with pytest.raises(StaleRow):
        todo.save()
    assert stored(todo).owner_id == "alice"


def test_an_expression_is_written_where_nothing_follows() -> None:
    before = make_todo(priority=1)
    todo = Todo.objects.get()
    todo.priority = F("priority") + 1
    todo.save(update_fields=["priority"])
    assert changed(before).priority == 2
    todo.title = Value("X")
    with pytest.raises(TypeError, match="title_folded follows from title"):
        todo.save(update_fields=["title"])


def test_a_link_to_a_foreign_row_is_refused() -> None:
    todo, foreign = make_todo(), TodoList.objects.create(owner_id="bob", name="Home")
    todo.list = foreign
    with pytest.raises(LinkError):
        todo.save()
    unchanged(Todo.objects.get())
    with pytest.raises(LinkError):
        Todo.objects.create(owner_id="alice", title="x", list=foreign)


def test_the_async_variants() -> None:
    todo = make_todo(title="X")
    before = Todo.objects.get()

    async def write() -> None:
        todo.title = "Y"
        await todo.asave(update_fields=["title"])

    async_to_sync(write)()
    assert changed(before).title_folded == "y"


def test_save_refuses_unknown_options_and_other_databases() -> None:
    todo = make_todo()
    with pytest.raises(TypeError, match="update_field"):
        todo.save(update_field=["title"])  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="not in other"):
        todo.save(using="other")
