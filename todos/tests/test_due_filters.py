"""The filter ``due`` by the clock of a time zone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from todos.tests.factories import make_todo
from todos.tests.finding import found

pytestmark = pytest.mark.django_db

At = Callable[[datetime], None]
MICROSECOND = timedelta(microseconds=1)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> At:
    """``at(moment)``: from here on it is that moment."""
    return lambda moment: monkeypatch.setattr("django.utils.timezone.now", lambda: moment)


def due(moment: datetime) -> dict[str, Any]:
    return {"due_date": moment.date(), "due_time": moment.time(), "timezone": "UTC"}


DAYS = [
    ("UTC", "2026-03-15", "2026-03-15T00:00Z", "2026-03-16T00:00Z"),
    ("Europe/Berlin", "2026-03-15", "2026-03-14T23:00Z", "2026-03-15T23:00Z"),
    ("Europe/Berlin", "2026-03-29", "2026-03-28T23:00Z", "2026-03-29T22:00Z"),  # 23 hours
    ("Europe/Berlin", "2026-10-25", "2026-10-24T22:00Z", "2026-10-25T23:00Z"),  # 25 hours
    ("America/New_York", "2026-03-08", "2026-03-08T05:00Z", "2026-03-09T04:00Z"),
    ("America/New_York", "2026-11-01", "2026-11-01T04:00Z", "2026-11-02T05:00Z"),
    ("Pacific/Kiritimati", "2026-03-15", "2026-03-14T10:00Z", "2026-03-15T10:00Z"),
    ("Pacific/Pago_Pago", "2026-03-15", "2026-03-15T11:00Z", "2026-03-16T11:00Z"),
    # Midnight is skipped there and then: the day starts at one o'clock.
    ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00Z", "2018-11-05T02:00Z"),
    ("America/Sao_Paulo", "2018-11-03", "2018-11-03T03:00Z", "2018-11-04T03:00Z"),
    ("Africa/Cairo", "2024-04-26", "2024-04-25T22:00Z", "2024-04-26T21:00Z"),
    ("America/Havana", "2024-11-03", "2024-11-03T04:00Z", "2024-11-04T05:00Z"),  # or comes twice
]


@pytest.mark.parametrize("last", [False, True], ids=["first moment", "last moment"])
@pytest.mark.parametrize(("zone", "day", "start", "end"), DAYS)
def test_due_today_is_from_midnight_to_midnight(
    alice: Client, at: At, zone: str, day: str, start: str, end: str, last: bool
) -> None:
    today = date.fromisoformat(day)
    first, after = datetime.fromisoformat(start), datetime.fromisoformat(end)
    for moment in (first - MINUTE, first, after - MINUTE, after):
        make_todo(title=moment.isoformat(), **due(moment))
    for days in (-1, 0, 1):
        make_todo(title=f"{days} days", due_date=today + days * DAY)
    make_todo(title="never")
    at(after - MICROSECOND if last else first)
    assert found(alice, due="today", tz=zone) == {
        "0 days",
        first.isoformat(),
        (after - MINUTE).isoformat(),
    }


@pytest.mark.parametrize(("zone", "day", "start", "end"), DAYS)
def test_a_date_alone_is_overdue_when_its_day_is_over(
    alice: Client, at: At, zone: str, day: str, start: str, end: str
) -> None:
    make_todo(title="day", due_date=date.fromisoformat(day))
    make_todo(title="day and zone", due_date=date.fromisoformat(day), timezone="Asia/Tokyo")
    make_todo(title="done", due_date=date.fromisoformat(day), completed=True)
    make_todo(title="never")
    at(datetime.fromisoformat(end) - MICROSECOND)
    assert found(alice, due="overdue", tz=zone) == set()
    at(datetime.fromisoformat(end))
    assert found(alice, due="overdue", tz=zone) == {"day", "day and zone"}


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_a_time_is_overdue_from_the_next_moment_in_every_timezone(
    alice: Client, at: At, zone: str
) -> None:
    noon = datetime.fromisoformat("2026-03-15T12:00Z")
    make_todo(title="open", **due(noon))
    make_todo(title="done", **due(noon), completed=True)
    at(noon)
    assert found(alice, due="overdue", tz=zone) == set()
    at(noon + MICROSECOND)
    assert found(alice, due="overdue", tz=zone) == {"open"}


def test_due_today_includes_completed_todos(alice: Client, at: At) -> None:
    make_todo(title="done", due_date=date(2026, 3, 15), completed=True)
    at(datetime.fromisoformat("2026-03-15T12:00Z"))
    assert found(alice, due="today") == {"done"}
    assert found(alice, due="today", completed="false") == set()


def test_a_todo_may_be_due_today_and_overdue(alice: Client, at: At) -> None:
    moment = datetime.fromisoformat("2026-03-15T12:00Z")
    make_todo(title="this morning", **due(moment - MINUTE))
    at(moment)
    assert found(alice, due="today") == found(alice, due="overdue") == {"this morning"}


def test_due_without_tz_uses_the_day_in_utc(alice: Client, at: At) -> None:
    make_todo(title="today", due_date=date(2026, 3, 15))
    at(datetime.fromisoformat("2026-03-15T00:00Z"))
    assert found(alice, due="today") == {"today"}
    assert found(alice, due="today", tz="America/New_York") == set()
    at(datetime.fromisoformat("2026-03-15T23:59Z"))
    assert found(alice, due="today") == {"today"}
    assert found(alice, due="today", tz="Asia/Tokyo") == set()


def test_due_none_finds_todos_without_a_date(alice: Client) -> None:
    make_todo(title="never")
    make_todo(title="date", due_date=date(2026, 3, 15))
    make_todo(title="zone", timezone="UTC")
    assert found(alice, due="none") == {"never", "zone"}


def test_tz_without_due_filters_nothing(alice: Client) -> None:
    make_todo(title="never")
    make_todo(title="long ago", due_date=date(2000, 1, 1))
    assert found(alice, tz="Europe/Berlin") == {"never", "long ago"}


@pytest.mark.parametrize("moment", ["0001-01-02T00:00Z", "9999-12-29T00:00Z"])
def test_due_today_works_at_the_ends_of_the_calendar(alice: Client, at: At, moment: str) -> None:
    at(datetime.fromisoformat(moment))
    for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):
        assert found(alice, due="today", tz=zone) == found(alice, due="overdue", tz=zone) == set()
