"""Whatever is filtered by, the list has what a plain reading of the filters has."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from unittest import mock
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from todos.models import Priority, Todo
from todos.tests.factories import make_todo
from todos.tests.finding import found

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Pacific/Kiritimati", "Pacific/Pago_Pago"]

# Texts on which databases, cases and compositions disagree.
PIECES = ["%", "_", "\\", "'", '"', "*", "?", "[a]", " ", "😀", "ß", "SS", "ss", "ẞ", "ﬁ", "FI"]
PIECES += ["I", "i", "İ", "\u0131", "Σ", "\u03c3", "ς", "ΐ", "\u0345", "가", "\u1100\u1161"]
PIECES += ["E", "e", "É", "é", "\u0301", "\u0323", "a", "Å", "A\u030a", "\u212b"]
pieces = st.lists(st.sampled_from(PIECES), min_size=1, max_size=6).map("".join)
anything = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=10)
lines = (pieces | anything).map(str.strip).filter(bool)

days = st.dates(date(2026, 3, 27), date(2026, 3, 31))
moments = st.datetimes(
    datetime(2026, 3, 27), datetime(2026, 3, 31), timezones=st.sampled_from([UTC])
)
due = st.none() | st.tuples(days, st.none() | st.sampled_from([time(0), time(1), time(23)]))


@st.composite
def todos(draw: st.DrawFn) -> dict[str, Any]:
    due_date, due_time = draw(due) or (None, None)
    return {
        "title": draw(lines),
        "description": draw(st.just("") | lines),
        "tags": draw(st.lists(lines, max_size=3)),
        "completed": draw(st.booleans()),
        "priority": draw(st.sampled_from(Priority)),
        "due_date": due_date,
        "due_time": due_time,
        "timezone": draw(st.sampled_from(ZONES)),
        "created_at": draw(moments),
    }


def same(text: str) -> str:
    """The text, to be compared without regard to case or composition."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def due_day(todo: Todo, zone: str) -> date | None:
    return todo.due_at.astimezone(ZoneInfo(zone)).date() if todo.due_at else todo.due_date


def is_due(todo: Todo, when: str, zone: str) -> bool:
    day, today = due_day(todo, zone), NOW.astimezone(ZoneInfo(zone)).date()
    if day is None or when == "none":
        return day is None and when == "none"
    over = todo.due_at < NOW if todo.due_at else day < today
    return day == today if when == "today" else over and not todo.completed


MODELS: dict[str, Callable[[Todo, Any], bool]] = {
    "completed": lambda todo, word: todo.completed == (word == "true"),
    "priority": lambda todo, words: Priority(todo.priority).label in words,
    "tag": lambda todo, tags: {same(tag) for tag in tags} <= {same(tag) for tag in todo.tags},
    "q": lambda todo, text: (
        not text.strip() or same(text) in same(todo.title) or same(text) in same(todo.description)
    ),
    "due_from": lambda todo, day: todo.due_date is not None and todo.due_date.isoformat() >= day,
    "due_before": lambda todo, day: todo.due_date is not None and todo.due_date.isoformat() < day,
    "created_from": lambda todo, text: todo.created_at >= datetime.fromisoformat(text),
    "created_before": lambda todo, text: todo.created_at < datetime.fromisoformat(text),
    "updated_from": lambda todo, text: todo.updated_at >= datetime.fromisoformat(text),
    "updated_before": lambda todo, text: todo.updated_at < datetime.fromisoformat(text),
}


@st.composite
def parts(draw: st.DrawFn, text: str) -> str:
    """A part of the text, often in another case or composition."""
    start = draw(st.integers(0, len(text) - 1))
    part = text[start : draw(st.integers(start + 1, len(text)))]
    change = draw(st.sampled_from([str.upper, str.lower, str.swapcase]))
    part = change(part) if draw(st.booleans()) else part
    return unicodedata.normalize("NFD", part) if draw(st.booleans()) else part


def expected(rows: list[Todo], query: dict[str, Any]) -> set[str]:
    zone, when = query.get("tz", "UTC"), query.get("due")
    return {
        row.title
        for row in rows
        if (when is None or is_due(row, when, zone))
        and all(MODELS[name](row, value) for name, value in query.items() if name in MODELS)
    }


def stored(drawn: list[dict[str, Any]]) -> list[Todo]:
    Todo.objects.all().erase()
    return [
        make_todo(**{**fields, "title": f"{number}: {fields['title']}"})
        for number, fields in enumerate(drawn)
    ]


@given(drawn=st.lists(todos(), min_size=1, max_size=4), data=st.data())
def test_text_and_tag_filters_agree_with_a_model(
    alice: Client, drawn: list[dict[str, Any]], data: st.DataObject
) -> None:
    rows = stored(drawn)
    todo = data.draw(st.sampled_from(drawn))
    text = data.draw(parts(todo["description"] or todo["title"]) | pieces)
    tags = data.draw(st.lists(st.sampled_from(todo["tags"] or ["a"]).map(str.upper), max_size=2))
    for query in ({"q": text}, {"tag": tags}):
        assert found(alice, **query) == expected(rows, query), ascii(query)


queries = st.fixed_dictionaries(
    {},
    optional={
        "completed": st.sampled_from(["true", "false"]),
        "priority": st.lists(st.sampled_from(Priority.labels), min_size=1, max_size=4),
        "q": st.sampled_from(["a", "e", ":", "1", "%", "ss"]),
        "due": st.sampled_from(["overdue", "today", "none"]),
        "tz": st.sampled_from(ZONES),
        **dict.fromkeys(["due_from", "due_before"], days.map(str)),
        **{
            f"{name}_{end}": moments.map(datetime.isoformat)
            for name in ("created", "updated")
            for end in ("from", "before")
        },
    },
)


@given(drawn=st.lists(todos(), min_size=1, max_size=6), query=queries, shift=st.integers(0, 2))
def test_combined_filters_agree_with_a_model(
    alice: Client, drawn: list[dict[str, Any]], query: dict[str, Any], shift: int
) -> None:
    rows = stored(drawn)
    for row in rows:
        row.updated_at = row.created_at + timedelta(days=shift)
    Todo.objects.bulk_update(rows, ["updated_at"])
    with mock.patch("django.utils.timezone.now", return_value=NOW):
        assert found(alice, **query) == expected(rows, query), ascii(query)
