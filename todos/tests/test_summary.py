"""The numbers of ``/api/todos/summary/`` are those of the list with its filters."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any
from unittest import mock

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries, Settings

from api.bodies.renderers import MAX_ANSWER_OCTETS
from api.bodies.text import folded
from todos.models import Todo
from todos.summary import MAX_TAGS
from todos.tests.factories import make_todo
from todos.tests.finding import found

pytestmark = pytest.mark.django_db

# Three days at once: the 29th, 30th and 28th.
NOW = datetime(2026, 3, 29, 10, 30, tzinfo=UTC)
ZONES = ["Europe/Berlin", "Pacific/Kiritimati", "Pacific/Pago_Pago"]
FILTERS = {
    "open": {"completed": "false"},
    "completed": {"completed": "true"},
    "overdue": {"due": "overdue"},
    "today": {"due": "today"},
    "without_date": {"due": "none"},
}
EMOJI = "\U0001f600"  # one character, four octets
TAGS = ["a", "A", "b", "ß", "SS", "é", "E\u0301", "\\", "\\n", '"', '\\"', ",", "x1", "x10", EMOJI]

days = st.dates(date(2026, 3, 27), date(2026, 3, 31))
times = st.none() | st.sampled_from([time(0), time(12), time(23)])


@st.composite
def todos(draw: st.DrawFn) -> dict[str, Any]:
    due_date = draw(st.none() | days)
    return {
        "tags": draw(st.lists(st.sampled_from(TAGS), max_size=4)),
        "completed": draw(st.booleans()),
        "due_date": due_date,
        "due_time": due_date and draw(times),
        "timezone": draw(st.sampled_from(ZONES)),
    }


def summary(client: Client, **query: Any) -> Any:
    response = client.get("/api/todos/summary/", query)
    assert response.status_code == 200, response.json()
    return response.json()


@given(drawn=st.lists(todos(), max_size=6))
def test_each_count_is_that_of_the_list_with_the_filter(
    alice: Client, drawn: list[dict[str, Any]]
) -> None:
    Todo.objects.all().delete()
    for number, fields in enumerate(drawn):
        make_todo(title=str(number), **fields)
    make_todo(owner_id="bob", tags=["a", "of Bob"])
    with mock.patch("django.utils.timezone.now", return_value=NOW):
        for tz in ({}, *({"tz": zone} for zone in ZONES)):
            counts = summary(alice, **tz)
            tags = counts.pop("tags")
            assert counts == {
                name: len(found(alice, **query, **tz)) for name, query in FILTERS.items()
            }
    stored = {tag for fields in drawn for tag in fields["tags"]}
    assert {each["tag"] for each in tags} <= stored
    assert sorted(folded(each["tag"]) for each in tags) == sorted({*map(folded, stored)})
    for each in tags:
        assert each["total"] == len(found(alice, tag=each["tag"]))
        assert each["open"] == len(found(alice, tag=each["tag"], completed="false"))
    assert tags == sorted(tags, key=lambda each: (-each["total"], folded(each["tag"])))


def test_a_user_without_todos_has_zeros(alice: Client) -> None:
    assert summary(alice) == {**dict.fromkeys(FILTERS, 0), "tags": []}


def test_tags_that_differ_in_case_are_one(alice: Client) -> None:
    for tags in (["home", "Bank"], ["Home"], ["HOME"]):
        make_todo(tags=tags, completed=tags == ["HOME"])
    assert summary(alice)["tags"] == [
        {"tag": "HOME", "open": 2, "total": 3},
        {"tag": "Bank", "open": 1, "total": 1},
    ]


def test_a_summary_costs_one_query(
    alice: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    make_todo(tags=["a", "b"])
    make_todo(tags=["b"])
    with django_assert_num_queries(1):
        summary(alice, tz="Europe/Berlin")


@pytest.mark.parametrize("query", ["tz=utc", "tz=", "tz=UTC&tz=UTC", "tz=Europe/Berlin%00"])
def test_tz_has_the_errors_of_the_list(alice: Client, query: str) -> None:
    of_list, of_summary = (alice.get(f"/api/todos/{path}?{query}") for path in ("", "summary/"))
    assert of_summary.status_code == 400
    assert of_summary.json()["errors"] == of_list.json()["errors"]


@pytest.mark.parametrize("name", ["due", "completed", "limit", "q"])
def test_a_parameter_of_the_list_is_unknown(alice: Client, name: str) -> None:
    response = alice.get("/api/todos/summary/", {name: "today"})
    assert response.status_code == 400
    assert [each["code"] for each in response.json()["errors"]] == ["unknown"]


@pytest.mark.parametrize("accept", ["application/json", "application/json; indent=8"])
def test_the_most_tags_of_the_longest_fit_into_1_mib(alice: Client, accept: str) -> None:
    tags = [f"{number:04}{EMOJI * 46}" for number in range(MAX_TAGS + 20)]
    for start in range(0, len(tags), 20):
        make_todo(tags=tags[start : start + 20])
    make_todo(tags=tags[-1:])
    response = alice.get("/api/todos/summary/", headers={"accept": accept})
    assert MAX_ANSWER_OCTETS / 8 < len(response.content) <= MAX_ANSWER_OCTETS
    counted = response.json()["tags"]
    assert [each["tag"] for each in counted] == [tags[-1], *tags[: MAX_TAGS - 1]]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("tags", "'[]'"),
        ("tags", "'[null, 1, {\"a\": []}]'"),
        ("tags", '\'["\\ud800", 1e400, "\\ud800"]\''),
        ("tags", f"'{'[' * 900}{']' * 900}'"),
        ("tags_folded", "''"),
        ("tags_folded", "'x'"),
        ("tags_folded", "'\t\"\\'"),
        ("tags_folded", "7"),
    ],
)
def test_tags_that_other_programs_have_written_break_no_summary(
    alice: Client, column: str, value: str
) -> None:
    make_todo(tags=["a", "b", "c"], title="spoilt")
    make_todo(tags=["A"], completed=True)
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"UPDATE todos_todo SET {column} = {value} WHERE title = 'spoilt'")
    except DatabaseError:
        assert connection.vendor == "postgresql", "SQLite stores any of these values."
    counts = summary(alice)
    assert (counts["open"], counts["completed"], counts["without_date"]) == (1, 1, 2)
    assert "A" in [each["tag"] for each in counts["tags"]]


@pytest.mark.django_db(transaction=True)
def test_a_summary_that_takes_too_long_is_503(alice: Client, settings: Settings) -> None:
    settings.SEARCH_SECONDS = 0.001
    for _ in range(300):
        make_todo(tags=[*"abcdefghijklmnopqrst"])
    response = alice.get("/api/todos/summary/")
    assert (response.status_code, response.json()["code"]) == (503, "search_too_broad")
