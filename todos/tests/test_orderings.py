"""Every ordering against a model of it in plain Python, and what is no ordering."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest
from django.db import connection
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from api.bodies.text import folded
from todos.due import due_at
from todos.models import Priority, Todo
from todos.tests.factories import make_todo
from todos.tests.walking import MANY, shown, walk

pytestmark = pytest.mark.django_db

# For each name, what it sorts by. The model knows of no column that is there to be sorted by.
KEYS: dict[str, list[Callable[[Todo], Any]]] = {
    "created_at": [lambda todo: todo.created_at],
    "updated_at": [lambda todo: todo.updated_at],
    "due": [lambda todo: todo.due_date, lambda todo: todo.due_time],
    "priority": [lambda todo: todo.priority],
    "title": [lambda todo: todo.title.casefold()],
}
ORDERINGS = [sign + name for name in KEYS for sign in ("", "-")]

# Few of each, so that there are ties.
MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
MOMENTS = [MOMENT + timedelta(microseconds=number) for number in (0, 1, 10)]
DUE = [
    (None, None),
    *((date(2026, 1, day), None) for day in (1, 2)),
    *((date(2026, 1, day), time(hour)) for day in (1, 2) for hour in (0, 9)),
]
TITLES = ["a", "A", "b", "É", "é", "ß", "SS", "st", "豈", "😀"]
ASCII_TITLES = ["a", "b", "ss", "st", "z"]

every_ordering = pytest.mark.parametrize("ordering", ORDERINGS)
limits = st.integers(1, 7)


@pytest.fixture
def titles(db: None) -> list[str]:
    """Titles that the database sorts by code points, whatever language it is set to."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 'Z' < 'a' AND 'z' < 'é'")
        return TITLES if cursor.fetchone()[0] else ASCII_TITLES


def todo(todo_id: UUID, title: str, due: tuple[date | None, time | None], **fields: Any) -> Todo:
    day, clock = due
    derived = {
        "title_folded": folded(title),
        "due_at": due_at(day, clock, "UTC"),
    }
    return Todo(
        id=todo_id,
        owner_id="alice",
        title=title,
        due_date=day,
        due_time=clock,
        timezone="UTC",
        **derived,
        **fields,
    )


def todos(titles: Sequence[str]) -> st.SearchStrategy[Todo]:
    return st.builds(
        todo,
        st.uuids(),
        st.sampled_from(titles),
        st.sampled_from(DUE),
        priority=st.sampled_from(Priority),
        created_at=st.sampled_from(MOMENTS),
        updated_at=st.sampled_from(MOMENTS),
    )


def several(titles: Sequence[str], *, most: int) -> st.SearchStrategy[list[Todo]]:
    return st.lists(todos(titles), max_size=most, unique_by=lambda todo: todo.pk)


def in_order(rows: Iterable[Todo], ordering: str) -> list[str]:
    """The ids of the rows as the contract sorts them."""
    falling = ordering.startswith("-")
    ordered = sorted(rows, key=lambda row: row.pk, reverse=falling)
    for key in reversed(KEYS[ordering.removeprefix("-")]):
        there = [row for row in ordered if key(row) is not None]
        missing = [row for row in ordered if key(row) is None]
        ordered = sorted(there, key=key, reverse=falling) + missing
    return [str(row.pk) for row in ordered]


def ids(*pages: dict[str, Any]) -> list[str]:
    return [todo_id for page in pages for todo_id in shown(page, "id")]


@given(ordering=st.sampled_from(ORDERINGS), data=st.data(), limit=limits)
def test_every_ordering_shows_every_todo_once_forth_and_back(
    alice: Client, titles: list[str], ordering: str, data: st.DataObject, limit: int
) -> None:
    Todo.objects.all().erase()
    rows = Todo.objects.bulk_create(data.draw(several(titles, most=12)))
    forth = walk(alice, f"/api/todos/?ordering={ordering}&limit={limit}")
    assert ids(*forth) == in_order(rows, ordering)
    assert {len(page["results"]) for page in forth[:-1]} <= {limit}
    back = walk(alice, forth[-1]["previous"], "previous")
    assert ids(*reversed(back), forth[-1]) == in_order(rows, ordering)
    assert {len(page["results"]) for page in back[:-1]} <= {limit}


