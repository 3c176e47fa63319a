from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit
from uuid import UUID

import pytest
from django.core import signing
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from api.lists.cursors import FORMAT
from todos.models import Todo
from todos.tests.factories import make_todo
from todos.tests.walking import shown, walk

pytestmark = pytest.mark.django_db

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)


def make(*ages: int, owner_id: str = "alice") -> None:
    for age in ages:
        make_todo(title=str(age), created_at=MOMENT - timedelta(days=age), owner_id=owner_id)


def test_a_user_without_todos_gets_an_empty_page(alice: Client) -> None:
    assert alice.get("/api/todos/").json() == {"next": None, "previous": None, "results": []}


def test_the_newest_come_first(alice: Client) -> None:
    make(2, 0, 1)
    assert shown(alice.get("/api/todos/").json()) == ["0", "1", "2"]


def test_a_list_has_the_users_own_todos_only(alice: Client, bob: Client) -> None:
    make(1, 2)
    make(3, owner_id="bob")
    make(4, owner_id="Alice")
    assert shown(alice.get("/api/todos/").json()) == ["1", "2"]
    assert shown(bob.get("/api/todos/").json()) == ["3"]


@pytest.mark.parametrize("size", [1, 7, 200])
def test_a_page_costs_one_query(
    alice: Client, django_assert_num_queries: DjangoAssertNumQueries, size: int
) -> None:
    make(*range(20))
    with django_assert_num_queries(1):
        response = alice.get(f"/api/todos/?limit={size}")
    assert len(response.json()["results"]) == min(size, 20)


def test_a_list_reads_no_search_columns(alice: Client) -> None:
    todo = make_todo()
    body = {"operations": [{"op": "complete", "id": str(todo.pk)}]}
    with CaptureQueriesContext(connection) as queries:
        alice.get("/api/todos/")
        alice.get(f"/api/todos/{todo.pk}/")
        alice.post("/api/todos/batch/", body, content_type="application/json")
    read = [query["sql"] for query in queries if query["sql"].startswith("SELECT")]
    assert len(read) == 3
    for name in ("description_folded", "tags_folded"):
        assert name not in str(read)


@pytest.mark.parametrize("name", ["limit", "cursor", "ordering", "q"])
def test_only_the_list_accepts_page_parameters(alice: Client, name: str) -> None:
    todo = make_todo()
    for method, path in (("POST", ""), ("POST", "batch/"), ("GET", f"{todo.pk}/")):
        response = alice.generic(method, f"/api/todos/{path}?{name}=1", "{}", "application/json")
        assert (response.status_code, response.json()["code"]) == (400, "invalid_parameter")


def test_a_page_holds_50_unless_told_otherwise(alice: Client) -> None:
    make(*range(51))
    assert [len(page["results"]) for page in walk(alice, "/api/todos/")] == [50, 1]


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 6])
def test_paging_forth_and_back_shows_every_row_once(alice: Client, limit: int) -> None:
    make(*range(5))
    forth = walk(alice, f"/api/todos/?limit={limit}")
    assert [title for page in forth for title in shown(page)] == list("01234")
    back = walk(alice, forth[-1]["previous"], "previous")
    assert [title for page in reversed(back) for title in shown(page)] == (
        list("01234")[: -len(forth[-1]["results"])]
    )


def test_pages_are_full_and_the_last_has_no_next(alice: Client) -> None:
    make(*range(4))
    forth = walk(alice, "/api/todos/?limit=2")
    assert [shown(page) for page in forth] == [["0", "1"], ["2", "3"]]
    assert forth[0]["previous"] is None
    assert forth[0]["next"].startswith("http://testserver/api/todos/?")
    assert "limit=2" in forth[0]["next"]
    (back,) = walk(alice, forth[-1]["previous"], "previous")
    assert shown(back) == ["0", "1"]
    assert shown(alice.get(back["next"]).json()) == ["2", "3"]


def test_an_empty_page_at_the_end_links_back(alice: Client) -> None:
    make(*range(6))
    first = alice.get("/api/todos/?limit=2").json()
    Todo.objects.exclude(title__in=["0", "1"]).delete()
    empty = alice.get(first["next"]).json()
    assert (empty["results"], empty["next"]) == ([], None)
    assert shown(alice.get(empty["previous"]).json()) == ["0", "1"]


def test_an_empty_page_at_the_start_links_forth(alice: Client) -> None:
    make(*range(6))
    second = walk(alice, "/api/todos/?limit=2")[1]
    Todo.objects.filter(title__in=["0", "1"]).delete()
    empty = alice.get(second["previous"]).json()
    assert (empty["results"], empty["previous"]) == ([], None)
    assert shown(alice.get(empty["next"]).json()) == ["2", "3"]


@pytest.mark.parametrize(("direction", "back"), [("previous", "next"), ("next", "previous")])
def test_pages_are_empty_after_every_row_is_deleted(
    alice: Client, direction: str, back: str
) -> None:
    make(*range(6))
    second = walk(alice, "/api/todos/?limit=2")[1]
    Todo.objects.all().delete()
    empty = alice.get(second[direction]).json()
    assert empty["results"] == alice.get(empty[back]).json()["results"] == []


