"""The statements that are compiled once give each user what is theirs."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, time
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from api.lists.ordering import Column, Ordering
from authn.users import TokenUser
from database.compiled import insert
from todos.models import Todo
from todos.rows import first_rows, owned_row
from todos.tests.factories import make_todo

pytestmark = pytest.mark.django_db

ALICE, BOB = TokenUser("alice"), TokenUser("bob")
BY_TITLE = Ordering((Column("title_folded"),), descending=False)


def test_one_is_found_by_its_owner_alone() -> None:
    mine, his = make_todo(), make_todo(owner_id="bob")
    for user, own, others in ((ALICE, mine, his), (BOB, his, mine), (ALICE, mine, his)):
        row = owned_row(user, own.pk)
        assert row is not None
        assert (row.id, row.owner_id, row.etag) == (own.pk, user.id, own.etag)
        assert owned_row(user, others.pk) is None
    assert owned_row(ALICE, uuid.uuid4()) is None


def test_the_first_rows_are_the_users_in_the_order_and_number_asked_for() -> None:
    for title in ("b", "c", "a"):
        make_todo(title=title)
        make_todo(title=f"bobs {title}", owner_id="bob")
    assert [row.title for row in first_rows(ALICE, BY_TITLE, 2)] == ["a", "b"]
    assert [row.title for row in first_rows(BOB, BY_TITLE, 3)] == ["bobs a", "bobs b", "bobs c"]
    backwards = Ordering(BY_TITLE.columns, descending=True)
    assert [row.title for row in first_rows(ALICE, backwards, 5)] == ["c", "b", "a"]


@pytest.mark.parametrize("owner", ["' OR 1=1 --", "%s", "%(x)s", "\\", '"', "é"])
def test_an_owner_is_a_value_whatever_is_written_in_it(owner: str) -> None:
    make_todo()
    todo = make_todo(owner_id=owner)
    user = TokenUser(owner)
    assert [row.id for row in first_rows(user, BY_TITLE, 5)] == [todo.pk]
    assert owned_row(user, todo.pk) is not None


def test_each_is_one_query_with_the_owner_in_it() -> None:
    todo = make_todo()
    with CaptureQueriesContext(connection) as queries:
        owned_row(ALICE, todo.pk)
        first_rows(ALICE, BY_TITLE, 5)
    assert ["\"owner_id\" = 'alice'" in query["sql"] for query in queries] == [True, True]


def test_an_insertion_writes_what_the_framework_would() -> None:
    fields = {"owner_id": "alice", "title": "100 % 'é", "tags": ["a", '"'], "priority": 3}
    moment = datetime(2026, 2, 28, 12, 0, 0, 1, tzinfo=UTC)
    times = {"due_date": moment.date(), "due_time": time(9), "timezone": "UTC", "due_at": moment}
    done = {"completed": True, "completed_at": moment, "updated_at": moment}
    new, other = (Todo(**fields, **times, **done, version="1") for _ in range(2))
    columns = {field.attname: getattr(new, field.attname) for field in Todo._meta.concrete_fields}
    todo = insert(Todo, columns)
    other.save_base(force_insert=True)
    rows = Todo.objects.filter(pk__in=[todo.pk, other.pk]).order_by("created_at")
    row, expected = map(dict[str, Any], rows.values())
    differing = {name for name, value in row.items() if value != expected[name]}
    assert differing == {"id", "created_at"}
    assert row["id"] == todo.pk
    assert {name: getattr(todo, name) for name in columns} == columns
    assert not todo._state.adding
    with pytest.raises(IntegrityError), transaction.atomic():
        insert(Todo, columns)
