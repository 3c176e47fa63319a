"""The index that ``manage.py index_search`` makes, on PostgreSQL."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from todos.management.commands import index_search
from todos.tests.factories import make_todo
from todos.tests.finding import found

pytestmark = pytest.mark.django_db(transaction=True)

INDEX = re.compile(r"todos_todo(_\d+)?_search$")
MANY = 20_000


def run(*options: str) -> str:
    out = io.StringIO()
    call_command("index_search", *options, stdout=out)
    return out.getvalue()


@pytest.fixture(autouse=True)
def _no_index_is_left() -> Iterator[None]:
    yield
    run("--drop")


@pytest.fixture
def _many() -> None:
    make_todo(owner_id="template")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = %s",
            ["todos_todo"],
        )
        own = {
            "id": "gen_random_uuid()",
            "owner_id": "CASE WHEN n %% 4 = 0 THEN 'bob' ELSE 'alice' END",
            "change_number": "-n",
            "title_folded": "md5(n::text)",
            "description_folded": "'about ' || md5((-n)::text)",
        }
        columns = [name for (name,) in cursor.fetchall()]
        values = ", ".join(own.get(name, name) for name in columns)
        cursor.execute(
            f"INSERT INTO todos_todo ({', '.join(columns)}) SELECT {values}"
            " FROM todos_todo, generate_series(1, %s) AS n",
            [MANY],
        )
        cursor.execute("ANALYZE todos_todo")


def indexes() -> dict[str, bool]:
    """The indexes that searches use, each with whether it is valid."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexrelid::regclass::text, indisvalid FROM pg_index")
        return {name: valid for name, valid in cursor.fetchall() if INDEX.fullmatch(name)}


def plan_of(client: Client, text: str) -> str:
    with CaptureQueriesContext(connection) as queries:
        assert client.get("/api/todos/", {"q": text}).status_code == 200
    [query] = queries
    _, _, select = query["sql"].partition("; ")  # behind the time limit
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {select}")
        return json.dumps(cursor.fetchall())


@pytest.mark.usefixtures("_many")
@pytest.mark.parametrize("text", ["zebra", "%_\\ 100%", "no such text", "Stra\u00dfe"])
def test_a_search_uses_the_index_for_its_owner(alice: Client, text: str) -> None:
    run()
    plan = plan_of(alice, text)
    assert "Bitmap Index Scan" in plan
    assert re.search(r'"Index Name": "todos_todo(_\d+)?_search"', plan)
    assert "Seq Scan" not in plan
    for condition in re.findall(r'"Index Cond": "([^"]+)"', plan):
        assert "owner_id" in condition


@pytest.mark.usefixtures("_many")
def test_a_search_finds_the_same_with_the_index(alice: Client) -> None:
    for title in ("100% of a_b\\c", "Stra\u00dfe \U0001f600", "ab", "***=x"):
        make_todo(title=title)
    texts = ["100%", "a_b\\c", "STRASSE", "\U0001f600", "ab", "***=", "***", "b"]
    before = [found(alice, q=text, limit=1, ordering="-created_at") for text in texts]
    run()
    assert [found(alice, q=text, limit=1, ordering="-created_at") for text in texts] == before


def test_the_search_index_can_be_made_and_dropped_twice() -> None:
    for _ in range(2):
        assert run() == "Created the search index.\n"
        assert indexes()
        assert all(indexes().values())
    for _ in range(2):
        assert run("--drop") == "Dropped the search index.\n"
        assert not indexes()


def test_an_unfinished_search_index_is_rebuilt() -> None:
    run()
    run("--drop")
    with connection.cursor() as cursor:
        table = index_search._tables(cursor)[0]
        cursor.execute(f"CREATE INDEX {table}_search ON {table} (owner_id)")
        cursor.execute(
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = to_regclass(%s)",
            [f"{table}_search"],
        )
    assert [*indexes().values()] == [False]
    run()
    assert all(indexes().values())


def test_a_missing_extension_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_search, "EXTENSIONS", ("no_such_extension",))
    with pytest.raises(CommandError, match="CREATE EXTENSION no_such_extension"):
        run()
    assert not indexes()