class Changing:
    """Alice's todos while they come and go."""

    def __init__(self, data: st.DataObject, titles: list[str], ordering: str) -> None:
        Todo.objects.all().erase()
        self._draw, self._few, self._ordering = data.draw, several(titles, most=3), ordering
        self._ever: dict[UUID, Todo] = {}
        self._gone: set[UUID] = set()
        self._add(self._draw(several(titles, most=10)))
        self._from_the_start = set(self._ever)

    def change(self) -> None:
        here = [todo_id for todo_id in self._ever if todo_id not in self._gone]
        some = st.lists(st.sampled_from(here), max_size=3) if here else st.just([])
        leaving = self._draw(some | st.just(here))
        Todo.objects.filter(pk__in=leaving).delete()
        self._gone.update(leaving)
        self._add(self._draw(self._few))

    def ever(self) -> list[str]:
        return in_order(self._ever.values(), self._ordering)

    def here(self) -> list[str]:
        return self._without_the_gone(self._ever)

    def always_here(self) -> list[str]:
        return self._without_the_gone(self._from_the_start)

    def _without_the_gone(self, todo_ids: Iterable[UUID]) -> list[str]:
        rows = [self._ever[todo_id] for todo_id in todo_ids if todo_id not in self._gone]
        return in_order(rows, self._ordering)

    def _add(self, rows: list[Todo]) -> None:
        new = [row for row in rows if row.pk not in self._ever]
        Todo.objects.bulk_create(new)
        self._ever.update({row.pk: row for row in new})


@pytest.mark.parametrize(("ahead", "behind"), [("next", "previous"), ("previous", "next")])
@given(ordering=st.sampled_from(ORDERINGS), data=st.data(), limit=limits, changes=st.integers(0, 5))
def test_todos_inserted_and_deleted_between_pages_move_no_other(
    alice: Client,
    titles: list[str],
    ahead: str,
    behind: str,
    ordering: str,
    data: st.DataObject,
    limit: int,
    changes: int,
) -> None:
    changing = Changing(data, titles, ordering)
    forth = walk(alice, f"/api/todos/?ordering={ordering}&limit={limit}")
    pages = [forth[0 if ahead == "next" else -1]]
    while pages[-1][ahead]:
        if len(pages) <= changes:
            changing.change()
        pages.append(alice.get(pages[-1][ahead]).json())
        assert len(pages) < MANY
    seen = in_direction(ahead, pages)
    assert seen == [todo_id for todo_id in changing.ever() if todo_id in seen]
    assert set(seen) >= set(changing.always_here())
    back = walk(alice, pages[-1][behind], behind)
    assert in_direction(behind, [pages[-1], *back]) == changing.here()


def in_direction(direction: str, pages: list[dict[str, Any]]) -> list[str]:
    """Return the ids of pages reached by links of this direction, from the first of the list."""
    return ids(*(pages if direction == "next" else reversed(pages)))


def listed(client: Client, ordering: str) -> list[str]:
    return [title for page in walk(client, url(ordering)) for title in shown(page)]


def url(ordering: str) -> str:
    return f"/api/todos/?limit=2&ordering={ordering}"


def test_the_default_ordering_is_newest_first(alice: Client) -> None:
    for number in (1, 3, 2):
        make_todo(title=str(number), created_at=MOMENT + timedelta(days=number))
    assert shown(alice.get("/api/todos/").json()) == ["3", "2", "1"]
    assert listed(alice, "-created_at") == ["3", "2", "1"]
    assert listed(alice, "created_at") == ["1", "2", "3"]


def test_priorities_sort_by_importance(alice: Client) -> None:
    for priority in (Priority.MEDIUM, Priority.NONE, Priority.HIGH, Priority.LOW):
        make_todo(title=priority.label, priority=priority)
    assert listed(alice, "priority") == ["none", "low", "medium", "high"]
    assert listed(alice, "-priority") == ["high", "medium", "low", "none"]


