"""``loaddata`` and ``dumpdata``: a fixture cannot leave a version or a column behind."""

from __future__ import annotations

import json
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import IntegrityError

from api.models import ChangeCounter
from api.owned.tests.language import changed, stored
from lists.models import TodoList
from todos.models import Todo
from todos.tests.factories import make_todo

pytestmark = pytest.mark.django_db

THEN = datetime(2026, 2, 28, 12, tzinfo=UTC)


def load(path: Path, *rows: dict[str, Any]) -> None:
    file = path / "todos.json"
    file.write_text(json.dumps([{"model": "todos.todo", **row} for row in rows]))
    call_command("loaddata", file, verbosity=0)


def test_a_fixture_needs_no_column_that_follows(tmp_path: Path) -> None:
    due = {"due_date": "2026-02-28", "due_time": "12:00", "timezone": "UTC"}
    fields = {"owner_id": "alice", "title": "Ä", "tags": ["B"], "completed": True, **due}
    load(tmp_path, {"pk": str(uuid4()), "fields": fields})
    row = stored(Todo.objects.get())
    assert (row.title_folded, row.tags_folded, row.due_at) == ("ä", "\nb\n", THEN)
    assert row.completed_at == row.updated_at
    assert len(row.version) == 16


def test_a_fixture_changes_a_stored_row(tmp_path: Path) -> None:
    todo = make_todo(title="X", version="1")
    old = {"version": "1", "updated_at": "2026-01-01T00:00:00Z", "title_folded": "old"}
    load(tmp_path, {"pk": str(todo.pk), "fields": {"owner_id": "alice", "title": "Y", **old}})
    assert changed(todo).title == "Y"


def test_a_new_row_keeps_the_times_of_its_fixture(tmp_path: Path) -> None:
    times = {"created_at": "2026-01-01T00:00:00Z", "updated_at": THEN.isoformat()}
    load(tmp_path, {"pk": str(uuid4()), "fields": {"owner_id": "alice", "title": "x", **times}})
    assert stored(Todo.objects.get()).updated_at == THEN


@pytest.mark.parametrize("fields", [{"title": "x"}, {"owner_id": "alice"}], ids=str)
def test_a_fixture_keeps_the_constraints(tmp_path: Path, fields: dict[str, str]) -> None:
    with pytest.raises(IntegrityError):
        load(tmp_path, {"pk": str(uuid4()), "fields": fields})


def test_a_dump_is_loaded_as_it_was(tmp_path: Path) -> None:
    home = TodoList.objects.create(owner_id="alice", name="Home")
    todo = make_todo(title="Ä", tags=["B"], completed=True, completed_at=THEN, list=home)
    todo.change(due_date=THEN.date(), due_time=time(9), timezone="Asia/Tokyo")
    for rows in (Todo.objects.all(), TodoList.objects.all()):
        rows.write(created_at=THEN, updated_at=THEN)  # Django dumps no microseconds
    file = str(tmp_path / "dump.json")
    call_command("dumpdata", "todos", "lists", output=file, verbosity=0)
    before: list[Any] = [*Todo.objects.values(), *TodoList.objects.values()]
    Todo.objects.all().erase()
    TodoList.objects.all().erase()
    call_command("loaddata", file, verbosity=0)
    after: list[Any] = [*Todo.objects.values(), *TodoList.objects.values()]
    renewed = [
        (row.pop(name), old.pop(name))
        for row, old in zip(after, before, strict=True)
        for name in ("version", "change_number")
    ]
    assert after == before
    assert all(new != old for new, old in renewed)


def test_an_old_dump_sets_no_counter_back(tmp_path: Path) -> None:
    make_todo(owner_id="alice")
    file = str(tmp_path / "dump.json")
    call_command("dumpdata", "api", "todos", output=file, verbosity=0)
    make_todo(owner_id="alice")
    counter = ChangeCounter.objects.filter(owner_id="alice")
    counter.update(purged_to=2, purges=1)
    call_command("loaddata", file, verbosity=0)
    assert counter.values_list("purged_to", "purges").get() == (2, 1)
    newest = make_todo(owner_id="alice")
    assert Todo.objects.latest("change_number") == newest
