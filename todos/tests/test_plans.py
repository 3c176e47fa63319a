"""How the database finds what a request is about, among the todos of many."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now
from pytest_django import DjangoDbBlocker

from api.models import ChangeCounter
from api.owned.purging import purge_trash
from todos.models import Todo
from todos.tests.factories import make_todo
from todos.tests.walking import walk

pytestmark = pytest.mark.django_db

OWNERS, TODOS_EACH, DELETED_EACH = 100, 30, 3
# The plans of SQLite and PostgreSQL.
BY_OWNER = re.compile(r'USING INDEX \w+ \(owner_id=|"Index Cond": "\(+owner_id')


@pytest.fixture(scope="class")
def _among_many(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Todos of many owners in a transaction around all tests of a class."""
    with django_db_blocker.unblock(), transaction.atomic():
        Todo.objects.bulk_create(
            Todo(owner_id=owner_id, title="x", deleted_at=deleted_at)
            for owner_id in ("alice", *(f"owner-{number}" for number in range(1, OWNERS)))
            for deleted_at in [None] * TODOS_EACH + [now()] * DELETED_EACH
        )
        ChangeCounter.objects.bulk_create(  # so many that a scan would not pay
            ChangeCounter(owner_id=f"other-{number}", value=0) for number in range(3000)
        )
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        yield
        transaction.set_rollback(True)


def plans(client: Client, address: str) -> list[str]:
    """Return the query plan of each statement as text."""
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address).status_code == 200
    return [plan(query["sql"]) for query in queries]


def plan(sql: str) -> str:
    sql = re.sub(r"^SET LOCAL \w+ = \d+; ", "", sql)  # sent with the lists that have a time limit
    if connection.vendor == "postgresql":
        explain = "EXPLAIN (FORMAT JSON) "
    else:
        explain = "EXPLAIN QUERY PLAN "
    with connection.cursor() as cursor:
        cursor.execute(explain + sql)
        return json.dumps(cursor.fetchall())


def assert_from_index(plan: str) -> None:
    """From an index that begins with the owner, in its order, and from nothing else."""
    assert BY_OWNER.search(plan)
    for work in ("Seq Scan", '"Sort"', "Incremental Sort", "TEMP B-TREE", '"SCAN'):
        assert work not in plan


@pytest.mark.usefixtures("_among_many")
class TestAmongMany:
    def test_pages_come_in_the_order_of_their_index(self, alice: Client) -> None:
        pages = walk(alice, "/api/todos/?limit=10")
        assert len(pages) == 3
        for address in ("/api/todos/?limit=10", pages[0]["next"], pages[-1]["previous"]):
            [found] = plans(alice, address)
            assert_from_index(found)

    @pytest.mark.parametrize(
        "query", ["completed=true", "tag=x", "q=x", "priority=high", "due=overdue"]
    )
    def test_a_filter_reads_no_rows_of_other_owners(self, alice: Client, query: str) -> None:
        [found] = plans(alice, f"/api/todos/?{query}")
        assert BY_OWNER.search(found)
        assert "Seq Scan" not in found
        assert '"SCAN' not in found

    def test_a_summary_reads_no_rows_of_other_owners(self, alice: Client) -> None:
        [found] = plans(alice, "/api/todos/summary/?tz=Europe/Berlin")
        assert BY_OWNER.search(found)
        assert "Seq Scan" not in found
        assert "SCAN todos_todo" not in found

    def test_changes_come_in_the_order_of_their_index(self, alice: Client) -> None:
        for since in (0, TODOS_EACH - 10):
            for found in plans(alice, f"/api/todos/changes/?since={since}&limit=10"):
                assert_from_index(found)

    def test_pages_of_the_trash_come_in_the_order_of_their_index(self, alice: Client) -> None:
        for sign in ("", "-"):
            pages = walk(alice, f"/api/todos/trash/?limit=1&ordering={sign}deleted_at")
            assert len(pages) == DELETED_EACH
            for address in (pages[0]["previous"], pages[0]["next"], pages[-1]["previous"]):
                for found in plans(alice, address or "/api/todos/trash/"):
                    assert_from_index(found)
                    assert "todo_trash" in found

    def test_the_purge_finds_old_trash_by_the_index_of_the_trash(self) -> None:
        with CaptureQueriesContext(connection) as queries:
            purge_trash()
        (search,) = [query["sql"] for query in queries if '"todos_todo"' in query["sql"]]
        found = plan(search)
        assert "todo_trash" in found
        assert "Seq Scan" not in found

    def test_a_todo_is_read_by_an_index(self, alice: Client) -> None:
        todo = make_todo()
        [found] = plans(alice, f"/api/todos/{todo.pk}/")
        assert "Seq Scan" not in found
        assert '"SCAN' not in found
