"""``create()`` and what Django builds on it: a new row has every column that follows."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID, uuid4

import factory
import pytest
from asgiref.sync import async_to_sync
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.db.models import F, Value
from django.db.models.functions import Lower

from api.owned.fields import FoldedField
from api.owned.tests.language import changed, stored
from lists.models import TodoList
from todos.models import Todo
from todos.tests.factories import make_todo

pytestmark = pytest.mark.django_db

DONE = datetime(2026, 2, 28, 12, tzinfo=UTC)


def test_create_fills_what_follows_and_the_defaults() -> None:
    todo = Todo.objects.create(owner_id="alice", title="BUY", tags=["É"], completed=True)
    row = stored(todo)
    assert (row.title_folded, row.tags_folded, row.description_folded) == ("buy", "\né\n", "")
    assert row.updated_at == row.created_at
    assert row.completed_at == row.created_at
    assert (row.priority, row.version) == (0, todo.version)


def test_create_keeps_the_moment_of_a_completion() -> None:
    todo = Todo.objects.create(owner_id="alice", title="x", completed=True, completed_at=DONE)
    assert stored(todo).completed_at == DONE


def test_create_reads_texts_as_django_does() -> None:
    due: dict[str, Any] = {"due_date": "2026-02-28", "due_time": "12:00", "timezone": "UTC"}
    row = stored(make_todo(completed="0", **due))
    assert (row.due_date, row.due_time, row.due_at) == (date(2026, 2, 28), time(12), DONE)
    assert row.completed_at is None
    with pytest.raises(ValidationError):
        make_todo(**{**due, "due_date": "28.02.2026"})


def test_an_expression_that_columns_follow_from_is_refused() -> None:
    with pytest.raises(TypeError, match=r"title_folded follows from title, .*: set a value"):
        Todo.objects.create(owner_id="alice", title=Lower(Value("X")))


@pytest.mark.parametrize(
    "values", [{"title": None}, {"tags": {"a": 1}}, {"tags": [1]}, {"tags": None}], ids=str
)
def test_a_value_that_cannot_be_searched_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="set it to a text or to a list of texts"):
        make_todo(**values)


def test_the_copy_of_null_is_blank() -> None:
    field = FoldedField(of="color")
    field.model = TodoList
    assert field.following(TodoList(color=None), DONE) == ""
    assert field.following(TodoList(color="#AAAAAA"), DONE) == "#aaaaaa"


def test_get_or_create() -> None:
    todo, created = Todo.objects.get_or_create(owner_id="alice", title="X")
    assert created
    assert stored(todo).title_folded == "x"
    again, created = Todo.objects.get_or_create(owner_id="alice", title="X")
    assert (created, again.version) == (False, todo.version)


def test_update_or_create() -> None:
    todo, created = Todo.objects.update_or_create({"title": "X"}, owner_id="alice")
    assert created
    assert stored(todo).title_folded == "x"
    home = TodoList.objects.create(owner_id="alice", name="Home")
    values = {"title": "Y", "completed": True, "list": home}
    again, created = Todo.objects.update_or_create(values, owner_id="alice")
    row = changed(todo)
    assert not created
    assert (row.title_folded, row.list, row.version) == ("y", home, again.version)


def test_update_or_create_takes_an_expression_that_nothing_follows_from() -> None:
    todo = make_todo(priority=1)
    Todo.objects.update_or_create({"priority": F("priority") + 1}, pk=todo.pk)
    assert changed(todo).priority == 2


def test_an_id_is_taken_once() -> None:
    todo = make_todo()
    with pytest.raises(IntegrityError):
        Todo.objects.create(id=todo.pk, owner_id="alice", title="x")


@pytest.mark.parametrize("copy_id", [None, uuid4()], ids=["no id", "another id"])
def test_a_copy_is_a_new_row(copy_id: UUID | None) -> None:
    todo = make_todo(title="X")
    copy = Todo.objects.get(pk=todo.pk)
    copy.pk, copy.title, copy._state.adding = copy_id, "Y", copy_id is None
    copy.save(force_insert=True)
    assert copy.pk not in (None, todo.pk)
    assert (stored(copy).title_folded, stored(todo).title_folded) == ("y", "x")


@pytest.mark.parametrize("options", [{"update_fields": ["title"]}, {"force_update": True}], ids=str)
def test_a_new_row_cannot_be_an_update(options: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="This row is new"):
        Todo(owner_id="alice", title="x").save(**options)
    assert not Todo.objects.exists()


def test_the_async_variants() -> None:
    async def write() -> list[Todo]:
        made = await Todo.objects.acreate(owner_id="alice", title="A")
        got, _ = await Todo.objects.aget_or_create(owner_id="alice", title="B")
        updated, _ = await Todo.objects.aupdate_or_create({"title": "C"}, pk=made.pk)
        new = Todo(owner_id="alice", title="D")
        await new.asave()
        return [got, updated, new]

    assert [stored(todo).title_folded for todo in async_to_sync(write)()] == ["b", "c", "d"]


class PlainFactory(factory.django.DjangoModelFactory[Todo]):
    owner_id = "alice"
    title = factory.Sequence("Todo {}".format)

    class Meta:
        model = Todo
        django_get_or_create = ("title",)


def test_a_factory_needs_no_override() -> None:
    for todo in (PlainFactory.create(), *PlainFactory.create_batch(2, completed=True)):
        assert stored(todo).version == todo.version
    todo = PlainFactory.create(title="X")
    assert PlainFactory.create(title="X").version == todo.version
    assert PlainFactory.build().version != todo.version
