"""Requests that write todos, and the mistakes in their answers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from django.test import Client

# Method, action and body of each change of one todo.
CHANGES = {
    "PUT": ("PUT", "", '{"title": "Changed"}'),
    "PATCH": ("PATCH", "", '{"title": "Changed"}'),
    "DELETE": ("DELETE", "", ""),
    "complete": ("POST", "complete/", ""),
    "reopen": ("POST", "reopen/", ""),
}
every_change = pytest.mark.parametrize("change", CHANGES)


def create(client: Client, **body: Any) -> Any:
    return client.post("/api/todos/", body, content_type="application/json")


def ask(client: Client, change: str, todo: Any, **headers: str) -> Any:
    """Send one of ``CHANGES``."""
    method, action, body = CHANGES[change]
    return client.generic(
        method, f"/api/todos/{todo.pk}/{action}", body, "application/json", headers=headers
    )


def pointers(response: Any) -> list[tuple[str, str]]:
    """Return pointer and code of each error of a 400."""
    assert response.status_code == 400
    return [(error["pointer"], error["code"]) for error in response.json()["errors"]]


def each_value(table: Iterable[tuple[Any, ...]]) -> list[Any]:
    """Return a parameter set for each value in the lists at the ends of the rows."""
    return [
        pytest.param(*row, value, id=f"{row[0]} {ascii(value)[:24]}")
        for *row, values in table
        for value in values
    ]
