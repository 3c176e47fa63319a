"""A todo in a list: ``list_id`` in bodies, batches and filters, and what a deletion leaves."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from lists.models import TodoList
from tests.support.meanwhile import Meanwhile
from tests.support.problems import problem, without_instance
from tests.support.statements import A_CHANGE
from todos.models import Todo
from todos.tests.factories import make_todo
from todos.tests.writing import ask, create, pointers

pytestmark = pytest.mark.django_db

TODOS, BATCH = "/api/todos/", "/api/todos/batch/"


def make_list(owner_id: str = "alice", name: str = "Home") -> TodoList:
    made: TodoList = TodoList.objects.create(owner_id=owner_id, name=name)
    return made


def patch(client: Client, todo: Todo, **body: Any) -> Any:
    return client.patch(f"{TODOS}{todo.pk}/", body, content_type="application/json")


def test_a_todo_is_put_into_a_list_and_taken_out(alice: Client) -> None:
    home, work = make_list(), make_list(name="Work")
    created = create(alice, title="x", list_id=str(home.pk)).json()
    assert created["list_id"] == str(home.pk)
    todo = Todo.objects.get()
    moved = patch(alice, todo, list_id=str(work.pk).upper()).json()
    assert moved["list_id"] == str(work.pk)
    assert moved["etag"] != created["etag"]
    assert patch(alice, todo, list_id=str(work.pk)).json() == moved
    assert patch(alice, todo, list_id=None).json()["list_id"] is None
    patch(alice, todo, list_id=str(work.pk))
    path = f"{TODOS}{todo.pk}/"
    replaced = alice.put(path, {"title": "x"}, content_type="application/json").json()
    assert replaced["list_id"] is None


@pytest.mark.parametrize("value", [7, "", "none", "{0}", [], True], ids=str)
def test_a_list_id_is_a_uuid(alice: Client, value: Any) -> None:
    assert pointers(create(alice, title="x", list_id=value)) == [("/list_id", "invalid")]


def test_a_foreign_list_is_the_same_400_as_a_missing_one(alice: Client) -> None:
    todo = make_todo()
    answers = []
    for list_id in (str(make_list(owner_id="bob").pk), str(uuid.uuid4())):
        operations = [{"op": "create", "title": "x", "list_id": list_id}]
        answers.append(
            [
                without_instance(problem(response, 400, "validation_failed"))
                for response in (
                    create(alice, title="x", list_id=list_id),
                    patch(alice, todo, list_id=list_id),
                    alice.post(BATCH, {"operations": operations}, content_type="application/json"),
                )
            ]
        )
        filtered = problem(alice.get(TODOS, {"list": list_id}), 400, "invalid_parameter")
        answers[-1].append(without_instance(filtered))
    assert answers[0] == answers[1]
    assert [body["errors"][0]["code"] for body in answers[0]] == ["not_found"] * 4
    assert answers[0][0]["errors"][0]["pointer"] == "/list_id"
    assert answers[0][2]["errors"][0]["pointer"] == "/operations/0/list_id"
    assert Todo.objects.get().list_id is None


def test_a_batch_moves_todos_into_lists(alice: Client) -> None:
    home, todo = make_list(), make_todo()
    operations = [
        {"op": "create", "title": "x", "list_id": str(home.pk)},
        {"op": "update", "id": str(todo.pk), "list_id": str(home.pk)},
    ]
    response = alice.post(BATCH, {"operations": operations}, content_type="application/json")
    assert [each["list_id"] for each in response.json()["results"]] == [str(home.pk)] * 2


def test_the_list_filter(alice: Client, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    home, empty = make_list(), make_list(name="Empty")
    inside, outside = make_todo(list=home), make_todo()

    def found(list_id: Any) -> list[str]:
        return [each["id"] for each in alice.get(TODOS, {"list": list_id}).json()["results"]]

    with django_assert_num_queries(1):
        assert found(home.pk) == [str(inside.pk)]
    assert found(str(home.pk).upper()) == [str(inside.pk)]
    assert found(empty.pk) == []
    assert found("none") == [str(outside.pk)]
    for value in ("", "null", "None", "x", f"{{{home.pk}}}"):
        problem(alice.get(TODOS, {"list": value}), 400, "invalid_parameter")


def test_a_deleted_list_leaves_its_todos_with_new_etags(alice: Client, bob: Client) -> None:
    home, work = make_list(), make_list(name="Work")
    inside, elsewhere, outside = make_todo(list=home), make_todo(list=work), make_todo()
    assert bob.delete(f"/api/lists/{home.pk}/").status_code == 403
    assert alice.delete(f"/api/lists/{home.pk}/").status_code == 204
    left = alice.get(f"{TODOS}{inside.pk}/").json()
    assert left["list_id"] is None
    assert left["etag"] != inside.etag
    assert left["updated_at"] > left["created_at"]
    for todo in (elsewhere, outside):
        assert alice.get(f"{TODOS}{todo.pk}/").json()["etag"] == todo.etag
    stale = ask(alice, "PATCH", inside, **{"If-Match": inside.etag})
    problem(stale, 412, "precondition_failed")


def test_a_link_costs_its_lock(
    alice: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    home, todo = make_list(), make_todo()
    with django_assert_num_queries(A_CHANGE):
        create(alice, title="x")
    with django_assert_num_queries(4 + A_CHANGE):  # BEGIN, the lock, the list, COMMIT
        create(alice, title="x", list_id=str(home.pk))
    with django_assert_num_queries(1 + A_CHANGE):
        patch(alice, todo, title="y")
    with django_assert_num_queries(5 + A_CHANGE):
        patch(alice, todo, list_id=str(home.pk))


def test_a_list_deleted_meanwhile_is_the_400_of_a_missing_one(
    alice: Client, meanwhile: Meanwhile
) -> None:
    home, todo = make_list(), make_todo()
    meanwhile(home.remove)
    assert pointers(patch(alice, todo, list_id=str(home.pk))) == [("/list_id", "not_found")]
