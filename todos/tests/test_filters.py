"""Todos that each filter of the list finds."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from todos.models import Priority, Todo
from todos.tests.factories import make_todo
from todos.tests.finding import EVERY_FILTER, LONGEST, found
from todos.tests.walking import shown, walk

pytestmark = pytest.mark.django_db

MOMENT = datetime(2026, 3, 15, 12, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


@pytest.mark.parametrize(("value", "title"), [("true", "done"), ("false", "open")])
def test_the_completed_filter_finds_either_kind(alice: Client, value: str, title: str) -> None:
    make_todo(title="done", completed=True)
    make_todo(title="open")
    assert found(alice, completed=value) == {title}
    assert found(alice) == {"done", "open"}


@pytest.mark.parametrize(
    "wanted", [["none"], ["high"], ["low", "medium"], ["none", "low", "medium", "high"]]
)
def test_repeated_priorities_find_any_of_them(alice: Client, wanted: list[str]) -> None:
    for priority in Priority:
        make_todo(title=priority.label, priority=priority)
    assert found(alice, priority=wanted) == set(wanted)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (["home"], {"both", "one"}),
        (["HOME", "Straße"], {"both"}),
        ([" home ", "STRASSE"], {"both"}),
        (["cafe\u0301"], {"one"}),
        (["hom"], set()),
        (["ome"], set()),
        (["home", "office"], set()),
        (["%"], {"odd"}),
        (["_"], set()),
        (["a\\b"], {"odd"}),
        (["ab"], set()),
        (["home"] * 20, {"both", "one"}),
    ],
)
def test_repeated_tags_find_todos_with_every_whole_tag(
    alice: Client, wanted: list[str], expected: set[str]
) -> None:
    make_todo(title="both", tags=["Home", "straße"])
    make_todo(title="one", tags=["home", "Café"])
    make_todo(title="odd", tags=["%", "a\\b"])
    make_todo(title="none")
    assert found(alice, tag=wanted) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("milk", ["Buy milk", "Shop"]),
        ("MILK", ["Buy milk", "Shop"]),
        ("milk bread", []),
        ("k\nA", ["Shop"]),
        ("y m", ["Buy milk"]),
        ("100%", ["100% of a_b\\c"]),
        ("0%o", []),
        ("a_b", ["100% of a_b\\c"]),
        ("B_M", []),
        ("b\\c", ["100% of a_b\\c"]),
        ("\\", ["100% of a_b\\c"]),
        ("' OR 1=1 --", []),
        ("", ["Buy milk", "Shop", "100% of a_b\\c", "Ἑρμῆς ΣΟΦΟΣ Straße 😀"]),
        ("   ", ["Buy milk", "Shop", "100% of a_b\\c", "Ἑρμῆς ΣΟΦΟΣ Straße 😀"]),
        (" milk", ["Buy milk"]),
        ("milk ", []),
        ("ἑρμησ".replace("η", "η\u0342"), ["Ἑρμῆς ΣΟΦΟΣ Straße 😀"]),
        ("σοφος", ["Ἑρμῆς ΣΟΦΟΣ Straße 😀"]),
        ("STRASSE 😀", ["Ἑρμῆς ΣΟΦΟΣ Straße 😀"]),
        (LONGEST, []),
        ("\ufdfa" * 100, []),
        ("secret", []),
    ],
    ids=lambda value: ascii(value)[:20],
)
def test_a_search_looks_into_title_and_description(
    alice: Client, text: str, expected: list[str]
) -> None:
    make_todo(title="Buy milk")
    make_todo(title="Shop", description="Milk\nand bread")
    make_todo(title="100% of a_b\\c", tags=["secret"])
    make_todo(title="Ἑρμῆς ΣΟΦΟΣ Straße 😀")
    make_todo(title="Bob's milk", owner_id="bob")
    assert found(alice, q=text) == set(expected)


def test_a_search_finds_the_longest_text(alice: Client) -> None:
    make_todo(title="_" * 500)
    assert found(alice, q="_" * 100) == {"_" * 500}


def test_due_from_is_inclusive_and_due_before_exclusive(alice: Client) -> None:
    for day in (14, 15, 16):
        make_todo(title=str(day), due_date=date(2026, 3, day))
    make_todo(title="never")
    assert found(alice, due_from="2026-03-15") == {"15", "16"}
    assert found(alice, due_before="2026-03-15") == {"14"}
    assert found(alice, due_from="2026-03-15", due_before="2026-03-16") == {"15"}
    assert found(alice, due_from="2026-03-16", due_before="2026-03-15") == set()
    assert found(alice, due_from="0001-01-01") == {"14", "15", "16"}
    assert found(alice, due_before="9999-12-31") == {"14", "15", "16"}


@pytest.mark.parametrize("name", ["created", "updated"])
@pytest.mark.parametrize(
    "written",
    [
        "2026-03-15T12:00:00Z",
        "2026-03-15t12:00:00z",
        "2026-03-15T12:00:00.000000000Z",
        "2026-03-15T11:59:59.999999001Z",  # between two microseconds
        "2026-03-16T02:00:00+14:00",
        "2026-03-15T00:30:00-11:30",
    ],
)
def test_moment_filters_are_from_inclusive_and_before_exclusive(
    alice: Client, name: str, written: str
) -> None:
    for title, moment in (("before", MOMENT - MICROSECOND), ("at", MOMENT)):
        todo = make_todo(title=title)
        Todo.objects.filter(pk=todo.pk).write(**{f"{name}_at": moment})
    assert found(alice, **{f"{name}_from": written}) == {"at"}
    assert found(alice, **{f"{name}_before": written}) == {"before"}


@pytest.mark.parametrize("name", ["created", "updated"])
def test_filters_accept_the_first_and_the_last_moment(alice: Client, name: str) -> None:
    make_todo(title="now")
    assert found(alice, **{f"{name}_from": "0001-01-01T00:00:00Z"}) == {"now"}
    assert found(alice, **{f"{name}_before": "9999-12-31T23:59:59.999999Z"}) == {"now"}


def test_all_filters_at_once_cost_one_query(
    alice: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(1):
        assert found(alice, **EVERY_FILTER, limit=5) == set()


def test_the_next_page_has_the_same_filters(alice: Client) -> None:
    for number in range(5):
        make_todo(title=f"x{number}", tags=["a", "b"][: number + 1], priority=number % 4)
    pages = walk(alice, "/api/todos/?limit=1&tag=a&tag=b&q=x&priority=low&priority=high")
    assert [shown(page) for page in pages] == [["x3"], ["x1"]]
    assert shown(alice.get(pages[-1]["previous"]).json()) == ["x3"]


def test_a_filter_finds_no_todo_of_another_owner(alice: Client, bob: Client) -> None:
    make_todo(title="Alice's", tags=["a"])
    assert (found(alice, tag="a"), found(bob, tag="a")) == ({"Alice's"}, set())


def test_only_the_list_accepts_filters(alice: Client) -> None:
    todo = make_todo()
    for path in (f"/api/todos/{todo.pk}/", f"/api/todos/{todo.pk}/complete/", "/api/me/"):
        response = alice.get(
            f"{path}?tag=a", REQUEST_METHOD="POST" if "complete" in path else "GET"
        )
        assert (response.status_code, response.json()["errors"][0]["code"]) == (400, "unknown")