def test_the_default_order_has_no_nulls_clause(alice: Client) -> None:
    make(*range(6))
    with CaptureQueriesContext(connection) as queries:
        pages = walk(alice, "/api/todos/?limit=2")
        walk(alice, pages[-1]["previous"], "previous")
    nulls = [query["sql"].count(" NULL") for query in queries]
    assert nulls == ['deleted_at" IS NULL' in query["sql"] for query in queries]


def test_the_links_keep_every_other_parameter(alice: Client) -> None:
    for title in ("a + b", "c + B", "A + B"):
        make_todo(title=title, tags=["é&=", "b"])
    query = [("tag", "é&="), ("tag", "b"), ("q", "+ b"), ("limit", "1"), ("ordering", "title")]
    second = walk(alice, "/api/todos/?" + urlencode(query))[1]
    for link in (second["next"], second["previous"]):
        sent = parse_qsl(urlsplit(link).query, strict_parsing=True)
        assert [name for name, _ in sent].count("cursor") == 1
        assert [pair for pair in sent if pair[0] != "cursor"] == query


def test_a_cursor_of_an_older_format_is_refused(
    alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(1, 2)
    with monkeypatch.context() as older:
        older.setattr("api.lists.pagination.FORMAT", FORMAT - 1)
        link = alice.get("/api/todos/?limit=1").json()["next"]
        assert alice.get(link).status_code == 200
    response = alice.get(link)
    assert response.status_code == 400
    assert response.json()["errors"][0]["parameter"] == "cursor"


def test_a_tie_is_broken_by_id(alice: Client) -> None:
    ids = [UUID(int=number << 64) for number in range(9)]
    for todo_id in ids:
        make_todo(id=todo_id, created_at=MOMENT)
    pages = walk(alice, "/api/todos/?limit=2")
    assert [todo["id"] for page in pages for todo in page["results"]] == [
        str(todo_id) for todo_id in reversed(ids)
    ]


def test_rows_inserted_and_deleted_between_pages_move_no_other(alice: Client) -> None:
    make(*range(6))
    first = alice.get("/api/todos/?limit=2").json()
    make(-1, -2)
    Todo.objects.filter(title__in=["1", "3"]).delete()
    rest = walk(alice, first["next"])
    assert [title for page in rest for title in shown(page)] == ["2", "4", "5"]


def test_a_cursor_of_another_user_is_refused(alice: Client, bob: Client) -> None:
    make(1, 2)
    make(1, 2, owner_id="bob")
    response = bob.get(alice.get("/api/todos/?limit=1").json()["next"])
    assert response.status_code == 400
    assert response.json()["errors"][0]["parameter"] == "cursor"


def cursors_that_are_none(cursor: str) -> dict[str, str]:
    return {
        "empty": "",
        "garbage": "garbage",
        "altered": ("A" if cursor[0] != "A" else "B") + cursor[1:],
        "cut": cursor[:-1],
        "unsigned": cursor.partition(":")[0],
        "of another thing": signing.dumps(["2026-01-01T00:00:00", "0" * 32, False]),
        "not ASCII": "é",
        "NUL": "%00",
        "long": "x" * 5000,
    }


def test_a_cursor_of_the_version_before_works_during_an_upgrade(alice: Client) -> None:
    older, newer = make_todo(), make_todo()
    position = [newer.created_at.isoformat(), newer.pk.hex]
    cursor = signing.dumps([position, False, False], salt="api.pagination:2:-created_at,-id:alice")
    page = alice.get("/api/todos/", {"cursor": cursor}).json()
    assert [todo["id"] for todo in page["results"]] == [str(older.pk)]


@pytest.mark.parametrize("kind", cursors_that_are_none("x:y"))
def test_an_invalid_cursor_is_refused(alice: Client, kind: str) -> None:
    make(1, 2)
    cursor = alice.get("/api/todos/?limit=1").json()["next"]
    cursor = parse_qs(urlsplit(cursor).query)["cursor"][0]
    response = alice.get(f"/api/todos/?cursor={cursors_that_are_none(cursor)[kind]}")
    assert response.status_code == 400
    assert response.json()["errors"] == [
        {
            "parameter": "cursor",
            "code": "invalid",
            "detail": "This cursor is of another list or ordering: start again without one.",
        }
    ]


@pytest.mark.parametrize(
    "limit", ["0", "201", "-1", "1.5", "", "ten", "1e2", "٣", "+5", " 5", "9" * 5000]
)
def test_a_limit_out_of_range_is_refused(alice: Client, limit: str) -> None:
    response = alice.get("/api/todos/", {"limit": limit})
    assert response.status_code == 400
    [error] = response.json()["errors"]
    assert (error["parameter"], error["code"]) == ("limit", "out_of_range")
    assert error["detail"] == "Send a number from 1 to 200."


@pytest.mark.parametrize("name", ["owner_id", "user_id", "owner", "page", "format", "Limit", ""])
def test_an_unknown_parameter_is_refused(alice: Client, name: str) -> None:
    response = alice.get(f"/api/todos/?{name}=bob")
    assert response.status_code == 400
    detail = "This query parameter is not known. Leave it out."
    assert response.json()["errors"] == [
        {"parameter": name, "code": "unknown", "detail": detail},
    ]
