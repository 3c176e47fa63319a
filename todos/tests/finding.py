"""Lists of todos through filters."""

from __future__ import annotations

from typing import Any

from django.test import Client

from todos.tests.walking import shown

LONGEST = 100 * "e\u0301"  # 100 characters after composition
# A valid value for each filter.
EVERY_FILTER: dict[str, Any] = {
    "completed": "false",
    "priority": ["high", "low"],
    "tag": ["a", "b"],
    "q": "x",
    "due": "today",
    "tz": "Europe/Berlin",
    "due_from": "2000-01-01",
    "due_before": "9000-01-01",
    "created_from": "2000-01-01T00:00:00Z",
    "created_before": "9000-01-01T00:00:00Z",
    "updated_from": "2000-01-01T00:00:00Z",
    "updated_before": "9000-01-01T00:00:00Z",
    "list": "none",
}


def found(client: Client, **query: Any) -> set[str]:
    response = client.get("/api/todos/", query)
    assert response.status_code == 200, response.json()
    return set(shown(response.json()))


def refused(client: Client, **query: Any) -> list[tuple[str, str]]:
    """Return the refused parameters with their codes."""
    response = client.get("/api/todos/", query)
    assert (response.status_code, response.json()["code"]) == (400, "invalid_parameter")
    return [(error["parameter"], error["code"]) for error in response.json()["errors"]]