def test_titles_are_sorted_without_regard_to_case(alice: Client) -> None:
    for title in ("b", "C", "A", "d"):
        make_todo(title=title)
    assert listed(alice, "title") == ["A", "b", "C", "d"]
    assert listed(alice, "-title") == ["d", "C", "b", "A"]


def test_a_date_alone_is_due_after_the_times_of_its_day_and_no_date_is_last(alice: Client) -> None:
    for title, *due in (
        ("never", None, None),
        ("1st", date(2026, 1, 1), None),
        ("1st at 9", date(2026, 1, 1), time(9)),
        ("2nd", date(2026, 1, 2), None),
        ("2nd at 8", date(2026, 1, 2), time(8)),
        ("2nd at 9", date(2026, 1, 2), time(9)),
    ):
        make_todo(title=title, due_date=due[0], due_time=due[1], timezone="Asia/Tokyo")
    assert listed(alice, "due") == ["1st at 9", "1st", "2nd at 8", "2nd at 9", "2nd", "never"]
    assert listed(alice, "-due") == ["2nd at 9", "2nd at 8", "2nd", "1st at 9", "1st", "never"]


@pytest.mark.parametrize("ordering", ["due", "-due"])
def test_a_page_may_start_among_the_todos_without_a_date(alice: Client, ordering: str) -> None:
    rows = [make_todo() for _ in range(5)]
    forth = walk(alice, url(ordering))
    assert ids(*forth) == in_order(rows, ordering)
    back = walk(alice, forth[-1]["previous"], "previous")
    assert ids(*reversed(back)) == in_order(rows, ordering)[:4]


@every_ordering
def test_a_page_costs_one_query(
    alice: Client, django_assert_num_queries: DjangoAssertNumQueries, ordering: str
) -> None:
    for title in "abcde":
        make_todo(title=title)
    forth = walk(alice, url(ordering))
    for page in (url(ordering), forth[0]["next"], forth[-1]["previous"]):
        with django_assert_num_queries(1):
            assert len(alice.get(page).json()["results"]) == 2


@pytest.mark.parametrize(
    "ordering",
    ["", "-", "--title", "+title", "Title", "title ", "title,-due", "title,", "id", "due_date",
     "title_folded", "owner_id", "?", "-?", "created_at__year", "random", "\0", "é" * 2000],
)  # fmt: skip
def test_an_unknown_ordering_is_refused(alice: Client, ordering: str) -> None:
    response = alice.get("/api/todos/", {"ordering": ordering})
    assert (response.status_code, response.json()["code"]) == (400, "invalid_parameter")
    (error,) = response.json()["errors"]
    assert (error["parameter"], error["code"]) == ("ordering", "invalid_choice")


def test_two_orderings_are_refused(alice: Client) -> None:
    response = alice.get("/api/todos/?ordering=title&ordering=due")
    assert response.status_code == 400
    assert response.json()["errors"][0]["parameter"] == "ordering"


@every_ordering
def test_a_cursor_of_another_ordering_is_refused(alice: Client, ordering: str) -> None:
    for title in "abc":
        make_todo(title=title)
    link = urlsplit(alice.get(url(ordering)).json()["next"])
    cursor = parse_qs(link.query)["cursor"][0]
    for other in ORDERINGS:
        response = alice.get("/api/todos/", {"ordering": other, "cursor": cursor})
        assert response.status_code == (200 if other == ordering else 400)
        assert other == ordering or response.json()["errors"][0]["parameter"] == "cursor"


@pytest.mark.parametrize("alphabet", ["😀😁🤖🦄🧀🫠🏳🀄", "ΐ", "ﬃ", "㐀㒀㔀㘀䀀䈀䐀一丁七"])
def test_a_link_past_the_longest_title_can_be_followed(alice: Client, alphabet: str) -> None:
    title = "".join(random.Random(1).choices(alphabet, k=500))
    for _ in range(3):
        make_todo(title=title)
    forth = walk(alice, url("title"))
    assert len(ids(*forth)) == 3
    assert len(forth[0]["next"]) < 6 * 1024
