"""Data migrations: the models of ``apps.get_model()`` keep versions and columns as models do."""

from __future__ import annotations

from typing import Any

import pytest
from django.db.migrations.loader import MigrationLoader

from api.owned.tests.language import changed, stored
from todos.models import Todo
from todos.tests.factories import make_todo

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def historical() -> Any:
    """The todo as the last migration has it."""
    return MigrationLoader(None).project_state().apps.get_model("todos", "Todo")


def test_a_data_migration_creates(historical: Any) -> None:
    made = historical.objects.create(owner_id="alice", title="Ä", completed=True)
    assert type(made) is not Todo
    assert stored(made).title_folded == "ä"
    rows = historical.objects.bulk_create([historical(owner_id="alice", title="B")])
    assert stored(rows[0]).title_folded == "b"
    got, _ = historical.objects.get_or_create(owner_id="alice", title="C")
    assert stored(got).title_folded == "c"


def test_a_data_migration_saves(historical: Any) -> None:
    before = make_todo(title="X")
    todo = historical.objects.only("title").get()
    todo.title = "Y"
    todo.save()
    assert changed(before).title_folded == "y"


@pytest.mark.parametrize("values", [{"title": "Y"}, {"priority": 3}, {"completed": True}], ids=str)
def test_a_data_migration_updates(historical: Any, values: dict[str, Any]) -> None:
    before = make_todo(title="X")
    historical.objects.filter(owner_id="alice").update(**values)
    row = changed(before)
    assert {name: getattr(row, name) for name in values} == values


def test_a_data_migration_updates_in_bulk(historical: Any) -> None:
    before = make_todo(title="X")
    todo = historical.objects.get()
    todo.title = "Y"
    historical.objects.bulk_update([todo], ["title"])
    assert changed(before).title_folded == "y"


def test_a_data_migration_keeps_links_right(historical: Any) -> None:
    lists = historical._meta.apps.get_model("lists", "TodoList")
    home = lists.objects.create(owner_id="alice", name="Home")
    before = Todo.objects.get(
        pk=historical.objects.create(owner_id="alice", title="x", list=home).pk
    )
    home.delete()
    assert changed(before).list_id is None
