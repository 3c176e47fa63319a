"""A date, a time and a zone, and the moment that they are (RFC 5545 section 3.3.5)."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any

import pytest
from django.db import IntegrityError
from django.test import Client

from todos.due import due_at
from todos.fields import zone_names
from todos.models import Todo
from todos.tests.factories import make_todo
from todos.tests.writing import create, each_value, pointers

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("day", "clock", "zone", "moment"),
    [
        ("2026-07-01", "12:00", "UTC", "2026-07-01T12:00:00Z"),
        ("2026-01-15", "08:30", "Europe/Berlin", "2026-01-15T07:30:00Z"),
        ("2026-07-15", "08:30", "Europe/Berlin", "2026-07-15T06:30:00Z"),
        ("2026-01-15", "00:00", "Pacific/Kiritimati", "2026-01-14T10:00:00Z"),
        ("2026-01-15", "23:59", "Pacific/Pago_Pago", "2026-01-16T10:59:00Z"),
        ("2026-01-15", "12:00", "Asia/Kathmandu", "2026-01-15T06:15:00Z"),
        # The example of the RFC: 2:30 does not exist there, and counts from the time before.
        ("2007-03-11", "02:30", "America/New_York", "2007-03-11T07:30:00Z"),
        # The other one: 1:30 is there twice, and the first is meant.
        ("2007-11-04", "01:30", "America/New_York", "2007-11-04T05:30:00Z"),
        ("2026-03-29", "02:00", "Europe/Berlin", "2026-03-29T01:00:00Z"),
        ("2026-03-29", "02:59", "Europe/Berlin", "2026-03-29T01:59:00Z"),
        ("2026-03-29", "03:00", "Europe/Berlin", "2026-03-29T01:00:00Z"),
        ("2026-10-25", "02:00", "Europe/Berlin", "2026-10-25T00:00:00Z"),
        ("2026-10-25", "03:00", "Europe/Berlin", "2026-10-25T02:00:00Z"),
        ("2026-10-04", "02:15", "Australia/Lord_Howe", "2026-10-03T15:45:00Z"),  # half an hour
        ("2011-12-30", "12:00", "Pacific/Apia", "2011-12-30T22:00:00Z"),  # a day that never was
        ("2018-11-04", "00:00", "America/Sao_Paulo", "2018-11-04T03:00:00Z"),  # no midnight
    ],
)
def test_due_at_is_the_local_time_in_utc(
    alice: Client, day: str, clock: str, zone: str, moment: str
) -> None:
    todo = create(alice, title="x", due_date=day, due_time=clock, timezone=zone).json()
    assert (todo["due_date"], todo["due_time"], todo["timezone"]) == (day, clock, zone)
    assert todo["due_at"] == moment
    assert alice.get(f"/api/todos/{todo['id']}/").json()["due_at"] == moment


@pytest.mark.parametrize("zone", [None, "Asia/Tokyo"])
def test_a_date_alone_stays_a_date(alice: Client, zone: str | None) -> None:
    todo = create(alice, title="x", due_date="2026-02-28", timezone=zone).json()
    assert (todo["due_date"], todo["due_time"], todo["due_at"]) == ("2026-02-28", None, None)


@pytest.mark.parametrize("missing", ["due_date", "timezone"])
def test_a_time_needs_a_date_and_a_timezone(alice: Client, missing: str) -> None:
    whole = {"due_date": "2026-02-28", "due_time": "12:00", "timezone": "UTC"}
    for body in ({**whole, missing: None}, {k: v for k, v in whole.items() if k != missing}):
        assert pointers(create(alice, title="x", **body)) == [("/due_time", "due_time_incomplete")]
    assert not Todo.objects.exists()


def patch(client: Client, todo: Todo, **body: Any) -> Any:
    return client.patch(f"/api/todos/{todo.pk}/", body, content_type="application/json")


def noon(**fields: Any) -> Todo:
    due = {"due_date": date(2026, 1, 15), "due_time": time(12), "timezone": "UTC"}
    return make_todo(**{**due, **fields})


def test_due_at_follows_date_time_and_timezone(alice: Client) -> None:
    todo = noon()
    assert patch(alice, todo, timezone="Asia/Tokyo").json()["due_at"] == "2026-01-15T03:00:00Z"
    assert patch(alice, todo, due_time="13:00").json()["due_at"] == "2026-01-15T04:00:00Z"
    assert patch(alice, todo, due_date="2026-01-16").json()["due_at"] == "2026-01-16T04:00:00Z"
    assert patch(alice, todo, due_time=None).json()["due_at"] is None


@pytest.mark.parametrize("name", ["due_date", "timezone"])
def test_a_timed_todo_keeps_its_date_and_timezone(alice: Client, name: str) -> None:
    todo = noon()
    assert pointers(patch(alice, todo, **{name: None})) == [("/due_time", "due_time_incomplete")]
    assert patch(alice, todo, **{name: None}, due_time=None).status_code == 200


@pytest.mark.parametrize("name", ["due_date", "timezone", "due_at"])
def test_no_row_holds_a_time_without_date_or_timezone(name: str) -> None:
    noon()
    with pytest.raises(IntegrityError):
        Todo.objects.all().write(**{name: None})


def test_no_row_holds_due_at_without_a_time() -> None:
    make_todo()
    with pytest.raises(IntegrityError):
        Todo.objects.all().write(due_at=datetime(2026, 1, 15, 12, tzinfo=UTC))


NO_DAY, A_DATE = "There is no such day.", "Write a date as YYYY-MM-DD, such as 2026-01-31."
BAD_DATES = [
    (NO_DAY, ["2026-02-30", "2026-13-01", "2026-00-01", "2025-02-29", "0000-01-01"]),
    (A_DATE, ["", "2026-1-5", "20260105", "2026-W01-1", "2026-005", "30.01.2026", "tomorrow"]),
    (A_DATE, ["10000-01-01", "-2026-01-01", "\u0662026-01-01", "2026-01-05T00:00:00Z"]),
    (A_DATE, [" 2026-01-05", "2026-01-05 ", "2026-01-05\n", "2026-01-05\0"]),
    (A_DATE, [20260105, True, [], {}]),
]
NO_TIME = "There is no such time: a day has 00:00 to 23:59."
A_TIME = "Write a time as HH:MM, such as 09:30."
BAD_TIMES = [
    (NO_TIME, ["24:00", "25:61", "12:60"]),
    (A_TIME, ["", "9:30", "09:30:00", "12", "1200", "T12:00", "12:00Z", "\uff112:00"]),
    (A_TIME, [930, []]),
]


@pytest.mark.parametrize(("detail", "day"), each_value(BAD_DATES))
def test_an_invalid_date_is_refused_in_body_and_query(alice: Client, detail: str, day: Any) -> None:
    answers = [create(alice, title="x", due_date=day)]
    if isinstance(day, str):
        answers += [alice.get("/api/todos/", {name: day}) for name in ("due_from", "due_before")]
    for answer in answers:
        assert answer.status_code == 400
        (error,) = answer.json()["errors"]
        assert (error["code"], error["detail"]) == ("invalid", detail)


@pytest.mark.parametrize(("detail", "clock"), each_value(BAD_TIMES))
def test_a_time_is_hours_and_minutes(alice: Client, detail: str, clock: Any) -> None:
    response = create(alice, title="x", due_date="2026-01-01", due_time=clock, timezone="UTC")
    assert pointers(response) == [("/due_time", "invalid")]
    assert response.json()["errors"][0]["detail"] == detail


BAD_ZONES = ["Mars/Olympus", "europe/berlin", "localtime", "Factory", "UTC ", "\x00", "x" * 5000]
BAD_ZONES += ["../etc/passwd", "/etc/passwd", "posix/UTC", "zone.tab", "+02:00"]


@pytest.mark.parametrize("zone", BAD_ZONES, ids=lambda zone: ascii(zone)[:16])
def test_an_unknown_timezone_is_refused(alice: Client, zone: str) -> None:
    assert pointers(create(alice, title="x", timezone=zone)) == [("/timezone", "unknown_timezone")]


def test_every_timezone_name_loads_and_fits_its_column() -> None:
    for zone in zone_names():
        assert due_at(date(2026, 1, 1), time(12), zone) is not None
        assert len(zone) <= 64


@pytest.mark.parametrize(
    ("day", "clock", "zone"),
    [
        ("0001-01-01", "00:00", "Asia/Tokyo"),
        ("9999-12-31", "23:59", "Pacific/Pago_Pago"),
    ],
)
def test_a_due_at_outside_the_years_1_to_9999_is_refused(
    alice: Client, day: str, clock: str, zone: str
) -> None:
    body = {"due_date": day, "due_time": clock, "timezone": zone}
    assert pointers(create(alice, title="x", **body)) == [("/due_time", "due_at_unknown")]
    assert create(alice, title="x", due_date=day).status_code == 201


def test_a_todo_in_a_removed_timezone_can_still_change(alice: Client) -> None:
    todo = make_todo(due_date=date(2026, 1, 15), timezone="Atlantis/Capital")
    assert patch(alice, todo, title="x").status_code == 200
    assert pointers(patch(alice, todo, due_time="12:00")) == [("/due_time", "due_at_unknown")]
    assert patch(alice, todo, due_time="12:00", timezone="UTC").status_code == 200
    Todo.objects.all().write(timezone="Atlantis/Capital")
    assert patch(alice, todo, title="y").status_code == 200
