"""Filter values that the list refuses."""

from __future__ import annotations

import pytest
from django.test import Client

from todos.filters import TodoFilters
from todos.tests.finding import EVERY_FILTER, LONGEST, refused

pytestmark = pytest.mark.django_db

DIGITS = "٠١٢٣٤٥٦٧٨٩"
ARABIC_DATE = "2026-01-05".translate(str.maketrans("0123456789", DIGITS))

BAD_DATES = {
    "blank": "",
    "no day of the calendar": "2026-02-30",
    "without zeros": "2026-1-5",
    "basic": "20260105",
    "week": "2026-W01-1",
    "ordinal": "2026-005",
    "Arabic digits": ARABIC_DATE,
    "year 0": "0000-01-01",
    "five digits": "10000-01-01",
    "a moment": "2026-01-05T00:00:00Z",
    "space": " 2026-01-05",
    "newline": "2026-01-05\n",
    "a word": "today",
    "NUL": "2026-01-05\0",
}
BAD_MOMENTS = {
    "blank": "",
    "a date": "2026-01-05",
    "naive": "2026-01-05T00:00:00",
    "a plus that is a space": "2026-01-05T00:00:00 01:00",
    "no T": "2026-01-05 00:00:00Z",
    "no seconds": "2026-01-05T00:00Z",
    "hour 24": "2026-01-05T24:00:00Z",
    "minute 60": "2026-01-05T00:60:00Z",
    "second 60": "2026-06-30T23:59:60Z",
    "no day of the calendar": "2026-02-30T00:00:00Z",
    "basic": "20260105T000000Z",
    "week": "2026-W01-1T00:00:00Z",
    "Arabic digits": ARABIC_DATE + "T00:00:00Z",
    "Arabic fraction": f"2026-01-05T00:00:00.{DIGITS[5]}Z",
    "comma": "2026-01-05T00:00:00,5Z",
    "no fraction": "2026-01-05T00:00:00.Z",
    "short offset": "2026-01-05T00:00:00+01",
    "basic offset": "2026-01-05T00:00:00+0100",
    "offset of a day": "2026-01-05T00:00:00+24:00",
    "offset of 60 minutes": "2026-01-05T00:00:00+01:60",
    "offset with seconds": "2026-01-05T00:00:00+01:00:00",
    "year 0": "0000-01-01T00:00:00Z",
    "year 0 in UTC": "0001-01-01T00:00:00+00:01",
    "year 10000 in UTC": "9999-12-31T23:59:59-00:01",
    "rounded up to year 10000": "9999-12-31T23:59:59.9999999Z",
    "five digits": "10000-01-01T00:00:00Z",
    "seconds since 1970": "1767571200",
    "newline": "2026-01-05T00:00:00Z\n",
    "NUL": "2026-01-05T00:00:00Z\0",
    "of 5,000 digits": f"2026-01-05T00:00:00.{'0' * 5000}",
}


@pytest.mark.parametrize("value", BAD_DATES.values(), ids=BAD_DATES)
def test_an_invalid_date_filter_is_refused(alice: Client, value: str) -> None:
    expected = [("due_from", "invalid"), ("due_before", "invalid")]
    assert refused(alice, due_from=value, due_before=value) == expected


@pytest.mark.parametrize("value", BAD_MOMENTS.values(), ids=BAD_MOMENTS)
def test_an_invalid_date_time_filter_is_refused(alice: Client, value: str) -> None:
    names = ["created_from", "created_before", "updated_from", "updated_before"]
    assert refused(alice, **dict.fromkeys(names, value)) == [(name, "invalid") for name in names]


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
