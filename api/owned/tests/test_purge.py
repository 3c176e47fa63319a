from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from api.management.commands import purge as command
from api.models import ChangeCounter, IdempotencyKey
from api.owned import purging
from lists.models import TodoList
from todos.models import Todo
from todos.tests.factories import make_todo

NOW = datetime(2027, 1, 15, 8, tzinfo=UTC)
INSTANT = timedelta(microseconds=1)
MONTH = timedelta(days=30)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("django.utils.timezone.now", "api.owned.querysets.now", "api.owned.models.now"):
        monkeypatch.setattr(name, lambda: NOW)


def make_key(
    key: str, *, age: timedelta, status: int | None = 201, owner_id: str = "alice"
) -> None:
    IdempotencyKey.objects.create(
        owner_id=owner_id,
        path="/api/todos/",
        key=key,
        body_digest="0" * 64,
        claimed_at=NOW - age,
        status=status,
    )


def make_deleted(*, age: timedelta, changed: timedelta | None = None, **fields: Any) -> Todo:
    """Store a todo that was deleted some time ago, and perhaps changed since then."""
    moments = {"deleted_at": NOW - age, "updated_at": NOW - (age if changed is None else changed)}
    todo = make_todo(**fields)
    Todo.objects.filter(pk=todo.pk).write(**moments)
    return todo


def purge(name: str = "purge") -> list[str]:
    out = io.StringIO()
    call_command(name, stdout=out)
    return out.getvalue().splitlines()


def counter(owner_id: str = "alice") -> tuple[int, int]:
    found = ChangeCounter.objects.get(owner_id=owner_id)
    return found.purged_to, found.purges


def test_what_no_longer_counts_is_deleted() -> None:
    make_key("kept", age=timedelta(hours=24) - INSTANT)
    make_key("old", age=timedelta(hours=24))
    make_key("in flight", age=timedelta(seconds=60) - INSTANT, status=None)
    make_key("abandoned", age=timedelta(seconds=60), status=None)
    make_key("old", age=timedelta(days=100), owner_id="bob")
    assert purge()[0] == "Deleted 3 idempotency keys."
    assert {row.key for row in IdempotencyKey.objects.all()} == {"kept", "in flight"}
    assert purge()[0] == "Deleted 0 idempotency keys."


def test_few_keys_are_deleted_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "BATCH_SIZE", 2)
    for number in range(5):
        make_key(str(number), age=timedelta(days=2, seconds=number))
    with CaptureQueriesContext(connection) as queries:
        assert purge()[0] == "Deleted 5 idempotency keys."
    assert sum(query["sql"].startswith("DELETE") for query in queries) == 3


def test_rows_are_deleted_once_no_one_can_restore_them() -> None:
    kept = [make_todo(), make_deleted(age=MONTH - INSTANT)]
    make_deleted(age=MONTH)
    make_deleted(age=timedelta(days=400), owner_id="bob", title="", erased_at=NOW)
    home = TodoList.objects.create(owner_id="alice", name="Home")
    TodoList.objects.filter(pk=home.pk).write(deleted_at=NOW - MONTH, updated_at=NOW - MONTH)
    assert {"Deleted 0 idempotency keys.", "Deleted 1 lists.", "Deleted 2 todos."} <= {*purge()}
    assert {row.pk for row in Todo.objects.all()} == {row.pk for row in kept}
    assert not TodoList.objects.exists()


def test_a_shorter_time_purges_earlier(settings: Settings) -> None:
    settings.TRASH_DAYS = 1
    make_deleted(age=timedelta(days=1))
    assert purge()[-1] == "Deleted 1 todos."


def test_a_change_in_the_trash_keeps_a_row_for_the_replicas() -> None:
    todo = make_deleted(age=MONTH, changed=MONTH - INSTANT)
    assert purge()[-1] == "Deleted 0 todos."
    assert Todo.objects.get().pk == todo.pk
    assert counter() == (0, 0)


def test_the_counter_tells_replicas_the_highest_number_and_each_deletion() -> None:
    numbers = [make_deleted(age=MONTH + age * INSTANT).change_number or 0 for age in (1, 3, 2)]
    home = TodoList.objects.create(owner_id="alice", name="Home")
    TodoList.objects.filter(pk=home.pk).write(deleted_at=NOW - MONTH, updated_at=NOW - MONTH)
    make_todo(owner_id="bob")
    purge()
    assert counter() == (home.change_number, 2)
    assert home.change_number > max(numbers)
    assert counter("bob") == (0, 0)
    purge()
    assert counter() == (home.change_number, 2)


def test_the_counter_never_goes_back() -> None:
    make_deleted(age=MONTH)
    ChangeCounter.objects.update(purged_to=100, purges=7)
    purge()
    assert counter() == (100, 8)


def test_a_row_without_a_number_is_purged() -> None:
    todo = make_deleted(age=MONTH)
    Todo.objects.filter(pk=todo.pk).write(change_number=None)
    assert purge()[-1] == "Deleted 1 todos."
    assert counter() == (0, 1)


@pytest.mark.parametrize(("count", "deletions"), [(4, 2), (5, 3)])
def test_few_rows_of_an_owner_are_deleted_at_a_time(
    monkeypatch: pytest.MonkeyPatch, count: int, deletions: int
) -> None:
    monkeypatch.setattr(purging, "MOST_AT_ONCE", 2)
    highest = max(make_deleted(age=MONTH).change_number or 0 for _ in range(count))
    with CaptureQueriesContext(connection) as queries:
        assert purge()[-1] == f"Deleted {count} todos."
    sent = [query["sql"] for query in queries]
    assert sum(sql.startswith('DELETE FROM "todos_todo"') for sql in sent) == deletions
    assert sum("ON CONFLICT" in sql for sql in sent) == 3  # each locks the owner
    assert counter() == (highest, 3)


def test_the_name_until_0_3_does_the_same_and_says_the_new_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    make_deleted(age=MONTH)
    assert purge("purge_idempotency_keys")[-1] == "Deleted 1 todos."
    assert "purge" in capsys.readouterr().err
