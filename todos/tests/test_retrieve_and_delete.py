from __future__ import annotations

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from tests.support.statements import A_CHANGE
from todos.models import Todo
from todos.tests.factories import make_todo

pytestmark = pytest.mark.django_db


def test_retrieving_costs_one_query(
    alice: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    todo = make_todo(title="Buy milk")
    with django_assert_num_queries(1):
        response = alice.get(f"/api/todos/{todo.pk}/")
    assert (response.status_code, response.json()["title"]) == (200, "Buy milk")


def test_an_id_is_one_address_in_either_case(alice: Client) -> None:
    todo = make_todo()
    assert alice.get(f"/api/todos/{str(todo.pk).upper()}/").status_code == 200
    for spelling in (todo.pk.hex, f"{{{todo.pk}}}", todo.pk.urn, f"{todo.pk} "):
        assert alice.get(f"/api/todos/{spelling}/").status_code == 404


@pytest.mark.parametrize(
    "todo_id",
    ["1", "abc", "%00", "%FF", "..", "00000000-0000-0000-0000-00000000000g", "é", "x" * 3000],
)
@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
def test_an_id_other_than_a_uuid_is_404(alice: Client, method: str, todo_id: str) -> None:
    response = getattr(alice, method)(f"/api/todos/{todo_id}/")
    assert (response.status_code, response.json()["code"]) == (404, "not_found")


def test_deleting_costs_a_read_and_a_change(
    alice: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    todo, other = make_todo(), make_todo()
    with django_assert_num_queries(1 + A_CHANGE):
        response = alice.delete(f"/api/todos/{todo.pk}/")
    assert (response.status_code, response.content) == (204, b"")
    assert "Content-Length" not in response
    assert alice.delete(f"/api/todos/{todo.pk}/").status_code == 404
    assert list(Todo.objects.filter(deleted_at=None)) == [other]
