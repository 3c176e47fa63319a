"""The text of an error can be shown to whoever made the mistake."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db

NEW = {"op": "create", "title": "x"}


@pytest.mark.parametrize(
    ("path", "body", "params"),
    [
        ("", {"title": "x" * 501}, {"max": 500}),
        ("", {"title": "x", "description": "x" * 10_001}, {"max": 10_000}),
        ("", {"title": "x", "tags": ["x" * 51]}, {"max": 50}),
        ("", {"title": "x", "tags": ["x"] * 21}, {"max": 20}),
        ("", {"title": ""}, {}),
        ("", {"title": "x", "due_date": "2026-02-30"}, {}),
        ("", {"title": "x", "priority": "501"}, {}),
        ("batch/", {"operations": []}, {"min": 1}),
        ("batch/", {"operations": [NEW] * 101}, {"max": 100}),
        ("?limit=201", None, {"min": 1, "max": 200}),
        (f"?q={'x' * 101}", None, {"max": 100}),
        (f"?tag={'x' * 51}", None, {"max": 50}),
        ("?due=7", None, {}),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_the_numbers_of_a_detail_are_its_params(
    alice: Client, path: str, body: Any, params: dict[str, int]
) -> None:
    text = json.dumps(body) if body else ""
    method = "POST" if body else "GET"
    response = alice.generic(method, f"/api/todos/{path}", text, "application/json")
    (error,) = response.json()["errors"]
    assert error.get("params", {}) == params
    for number in params.values():
        assert str(number) in error["detail"]
