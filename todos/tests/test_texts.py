"""The text of an error can be shown to whoever made the mistake."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from todos.tests.writing import create

pytestmark = pytest.mark.django_db

NO_DAY = "There is no such day."
NO_TIME = "There is no such time: a day has 00:00 to 23:59."


def error(response: Any) -> dict[str, Any]:
    assert response.status_code == 400
    [only] = response.json()["errors"]
    return {name: only[name] for name in only if name not in ("pointer", "parameter")}


@pytest.mark.parametrize(
    ("value", "detail"),
    [
        ("2026-02-30", NO_DAY),
        ("2026-13-01", NO_DAY),
        ("2026-00-01", NO_DAY),
        ("2025-02-29", NO_DAY),
        ("0000-01-01", NO_DAY),
        ("30.01.2026", "Write a date as YYYY-MM-DD, such as 2026-01-31."),
        ("2026-1-5", "Write a date as YYYY-MM-DD, such as 2026-01-31."),
        (20260105, "Write a date as YYYY-MM-DD, such as 2026-01-31."),
    ],
)
def test_the_detail_of_an_invalid_date_names_its_fault(
    alice: Client, value: Any, detail: str
) -> None:
    expected = {"code": "invalid", "detail": detail}
    assert error(create(alice, title="x", due_date=value)) == expected
    if isinstance(value, str):
        assert error(alice.get("/api/todos/", {"due_from": value})) == expected


@pytest.mark.parametrize(
    ("value", "detail"),
    [
        ("24:00", NO_TIME),
        ("25:61", NO_TIME),
        ("23:60", NO_TIME),
        ("9:30", "Write a time as HH:MM, such as 09:30."),
        ("09:30:00", "Write a time as HH:MM, such as 09:30."),
        (930, "Write a time as HH:MM, such as 09:30."),
    ],
)
def test_the_detail_of_an_invalid_time_names_its_fault(
    alice: Client, value: Any, detail: str
) -> None:
    response = create(alice, title="x", due_time=value, due_date="2026-01-01", timezone="UTC")
    assert error(response) == {"code": "invalid", "detail": detail}


@pytest.mark.parametrize(
    ("value", "detail"),
    [
        ("2026-02-30T00:00:00Z", NO_DAY),
        ("0000-01-01T00:00:00Z", NO_DAY),
        ("2026-01-05T24:00:00Z", NO_TIME),
        ("2026-01-05T00:60:00Z", NO_TIME),
        ("2026-06-30T23:59:60Z", "Seconds are 00 to 59: leap seconds are not kept."),
        ("2026-01-05T00:00:61Z", "Seconds are 00 to 59: leap seconds are not kept."),
        ("2026-01-05T00:00:00+24:00", "There is no such offset from UTC."),
        ("2026-01-05T00:00:00-01:60", "There is no such offset from UTC."),
        ("9999-12-31T23:59:59-00:01", "In UTC this is not in the years 0001 to 9999."),
        ("0001-01-01T00:00:00+00:01", "In UTC this is not in the years 0001 to 9999."),
    ],
)
def test_the_detail_of_an_invalid_moment_names_its_fault(
    alice: Client, value: str, detail: str
) -> None:
    answer = error(alice.get("/api/todos/", {"created_from": value}))
    assert answer == {"code": "invalid", "detail": detail}


@pytest.mark.parametrize(
    ("body", "params"),
    [
        ({"title": "x" * 501}, {"max": 500}),
        ({"title": "x", "description": "x" * 10_001}, {"max": 10_000}),
        ({"title": "x", "tags": ["x" * 51]}, {"max": 50}),
        ({"title": "x", "tags": ["x"] * 21}, {"max": 20}),
        ({"title": ""}, None),
        ({"title": "x", "due_date": "2026-02-30"}, None),
        ({"title": "x", "priority": "501"}, None),
    ],
)
def test_the_numbers_of_a_detail_are_its_params(
    alice: Client, body: dict[str, Any], params: dict[str, int] | None
) -> None:
    answer = error(create(alice, **body))
    assert answer.get("params") == params
    for number in (params or {}).values():
        assert str(number) in answer["detail"]


@pytest.mark.parametrize(
    ("query", "params"),
    [
        ({"limit": "201"}, {"min": 1, "max": 200}),
        ({"q": "x" * 101}, {"max": 100}),
        ({"tag": "x" * 51}, {"max": 50}),
        ({"due": "7"}, None),
    ],
)
def test_the_numbers_of_a_parameter_error_are_its_params(
    alice: Client, query: dict[str, str], params: dict[str, int] | None
) -> None:
    assert error(alice.get("/api/todos/", query)).get("params") == params


@pytest.mark.parametrize(("count", "params"), [(0, {"min": 1}), (101, {"max": 100})])
def test_the_numbers_of_a_batch_error_are_its_params(
    alice: Client, count: int, params: dict[str, int]
) -> None:
    body = {"operations": [{"op": "create", "title": "x"}] * count}
    answer = error(alice.post("/api/todos/batch/", body, content_type="application/json"))
    assert answer["params"] == params
