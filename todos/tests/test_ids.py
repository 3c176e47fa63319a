"""The id in a body: none in a new todo, and the todo's own in a change."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.test import Client

from todos.models import Todo
from todos.tests.factories import make_todo
from todos.tests.writing import create, pointers

pytestmark = pytest.mark.django_db

JSON = "application/json"
IDS: list[Any] = [str(uuid.UUID(int=1)), "other", "", None, 7, ["x"]]


@pytest.mark.parametrize("value", IDS, ids=str)
def test_a_create_with_an_id_is_refused(alice: Client, value: Any) -> None:
    assert pointers(create(alice, title="x", id=value)) == [("/id", "id_not_supported")]
    assert not Todo.objects.exists()


def test_a_create_of_a_batch_with_an_id_is_refused(alice: Client) -> None:
    operations = [{"op": "create", "title": "x"}, {"op": "create", "title": "x", "id": "y"}]
    response = alice.post("/api/todos/batch/", {"operations": operations}, content_type=JSON)
    assert pointers(response) == [("/operations/1/id", "id_not_supported")]
    assert not Todo.objects.exists()


def test_an_id_is_refused_together_with_other_errors(alice: Client) -> None:
    response = create(alice, title="", id="x", colour="red")
    assert sorted(pointers(response)) == [
        ("/colour", "unknown_field"),
        ("/id", "id_not_supported"),
        ("/title", "blank"),
    ]


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
class TestChange:
    @pytest.mark.parametrize("value", IDS, ids=str)
    def test_a_change_with_the_id_of_another_todo_is_refused(
        self, alice: Client, method: str, value: Any
    ) -> None:
        todo = make_todo()
        body = {"title": "Changed", "id": value}
        response: Any = getattr(alice, method.lower())(
            f"/api/todos/{todo.pk}/", body, content_type=JSON
        )
        assert pointers(response) == [("/id", "id_mismatch")]
        assert Todo.objects.get().version == todo.version

    @pytest.mark.parametrize("spell", [str.lower, str.upper])
    def test_a_change_may_repeat_its_own_id(self, alice: Client, method: str, spell: Any) -> None:
        todo = make_todo()
        body = {"title": "Changed", "id": spell(str(todo.pk))}
        response: Any = getattr(alice, method.lower())(
            f"/api/todos/{todo.pk}/", body, content_type=JSON
        )
        assert (response.status_code, response.json()["title"]) == (200, "Changed")

    def test_a_get_can_be_sent_back_as_a_change(self, alice: Client, method: str) -> None:
        path = f"/api/todos/{make_todo().pk}/"
        before = alice.get(path).json()
        response: Any = getattr(alice, method.lower())(path, before, content_type=JSON)
        assert (response.status_code, response.json()) == (200, before)
