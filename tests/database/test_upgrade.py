"""A database of version 0.1 becomes one of this version by migrations alone."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection
from django.test import Client

from api.models import ChangeCounter
from tests.support.pages import texts
from tests.support.version_0_1 import ALICE, ANSWERS, BY_HAND, ROWS, TODOS, insert, stored, todo
from todos.models import Todo

is_postgresql = connection.vendor == "postgresql"
(PARTITION,) = texts("docs/scaling.md", "sql", "Partitions by owner")


@pytest.fixture(autouse=True, params=["whole", "partitioned"] if is_postgresql else ["whole"])
def _old_database(request: pytest.FixtureRequest, _empty_database: None) -> None:
    migrate("todos", "0001")
    migrate("api", "0001")
    write(**ROWS)
    if request.param == "partitioned":
        execute(PARTITION)


def migrate(*target: str) -> None:
    call_command("migrate", *target, verbosity=0)


def execute(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def write(**rows: list[dict[str, Any]]) -> None:
    with connection.cursor() as cursor:
        insert(cursor, **rows)


def read(table: str) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        return stored(cursor, table)


def by_hand(todos: list[dict[str, Any]]) -> dict[str, Any]:
    (found,) = (each for each in todos if each["title"] == BY_HAND)
    return found


def served(client: Client, **query: str) -> dict[str, Any]:
    """Return the todos of the client's user by title."""
    page = client.get("/api/todos/", {"limit": "200", **query}).json()
    assert page["next"] is None
    return {each["title"]: each for each in page["results"]}


def test_no_row_is_lost_and_no_other_is_changed() -> None:
    todos, answers = read(TODOS), read(ANSWERS)
    migrate()
    assert len(todos) == len(ROWS[TODOS])
    after = read(TODOS)
    todos.remove(by_hand(todos))
    after.remove(by_hand(after))
    assert after == todos
    assert read(ANSWERS) == answers


def test_every_row_gets_a_number_of_its_owner() -> None:
    migrate()
    numbers: dict[str, list[int | None]] = {}
    for row in Todo.objects.order_by("created_at", "id"):
        numbers.setdefault(row.owner_id, []).append(row.change_number)
    assert numbers == {owner: [*range(1, 1 + len(each))] for owner, each in numbers.items()}
    counters = dict(ChangeCounter.objects.values_list("owner_id", "value"))
    assert counters == {owner: len(each) for owner, each in numbers.items()}


def test_a_priority_written_by_hand_ends_with_a_new_etag() -> None:
    before = by_hand(read(TODOS))
    migrate()
    after = by_hand(read(TODOS))
    assert (before["priority"], after["priority"]) == (7, 0)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"priority", "version", "updated_at"}


def test_the_api_serves_every_todo_under_its_old_etag(alice: Client) -> None:
    migrate()
    etags = {title: each["etag"] for title, each in served(alice).items()}
    written = {
        each["title"]: f'"{each["version"]}"' for each in ROWS[TODOS] if each["owner_id"] == ALICE
    }
    assert etags.pop(BY_HAND) != written.pop(BY_HAND)
    assert etags == written


def test_filters_find_todos_of_the_old_version(alice: Client) -> None:
    migrate()
    assert [*served(alice, tag="CAF\u00c9")] == ["Todo 10"]
    assert [*served(alice, q="\u00e9T\u00c9")] == [ROWS[TODOS][0]["title"]]
    assert [*served(alice, completed="true")] == ["Todo 2"]


def test_the_api_changes_and_deletes_a_todo_of_the_old_version(alice: Client) -> None:
    migrate()
    old = served(alice)["Todo 2"]
    path = f"/api/todos/{old['id']}/"
    reopened = alice.patch(path, {"completed": False}, content_type="application/json")
    assert (reopened.status_code, reopened.json()["completed_at"]) == (200, None)
    assert alice.delete(path).status_code == 204


def test_the_old_version_still_writes_to_the_new_database(alice: Client) -> None:
    migrate()
    write(**{TODOS: [todo(20, title="From the old version")]})
    assert "From the old version" in served(alice)


@pytest.mark.parametrize("broken", [{"priority": 7}, {"title": ""}, {"owner_id": ""}], ids=str)
def test_the_new_database_refuses_a_row_that_breaks_a_rule(broken: dict[str, Any]) -> None:
    migrate()
    with pytest.raises(IntegrityError):
        write(**{TODOS: [todo(20, **broken)]})


def test_a_row_without_title_stops_the_upgrade_until_it_is_mended() -> None:
    write(**{TODOS: [todo(20, title="")]})
    before = read(TODOS)
    with pytest.raises(IntegrityError, match="todo_has_title"):
        migrate()
    assert read(TODOS) == before
    execute("UPDATE todos_todo SET title = 'x', title_folded = 'x' WHERE title = ''")
    migrate()
    assert len(read(TODOS)) == len(before)


def test_a_date_that_python_cannot_read_stops_the_upgrade() -> None:
    execute("UPDATE todos_todo SET due_date = '10000-01-01'")
    with pytest.raises(IntegrityError, match="todo_is_readable"):
        migrate()


def test_migrations_go_back_and_forth_without_losing_a_todo() -> None:
    migrate()
    upgraded = read(TODOS)
    execute(f"UPDATE todos_todo SET deleted_at = updated_at WHERE title = '{BY_HAND}'")
    migrate("lists", "zero")
    migrate("todos", "0001")
    # The way back empties the trash, which an older version would show.
    upgraded.remove(by_hand(upgraded))
    assert read(TODOS) == upgraded
    write(**{TODOS: [todo(20, priority=7)]})  # the rules of newer versions are gone
    migrate()
    assert len(read(TODOS)) == len(upgraded) + 1
