"""Filter values that the list refuses."""

from __future__ import annotations

import pytest
from django.test import Client

from todos.filters import TodoFilters
from todos.tests.finding import EVERY_FILTER, LONGEST, refused
from todos.tests.writing import each_value

pytestmark = pytest.mark.django_db

DIGITS = "٠١٢٣٤٥٦٧٨٩"
ARABIC_DATE = "2026-01-05".translate(str.maketrans("0123456789", DIGITS))

A_MOMENT = (
    "A date-time of RFC 3339 is expected, such as 2026-01-31T09:00:00Z. "
    "In a query, + is written %2B."
)
NO_DAY = "There is no such day."
NO_TIME = "There is no such time: a day has 00:00 to 23:59."
NO_SECOND = "Seconds are 00 to 59: leap seconds are not kept."
NO_OFFSET = "There is no such offset from UTC."
NO_YEAR = "In UTC this is not in the years 0001 to 9999."
BAD_MOMENTS = [
    (A_MOMENT, ["", "2026-01-05", "2026-01-05T00:00:00", "2026-01-05 00:00:00Z"]),
    (A_MOMENT, ["2026-01-05T00:00Z", "20260105T000000Z", "2026-W01-1T00:00:00Z", "1767571200"]),
    (A_MOMENT, ["10000-01-01T00:00:00Z", ARABIC_DATE + "T00:00:00Z"]),
    (A_MOMENT, ["2026-01-05T00:00:00,5Z", "2026-01-05T00:00:00.Z"]),
    (A_MOMENT, [f"2026-01-05T00:00:00.{DIGITS[5]}Z", f"2026-01-05T00:00:00.{'0' * 5000}"]),
    (A_MOMENT, ["2026-01-05T00:00:00 01:00"]),  # a plus that is a space
    (A_MOMENT, [f"2026-01-05T00:00:00{offset}" for offset in ("+01", "+0100", "+01:00:00")]),
    (A_MOMENT, ["2026-01-05T00:00:00Z\n", "2026-01-05T00:00:00Z\0"]),
    (NO_DAY, ["2026-02-30T00:00:00Z", "0000-01-01T00:00:00Z"]),
    (NO_TIME, ["2026-01-05T24:00:00Z", "2026-01-05T00:60:00Z"]),
    (NO_SECOND, ["2026-06-30T23:59:60Z", "2026-01-05T00:00:61Z"]),
    (NO_OFFSET, ["2026-01-05T00:00:00+24:00", "2026-01-05T00:00:00-01:60"]),
    (NO_YEAR, ["9999-12-31T23:59:59-00:01", "0001-01-01T00:00:00+00:01"]),
    (NO_YEAR, ["9999-12-31T23:59:59.9999999Z"]),  # rounded up
]


@pytest.mark.parametrize(("detail", "value"), each_value(BAD_MOMENTS))
def test_an_invalid_date_time_filter_is_refused(alice: Client, detail: str, value: str) -> None:
    names = ["created_from", "created_before", "updated_from", "updated_before"]
    response = alice.get("/api/todos/", dict.fromkeys(names, value))
    assert response.status_code == 400
    assert response.json()["errors"] == [
        {"parameter": name, "code": "invalid", "detail": detail} for name in names
    ]


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        *[("completed", word, "invalid") for word in ("", "True", "1", "yes", "null", "true ")],
        *[("priority", word, "invalid_choice") for word in ("", "HIGH", "3", "urgent", " low")],
        *[("due", word, "invalid_choice") for word in ("", "Today", "tomorrow", "today ")],
        *[("tz", name, "unknown_timezone") for name in ("utc", "+02:00", "Etc/GMT 5", "../UTC")],
        ("tz", "Europe/Berlin\0", "unknown_timezone"),
        ("tz", "", "blank"),
        ("tag", "", "blank"),
        ("tag", "   ", "blank"),
        ("tag", "x" * 51, "max_length"),
        ("tag", "a\nb", "control_character"),
        ("tag", "a\0b", "control_character"),
        ("tag", [str(number) for number in range(21)], "max_length"),
        ("tag", ["a"] * 21, "max_length"),
        ("q", "x" * 101, "max_length"),
        ("q", LONGEST + "e", "max_length"),
        ("q", " " * 101, "max_length"),
        ("q", "a\0b", "null_characters_not_allowed"),
        ("priority", ["low", ""], "invalid_choice"),
        ("tag", ["fine", ""], "blank"),
    ],
    ids=lambda value: ascii(value)[:16],
)
def test_an_invalid_filter_value_is_refused(
    alice: Client, name: str, value: str | list[str], code: str
) -> None:
    assert refused(alice, **{name: value}) == [(name, code)]


def test_a_repeated_single_value_filter_is_refused(alice: Client) -> None:
    assert EVERY_FILTER.keys() == TodoFilters.parameters()
    names = EVERY_FILTER.keys() - {"priority", "tag"}
    query = {name: [EVERY_FILTER[name]] * 2 for name in names}
    assert set(refused(alice, **query)) == {(name, "repeated") for name in names}


def test_all_invalid_filters_are_named_at_once(alice: Client) -> None:
    assert refused(alice, due="soon", completed="maybe", q="fine", tz="Mars/Olympus") == [
        ("completed", "invalid"),
        ("due", "invalid_choice"),
        ("tz", "unknown_timezone"),
    ]
    assert refused(alice, owner="bob", limit=["1", "2"], due="today") == [
        ("owner", "unknown"),
        ("limit", "repeated"),
    ]
