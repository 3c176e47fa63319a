"""The signals of Django: a receiver hears of each row that ``save()`` would tell of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.db.models.signals import post_delete, post_save, pre_delete, pre_save
from django.test.utils import CaptureQueriesContext

from api.owned.models import StaleRow
from api.owned.tests.language import changed, stored
from lists.models import TodoList
from todos.models import Todo
from todos.tests.factories import make_todo

pytestmark = pytest.mark.django_db

NAMES = {pre_save: "pre_save", post_save: "post_save", pre_delete: "pre_delete"}
NAMES |= {post_delete: "post_delete"}


class Heard(list[tuple[str, Any, Any]]):
    """The signals of todos: name, ``created`` and ``update_fields``."""

    def __call__(self, *, signal: Any, **details: Any) -> None:
        fields = details.get("update_fields")
        created = details.get("created")
        self.append((NAMES[signal], created, fields and sorted(fields)))


@pytest.fixture
def heard() -> Iterator[Heard]:
    heard = Heard()
    for signal in NAMES:
        signal.connect(heard, sender=Todo)
    yield heard
    for signal in NAMES:
        signal.disconnect(heard, sender=Todo)


def test_a_new_row(heard: Heard) -> None:
    make_todo()
    assert heard == [("pre_save", None, None), ("post_save", True, None)]


def test_a_saved_row(heard: Heard) -> None:
    todo = make_todo()
    heard.clear()
    todo.save()
    todo.save(update_fields=["title"])
    assert heard == [
        ("pre_save", None, None),
        ("post_save", False, None),
        ("pre_save", None, ["title"]),
        ("post_save", False, ["title"]),
    ]


def test_a_changed_row(heard: Heard) -> None:
    todo = make_todo(title="X")
    heard.clear()
    todo.change(title="X", priority=0)
    assert heard == []
    todo.change(title="Y", priority=0)
    assert heard == [("pre_save", None, ["title"]), ("post_save", False, ["title"])]


def test_a_deleted_row(heard: Heard) -> None:
    for delete in (Todo.remove, Todo.delete, lambda _: Todo.objects.all().delete()):
        todo = make_todo()
        heard.clear()
        delete(todo)
        assert heard == [("pre_delete", None, None), ("post_delete", None, None)]
        assert not Todo.objects.filter(deleted_at=None).exists()


def test_a_stale_row_is_not_deleted_for_a_receiver(heard: Heard) -> None:
    todo = make_todo()
    Todo.objects.update(priority=3)
    heard.clear()
    with pytest.raises(StaleRow):
        todo.remove()
    assert heard == []
    assert Todo.objects.exists()


def test_an_owner_is_locked_before_a_receiver_hears_of_a_deletion(heard: Heard) -> None:
    todo = make_todo()
    with CaptureQueriesContext(connection) as queries:
        todo.remove()
    about = [each["sql"] for each in queries if "SAVEPOINT" not in each["sql"]]
    assert "api_changecounter" in about[0]
    assert about[1].startswith("SELECT")


def test_many_rows_at_once_send_nothing(heard: Heard) -> None:
    Todo.objects.bulk_create([Todo(owner_id="alice", title="x")])
    Todo.objects.update(priority=3)
    assert heard == []


def test_rows_that_are_changed_one_by_one_are_told(heard: Heard) -> None:
    home = TodoList.objects.create(owner_id="alice", name="Home")
    todo = make_todo(list=home)
    heard.clear()
    Todo.objects.update(title="Y")
    todo.refresh_from_db()
    Todo.objects.bulk_update([todo], ["title"])
    assert heard == [("pre_save", None, ["title"]), ("post_save", False, ["title"])] * 2


def test_columns_follow_what_a_receiver_changes() -> None:
    def shout(*, instance: Todo, **_: Any) -> None:
        instance.title = instance.title.upper() + "Ä"

    todo = make_todo(title="x")
    pre_save.connect(shout, sender=Todo)
    try:
        made = make_todo(title="x")
        before = Todo.objects.get(pk=todo.pk)
        todo.change(title="y")
    finally:
        pre_save.disconnect(shout, sender=Todo)
    assert (stored(made).title, changed(before).title_folded) == ("XÄ", "yä")
