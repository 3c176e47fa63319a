"""Words for many rows: ``update()``, ``bulk_create()``, ``bulk_update()`` and ``delete()``."""

from __future__ import annotations

import sys
import uuid
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db import connection
from django.db.models import F, Value
from django.db.models.functions import Concat
from django.template import Context, Template
from django.test.utils import isolate_apps
from pytest_django import DjangoAssertNumQueries
from rest_framework.exceptions import ValidationError as LinkError

from api.owned.fields import OwnedForeignKey
from api.owned.models import OwnedModel, StaleRow
from api.owned.tests.language import changed, stored, unchanged
from lists.models import TodoList
from todos.models import Todo
from todos.tests.factories import make_todo

pytestmark = pytest.mark.django_db

NOON = {"due_date": date(2026, 2, 28), "due_time": time(12), "timezone": "UTC"}


def make_list(owner_id: str = "alice") -> TodoList:
    made: TodoList = TodoList.objects.create(owner_id=owner_id, name="Home")
    return made


def calls_of(update: Callable[..., Any]) -> int:
    """Count the calls of functions in Python that ``update(priority=1)`` makes."""
    events: Counter[str] = Counter()
    sys.setprofile(lambda frame, event, argument: events.update([event]))
    try:
        update(priority=1)
    finally:
        sys.setprofile(None)
    return events["call"]


