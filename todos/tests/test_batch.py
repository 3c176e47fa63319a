"""Several changes as one: all of them, in their order, or none."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries, Settings

from tests.support.problems import problem
from tests.support.statements import A_CHANGE
from todos.models import Todo
from todos.tests.factories import make_todo
from todos.tests.writing import create, pointers

pytestmark = pytest.mark.django_db

PATH = "/api/todos/batch/"
DELETE = {"op": "delete", "id": str(uuid.UUID(int=1))}


def batch(client: Client, *operations: Any) -> Any:
    return client.post(PATH, {"operations": operations}, content_type="application/json")


def new(title: Any = "New", **fields: Any) -> dict[str, Any]:
    return {"op": "create", "title": title, **fields}


def on(todo: Todo, op: str, **fields: Any) -> dict[str, Any]:
    return {"op": op, "id": str(todo.pk), **fields}


def test_each_operation_does_what_its_request_does(alice: Client) -> None:
    changed, deleted, done, undone = (make_todo(title=str(number)) for number in range(4))
    undone.change(completed=True)
    response = batch(
        alice,
        new(priority="high", tags=["a"]),
        on(changed, "update", description="More"),
        on(deleted, "delete"),
        on(done, "complete"),
        on(undone, "reopen"),
    )
    assert response.status_code == 200
    created, after, nothing, completed, reopened = response.json()["results"]
    assert (created["title"], created["priority"], created["tags"]) == ("New", "high", ["a"])
    assert (after["title"], after["description"]) == ("0", "More")
    assert nothing is None
    assert (completed["completed"], reopened["completed"]) == (True, False)
    for todo in (created, after, completed, reopened):
        assert alice.get(f"/api/todos/{todo['id']}/").json() == todo
    assert Todo.objects.get(pk=deleted.pk).deleted_at
    assert {todo.owner_id for todo in Todo.objects.all()} == {"alice"}


def test_a_batch_creates_for_the_user_of_its_token(bob: Client) -> None:
    batch(bob, new())
    assert Todo.objects.get().owner_id == "bob"


def test_an_update_is_a_merge_patch(alice: Client) -> None:
    todo = make_todo(title="Kept", description="Gone", due_date=date(2026, 1, 1))
    (after,) = batch(alice, on(todo, "update", description=None)).json()["results"]
    assert (after["title"], after["description"], after["due_date"]) == ("Kept", "", "2026-01-01")


def test_an_update_accepts_the_body_of_a_get(alice: Client) -> None:
    todo = create(alice, title="x").json()
    response = batch(alice, {"op": "update", **todo})
    assert response.json()["results"] == [todo]


def test_operations_run_in_their_order(alice: Client) -> None:
    todo = make_todo()
    results = batch(
        alice, on(todo, "update", title="1"), on(todo, "complete"), on(todo, "update", title="2")
    ).json()["results"]
    assert [(each["title"], each["completed"]) for each in results] == [
        ("1", False), ("1", True), ("2", True),
    ]  # fmt: skip
    assert alice.get(f"/api/todos/{todo.pk}/").json() == results[-1]


def test_an_operation_on_a_deleted_todo_is_not_found(alice: Client) -> None:
    todo = make_todo()
    response = batch(alice, on(todo, "delete"), on(todo, "complete"))
    assert pointers(response) == [("/operations/1/id", "not_found")]
    assert Todo.objects.exists()


def test_a_batch_locks_its_owner_first(alice: Client) -> None:
    todos = [make_todo() for _ in range(3)]
    with CaptureQueriesContext(connection) as queries:
        batch(alice, *(on(todo, "complete") for todo in todos))
    about = [query["sql"] for query in queries if "SAVEPOINT" not in query["sql"]]
    assert "api_changecounter" in about[0]


class TestIdsOfTheClient:
    def test_later_operations_name_a_created_todo(self, alice: Client, settings: Settings) -> None:
        settings.REQUIRE_IF_MATCH = True
        made, gone = Todo(pk=uuid.uuid4()), Todo(pk=uuid.uuid4())
        response = batch(
            alice,
            new(id=str(made.pk)),
            on(made, "update", title="Changed"),
            on(made, "complete"),
            new(id=str(gone.pk)),
            on(gone, "delete"),
        )
        created, changed, completed, _, deleted = response.json()["results"]
        assert (created["id"], created["title"]) == (str(made.pk), "New")
        assert (changed["title"], completed["completed"], deleted) == ("Changed", True, None)
        assert alice.get(f"/api/todos/{made.pk}/").json() == completed
        assert alice.get(f"/api/todos/{gone.pk}/").status_code == 404

    def test_a_repeated_batch_changes_nothing(self, alice: Client, settings: Settings) -> None:
        settings.REQUIRE_IF_MATCH = True
        made = Todo(pk=uuid.uuid4())
        operations = new(id=str(made.pk)), on(made, "complete")
        first = batch(alice, *operations).json()["results"]
        assert batch(alice, *operations).json()["results"] == [first[1]] * 2

    def test_a_todo_is_named_after_it_is_created(self, alice: Client) -> None:
        made = Todo(pk=uuid.uuid4())
        response = batch(alice, on(made, "complete"), new(id=str(made.pk)))
        assert pointers(response) == [("/operations/0/id", "not_found")]
        assert not Todo.objects.exists()

    def test_a_stale_etag_of_a_created_todo_brings_none(self, alice: Client) -> None:
        made = Todo(pk=uuid.uuid4())
        response = batch(alice, new(id=str(made.pk)), on(made, "complete", etag='"stale"'))
        assert (response.status_code, "current" in response.json()) == (412, False)

    @pytest.mark.parametrize("owner", ["alice", "bob"])
    def test_a_taken_id_rolls_back_the_batch(self, alice: Client, owner: str) -> None:
        taken = make_todo(owner_id=owner)
        id_ = str(taken.pk)
        response = batch(alice, new(), new(id=id_), on(taken, "update", title=""), new(id=id_))
        detail = "This id is taken. Create the row with a new id."
        error = {"pointer": "/operations/1/id", "code": "id_taken", "detail": detail}
        assert problem(response, 409, "id_taken")["errors"] == [error]
        assert list(Todo.objects.all()) == [taken]

    def test_a_stale_etag_comes_before_a_taken_id(self, alice: Client) -> None:
        todo = make_todo()
        operations = new(id=str(todo.pk)), on(todo, "complete", etag='"stale"')
        assert batch(alice, *operations).json()["code"] == "precondition_failed"


class TestAllOrNothing:
    def test_one_invalid_operation_rolls_back_the_batch(self, alice: Client) -> None:
        todo, other = make_todo(title="Kept"), make_todo()
        response = batch(
            alice, new(), on(todo, "update", title="x"), on(other, "delete"), new(title="")
        )
        assert pointers(response) == [("/operations/3/title", "blank")]
        assert response.json()["code"] == "validation_failed"
        assert {each.version for each in Todo.objects.all()} == {todo.version, other.version}

    def test_every_error_has_its_pointer(self, alice: Client) -> None:
        todo = make_todo()
        response = batch(
            alice,
            new(title="x" * 501),
            new(),
            on(todo, "update", due_time="12:00"),
            new(owner_id="bob", tags=["ok", ""]),
            on(todo, "update", title=None, colour="red"),
        )
        assert sorted(pointers(response)) == [
            ("/operations/0/title", "max_length"),
            ("/operations/2/due_time", "due_time_incomplete"),
            ("/operations/3/owner_id", "unknown_field"),
            ("/operations/3/tags/1", "blank"),
            ("/operations/4/colour", "unknown_field"),
            ("/operations/4/title", "null"),
        ]
        assert Todo.objects.count() == 1

    @pytest.mark.parametrize("op", ["update", "delete", "complete", "reopen"])
    def test_foreign_and_missing_todos_get_the_same_400(self, bob: Client, op: str) -> None:
        foreign, missing = make_todo(owner_id="alice"), Todo(pk=uuid.uuid4())
        answers = []
        for todo in (foreign, missing):
            response = batch(bob, new(), on(todo, op, etag=foreign.etag))
            assert pointers(response) == [("/operations/1/id", "not_found")]
            answers.append({**response.json(), "instance": None})
        assert answers[0] == answers[1]
        assert list(Todo.objects.all()) == [foreign]
        assert Todo.objects.get().version == foreign.version

    def test_a_batch_loads_no_row_of_another_owner(self, bob: Client) -> None:
        todo = make_todo(owner_id="alice")
        with CaptureQueriesContext(connection) as queries:
            batch(bob, on(todo, "delete"))
        reads = [each["sql"] for each in queries if each["sql"].startswith("SELECT")]
        assert reads
        assert all("\"owner_id\" = 'bob'" in sql for sql in reads)


class TestPreconditions:
    @pytest.mark.parametrize("op", ["update", "delete", "complete", "reopen"])
    def test_a_stale_etag_rolls_back_the_batch(self, alice: Client, op: str) -> None:
        todo = make_todo()
        stale = todo.etag
        todo.change(title="Changed")
        operation = on(todo, op, etag=stale)
        response = batch(alice, new(), operation, operation, new(title=""))
        assert (response.status_code, response.json()["code"]) == (412, "precondition_failed")
        code, detail = "precondition_failed", response.json()["detail"]
        assert response.json()["errors"] == [
            {"pointer": "/operations/1/etag", "code": code, "detail": detail}
        ]
        assert Todo.objects.get().version == todo.version
        assert response.json()["current"] == alice.get(f"/api/todos/{todo.pk}/").json()

    def test_the_first_stale_etag_brings_its_todo(self, alice: Client) -> None:
        first, second = make_todo(), make_todo()
        operations = [on(todo, "complete", etag='"stale"') for todo in (first, second)]
        body = batch(alice, *operations).json()
        assert body["errors"][0]["pointer"] == "/operations/0/etag"
        assert body["current"]["id"] == str(first.pk)

    @pytest.mark.parametrize("broken", [{"op": "nope"}, {"op": "delete"}, {}, 7], ids=repr)
    def test_a_stale_etag_in_a_batch_comes_before_invalid_operations(
        self, alice: Client, broken: Any
    ) -> None:
        response = batch(alice, broken, on(make_todo(), "delete", etag='"stale"'))
        assert (response.status_code, response.json()["code"]) == (412, "precondition_failed")
        assert response.json()["errors"][0]["pointer"] == "/operations/1/etag"

    def test_an_operation_with_the_current_etag_succeeds(self, alice: Client) -> None:
        todo, other = make_todo(), make_todo()
        operations = [on(todo, "complete", etag=todo.etag), on(other, "delete", etag=other.etag)]
        assert batch(alice, *operations).status_code == 200

    def test_an_earlier_operation_makes_an_etag_stale(self, alice: Client) -> None:
        todo = make_todo()
        first, second = on(todo, "complete", etag=todo.etag), on(todo, "delete", etag=todo.etag)
        response = batch(alice, first, second)
        assert response.status_code == 412
        assert response.json()["current"] == alice.get(f"/api/todos/{todo.pk}/").json()

    @pytest.mark.parametrize("etag", ["*", "W/{0}", '"other", {0}', "{1}", " {0}", " "])
    def test_the_etag_of_an_operation_is_one_tag_and_no_list(
        self, alice: Client, etag: str
    ) -> None:
        todo = make_todo()
        etag = etag.format(todo.etag, todo.version)
        assert batch(alice, on(todo, "delete", etag=etag)).status_code == 412

    def test_require_if_match_requires_the_etag_of_an_operation(
        self, alice: Client, settings: Settings
    ) -> None:
        settings.REQUIRE_IF_MATCH = True
        todo = make_todo()
        response = batch(alice, new(), on(todo, "delete"))
        assert (response.status_code, response.json()["code"]) == (428, "precondition_required")
        assert response.json()["errors"][0]["pointer"] == "/operations/1/etag"
        first = on(todo, "complete", etag=todo.etag)
        assert batch(alice, first, on(make_todo(), "delete")).status_code == 428
        assert batch(alice, new(), first, on(todo, "delete")).status_code == 200


class TestShape:
    def test_a_batch_of_many_errors_has_100_in_its_answer(self, alice: Client) -> None:
        unknown = {f"x{number}": 1 for number in range(50)}
        assert len(pointers(batch(alice, *[new(**unknown)] * 100))) == 100

    @pytest.mark.parametrize(
        ("body", "errors"),
        [
            ({}, [("/operations", "required")]),
            ({"operations": None}, [("/operations", "null")]),
            ({"operations": {}}, [("/operations", "not_a_list")]),
            ({"operations": []}, [("/operations", "min_length")]),
            ({"operations": [new()] * 101}, [("/operations", "max_length")]),
            ({"operations": [new()], "atomic": False}, [("/atomic", "unknown_field")]),
            ([], [("", "invalid")]),
        ],
        ids=lambda value: repr(value)[:30],
    )
    def test_a_batch_has_1_to_100_operations(
        self, alice: Client, body: Any, errors: list[tuple[str, str]]
    ) -> None:
        response = alice.post(PATH, body, content_type="application/json")
        assert pointers(response) == errors
        assert not Todo.objects.exists()

    @pytest.mark.parametrize(
        ("operation", "errors"),
        [
            (7, [("/operations/1", "not_an_object")]),
            (None, [("/operations/1", "null")]),
            ([], [("/operations/1", "not_an_object")]),
            ({}, [("/operations/1/op", "invalid_op")]),
            ({"op": "destroy"}, [("/operations/1/op", "invalid_op")]),
            ({"op": ["create"]}, [("/operations/1/op", "invalid_op")]),
            ({"op": "update"}, [("/operations/1/id", "required")]),
            ({"op": "delete", "id": None}, [("/operations/1/id", "null")]),
            ({"op": "delete", "id": "7"}, [("/operations/1/id", "invalid")]),
            ({"op": "delete", "id": 7}, [("/operations/1/id", "invalid")]),
            ({**DELETE, "id": f"{DELETE['id']}-"}, [("/operations/1/id", "invalid")]),
            (
                {"op": "delete", "id": str(uuid.UUID(int=1)), "etag": 7, "title": "x"},
                [("/operations/1/etag", "invalid"), ("/operations/1/title", "unknown_field")],
            ),
            ({**DELETE, "etag": ""}, [("/operations/1/etag", "blank")]),
            ({**DELETE, "etag": None}, [("/operations/1/etag", "null")]),
        ],
        ids=lambda value: repr(value)[:30],
    )
    def test_an_invalid_operation_is_refused(
        self, alice: Client, operation: Any, errors: list[tuple[str, str]]
    ) -> None:
        assert sorted(pointers(batch(alice, new(), operation))) == errors
        assert not Todo.objects.exists()

    def test_a_batch_of_100_operations_succeeds(
        self, alice: Client, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        # The transaction, the lock, one read, and the todos.
        with django_assert_max_num_queries(4 + 100 * A_CHANGE):
            response = batch(alice, *(new(title=str(number)) for number in range(100)))
        assert [each["title"] for each in response.json()["results"]] == [
            str(number) for number in range(100)
        ]

    @pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
    def test_a_batch_allows_post_only(self, alice: Client, method: str) -> None:
        response = getattr(alice, method)(PATH)
        assert (response.status_code, response["Allow"]) == (405, "POST, OPTIONS")
