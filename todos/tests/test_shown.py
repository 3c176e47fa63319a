"""A todo is shown without its serializer fields, and as they would show it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from api.bodies.renderers import JSONRenderer
from api.lists.ordering import Column, Ordering
from authn.users import TokenUser
from todos.due import due_at
from todos.models import Priority, Todo
from todos.serializers import TodoSerializer
from todos.tests.factories import make_todo
from todos.tests.hostile import lines, zones

# PostgreSQL has no NUL in a text, and neither has half of a surrogate pair.
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
moments = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))
clocks = st.times().map(lambda time: time.replace(second=0, microsecond=0))
dates = st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1)).map(datetime.date)
dues = st.tuples(st.none() | dates, st.none(), st.none() | zones) | st.tuples(dates, clocks, zones)


@st.composite
def todos(draw: st.DrawFn) -> Todo:
    due_date, due_time, timezone = draw(dues)
    todo = Todo(
        id=draw(st.uuids(version=4)),
        owner_id="alice",
        title=draw(texts.filter(lambda text: 0 < len(text) <= 500)),
        description=draw(texts),
        completed_at=draw(st.none() | moments),
        priority=draw(st.sampled_from(Priority)),
        due_date=due_date,
        due_time=due_time,
        timezone=timezone,
        due_at=due_at(due_date, due_time, timezone),
        tags=draw(st.lists(lines, max_size=3)),
        created_at=draw(moments),
        updated_at=draw(moments),
    )
    todo.completed = todo.completed_at is not None
    todo.title_folded = todo.description_folded = todo.tags_folded = ""
    return todo


def rendered(shown: dict[str, Any]) -> bytes:
    """The JSON that the client gets, in the order of the fields."""
    answer: bytes = JSONRenderer().render(shown)
    return answer


class TestStored(TestCase):
    @given(todo=todos())
    def test_a_todo_is_shown_as_drf_shows_its_fields(self, todo: Todo) -> None:
        Todo.objects.bulk_create([todo])
        alice = TokenUser("alice")
        newest_first = Ordering((Column("created_at"),), descending=True)
        expected = rendered(TodoSerializer(Todo.objects.get(pk=todo.pk)).data)
        for row in (*Todo.first_owned(alice, newest_first, 2), Todo.owned(alice, todo.pk), todo):
            assert row is not None
            assert rendered(TodoSerializer.shown(row)) == expected


@pytest.mark.django_db
def test_list_and_detail_show_a_todo_alike(alice: Client) -> None:
    todo = make_todo(title="é", tags=["a"], completed=True, priority=Priority.HIGH)
    [listed] = alice.get("/api/todos/").json()["results"]
    assert listed == alice.get(f"/api/todos/{todo.pk}/").json()