@pytest.mark.parametrize("value", [2, F("priority") + 2], ids=["value", "expression"])
def test_an_update_that_nothing_follows_writes_all_rows_at_once(
    value: Any, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    todos = [make_todo(), make_todo()]
    # The transaction, the owners, a lock, the ids, the numbers, and the rows.
    with django_assert_num_queries(7):
        assert Todo.objects.update(priority=value) == 2
    assert len({todo.change_number for todo in Todo.objects.all()}) == 2
    for todo in todos:
        assert changed(todo).priority == 2


@pytest.mark.parametrize(
    ("values", "follower", "expected"),
    [
        ({"title": "Ä", "priority": F("priority") + 1}, "title_folded", "ä"),
        ({"tags": ["Ä"]}, "tags_folded", "\nä\n"),
        (NOON, "due_at", datetime(2026, 2, 28, 12, tzinfo=UTC)),
    ],
    ids=["title", "tags", "due"],
)
def test_columns_follow_an_update(values: dict[str, Any], follower: str, expected: Any) -> None:
    todos = [make_todo(), make_todo()]
    assert Todo.objects.update(**values) == 2
    for todo in todos:
        assert getattr(changed(todo), follower) == expected


def test_an_update_reads_rows_again_that_were_read_before() -> None:
    todo = make_todo()
    todos = Todo.objects.all()
    assert len(todos) == 1
    todo.change(description="changed meanwhile")
    assert todos.update(title="updated") == 1
    after = stored(todo)
    assert (after.title, after.description) == ("updated", "changed meanwhile")


def test_a_part_of_a_due_time_is_updated() -> None:
    todo = make_todo(**NOON)
    Todo.objects.update(timezone="Asia/Tokyo")
    assert changed(todo).due_at == datetime(2026, 2, 28, 3, tzinfo=UTC)


def test_completed_is_updated_with_its_moment() -> None:
    todo, done = make_todo(), make_todo(completed=True)
    Todo.objects.update(completed=True)
    assert changed(todo).completed_at is not None
    assert unchanged(done).completed_at == done.completed_at
    Todo.objects.filter(pk=todo.pk).update(completed=False)
    assert changed(todo).completed_at is None


def test_an_expression_that_columns_follow_from_is_refused() -> None:
    todo = make_todo()
    with pytest.raises(TypeError, match=r"title_folded follows from title, .*: set a value"):
        Todo.objects.update(title=Concat("title", Value("!")))
    unchanged(todo)


def test_a_link_is_updated_by_its_name_and_by_its_column() -> None:
    todo, home = make_todo(), make_list()
    steps: list[tuple[dict[str, Any], Any]] = [
        ({"list": home}, home.pk),
        ({"list": None}, None),
        ({"list_id": home.pk}, home.pk),
        ({"list": home.pk}, home.pk),
        ({"list_id": None}, None),
    ]
    for values, expected in steps:
        before = Todo.objects.get()
        Todo.objects.update(**values)
        row = Todo.objects.get()
        assert row.list_id == expected
        assert (row.version == before.version) is (row.list_id == before.list_id)
    changed(todo)


@pytest.mark.parametrize("is_foreign", [True, False], ids=["foreign", "missing"])
def test_many_rows_cannot_link_to_what_their_owner_has_not(*, is_foreign: bool) -> None:
    todo = make_todo()
    target = make_list("bob").pk if is_foreign else uuid.uuid4()
    with pytest.raises(LinkError):
        Todo.objects.update(list_id=target)
    with pytest.raises(LinkError):
        Todo.objects.bulk_create([Todo(owner_id="alice", title="x", list_id=target)])
    todo.list_id = target
    with pytest.raises(LinkError):
        Todo.objects.bulk_update([todo], ["list"])
    unchanged(Todo.objects.get())


def test_the_manager_of_a_relation_renews_versions() -> None:
    todo, home = make_todo(), make_list()
    Todo._base_manager.filter(pk=todo.pk).update(list=home)  # as home.todos.add(todo) does
    assert changed(todo).list == home


def test_an_update_cannot_keep_a_version() -> None:
    todo = make_todo()
    Todo.objects.update(version=todo.version)
    changed(todo)


def test_times_can_be_moved() -> None:
    todo = make_todo()
    yesterday = todo.created_at - timedelta(days=1)
    Todo.objects.update(created_at=F("created_at") - timedelta(days=1), updated_at=yesterday)
    row = stored(todo)
    assert row.version != todo.version
    assert (row.created_at, row.updated_at) == (yesterday, yesterday)


def test_bulk_create_fills_what_follows() -> None:
    home = make_list()
    todos = [Todo(owner_id="alice", title=f"T{n}", tags=["Ä"], list=home) for n in range(3)]
    todos[0].completed = True
    assert Todo.objects.bulk_create(todos, 2) == todos
    for todo in todos:
        assert stored(todo).version == todo.version


def test_bulk_create_can_ignore_conflicts() -> None:
    todo = make_todo(title="X")
    new = Todo(owner_id="alice", title="Y")
    taken = Todo(id=todo.pk, owner_id="alice", title="Z")
    Todo.objects.bulk_create([taken, new], ignore_conflicts=True)
    assert (unchanged(todo).title, stored(new).title_folded) == ("X", "y")


def test_bulk_create_updates_nothing() -> None:
    todo = make_todo(title="X")
    options: dict[str, Any] = {
        "update_conflicts": True,
        "update_fields": ["title"],
        "unique_fields": ["id"],
    }
    with pytest.raises(TypeError, match=r"use update_or_create\(\)"):
        Todo.objects.bulk_create([Todo(id=todo.pk, owner_id="alice", title="Y")], **options)
    assert unchanged(todo).title == "X"


def test_bulk_update_is_a_change_of_each_row() -> None:
    before = [make_todo(title="X"), make_todo(title="Y")]
    todos = [*Todo.objects.all()]
    for todo in todos:
        todo.title, todo.completed, todo.description = "Z", True, "not written"
    assert Todo.objects.bulk_update(todos, ["title", "completed"], batch_size=1) == 2
    for todo in before:
        row = changed(todo)
        assert (row.title_folded, row.completed, row.description) == ("z", True, "")


def test_bulk_update_is_all_or_nothing() -> None:
    first, second = make_todo(title="X"), make_todo(title="X")
    Todo.objects.filter(pk=second.pk).update(priority=3)
    first.title = second.title = "Y"
    with pytest.raises(StaleRow):
        Todo.objects.bulk_update([first, second], ["title"])
    assert [todo.title for todo in Todo.objects.all()] == ["X", "X"]


def test_deleting_rows() -> None:
    one, _ = make_todo(), make_todo(completed=True)
    assert Todo.objects.filter(completed=True).delete() == (1, {"todos.Todo": 1})
    assert one.delete() == (1, {"todos.Todo": 1})
    assert not Todo.objects.filter(deleted_at=None).exists()


@pytest.mark.parametrize("is_queryset", [True, False], ids=["queryset", "instance"])
def test_what_points_at_a_deleted_row_gets_a_new_version(*, is_queryset: bool) -> None:
    home = make_list()
    inside, outside = make_todo(list=home), make_todo()
    rows = TodoList.objects.all()
    assert (rows if is_queryset else home).delete() == (1, {"lists.TodoList": 1})
    assert changed(inside).list_id is None
    unchanged(outside)
    assert rows.get().deleted_at


def test_a_template_neither_changes_nor_deletes() -> None:
    todo = make_todo()
    words = "{{ row.save }}{{ row.delete }}{{ row.remove }}{{ rows.erase }}{{ rows.delete }}"
    rendered = Template(words).render(Context({"row": todo, "rows": Todo.objects.all()}))
    assert rendered == ""
    unchanged(todo)


@pytest.mark.parametrize("name", ["write", "erase", "delete"])
def test_a_manager_has_no_word_that_spares_no_row(name: str) -> None:
    assert not hasattr(Todo.objects, name)


def test_the_async_variants() -> None:
    async def write(todo: Todo) -> Todo:
        await Todo.objects.aupdate(title="Y")
        [made] = await Todo.objects.abulk_create([Todo(owner_id="bob", title="Z")])
        made.title = "A"
        await Todo.objects.abulk_update([made], ["title"])
        return made

    todo = make_todo(title="X")
    made = async_to_sync(write)(todo)
    assert (changed(todo).title_folded, stored(made).title_folded) == ("y", "a")

    async def delete() -> None:
        await made.adelete()
        await Todo.objects.filter(owner_id="alice").adelete()

    async_to_sync(delete)()
    assert not Todo.objects.filter(deleted_at=None).exists()


def test_a_stale_target_that_is_not_deleted_keeps_its_links() -> None:
    home = TodoList.objects.create(owner_id="alice", name="Home")
    todo = make_todo(list=home)
    TodoList.objects.get().change(name="Changed meanwhile")
    with pytest.raises(StaleRow):
        home.remove()
    assert Todo.objects.get().etag == todo.etag
    assert Todo.objects.get().list_id == home.pk


def test_more_links_than_a_statement_writes_are_emptied(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.owned.querysets.MOST_AT_ONCE", 2)
    home = TodoList.objects.create(owner_id="alice", name="Home")
    etags = {make_todo(list=home).etag for _ in range(5)}
    home.remove()
    left = Todo.objects.all()
    assert {todo.list_id for todo in left} == {None}
    assert len(left) == 5
    assert etags.isdisjoint(todo.etag for todo in left)


def test_an_update_calls_few_functions_for_each_row() -> None:
    """An update locks its owner, and on SQLite everybody, until the last row is written."""
    Todo.objects.bulk_create([Todo(owner_id="alice", title="X") for _ in range(200)])
    ids = [*Todo.objects.values_list("pk", flat=True)]
    rows_of = Todo.objects.filter
    few, many = (calls_of(rows_of(pk__in=some).update) for some in (ids[:100], ids))
    assert many - few < 100 * 100


def test_a_row_keeps_its_owner() -> None:
    make_todo()
    with pytest.raises(TypeError, match="keeps its owner"):
        Todo.objects.update(owner_id="bob")


@pytest.mark.django_db(transaction=True)
@isolate_apps("api")
def test_a_row_that_links_to_itself_can_be_deleted() -> None:
    class Folder(OwnedModel):
        parent = OwnedForeignKey("self")

        class Meta(OwnedModel.Meta):
            app_label = "api"

    with connection.schema_editor() as editor:
        editor.create_model(Folder)
    try:
        folder = Folder.objects.create(owner_id="alice")
        child = Folder.objects.create(owner_id="alice", parent=folder)
        folder.change(parent=folder)
        folder.remove()
        left = Folder.objects.get(deleted_at=None)
        assert (left.pk, left.parent_id) == (child.pk, None)
        assert left.version != child.version
    finally:
        with connection.schema_editor() as editor:
            editor.delete_model(Folder)
