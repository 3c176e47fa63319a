from __future__ import annotations

import pytest
from django.test import Client

from todos.tests.factories import make_todo


@pytest.mark.django_db
def test_a_path_without_its_slash_has_the_same_answer(alice: Client) -> None:
    todo = make_todo()
    for path in ("/api", "/api/todos", f"/api/todos/{todo.pk}"):
        assert alice.get(path).json() == alice.get(f"{path}/").json()
    created = alice.post("/api/todos", {"title": "x"}, content_type="application/json")
    assert created.status_code == 201
    assert alice.generic("POST", f"/api/todos/{todo.pk}/complete").json()["completed"] is True
    assert alice.delete(f"/api/todos/{todo.pk}").status_code == 204
