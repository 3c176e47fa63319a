"""Twenty writers of one todo, at the same time, each with a connection of its own."""

from __future__ import annotations

import json
from collections import Counter
from functools import partial
from itertools import chain
from random import Random
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from api.models import ChangeCounter
from authn.testing import Bearer, Mint
from lists.models import TodoList
from todos.models import Todo
from todos.tests.factories import make_todo
from todos.tests.simultaneously import simultaneously
from todos.tests.writing import ask, every_change

pytestmark = pytest.mark.django_db(transaction=True)

WRITERS = 20
FIELDS: dict[str, Any] = {
    "title": "Changed",
    "description": "Changed",
    "priority": "high",
    "tags": ["changed"],
    "due_date": "2026-01-01",
    "completed": True,
}


@pytest.fixture
def alices(bearer: Bearer, mint: Mint) -> list[Client]:
    return [bearer(mint(sub="alice")) for _ in range(WRITERS)]


def statuses(answers: list[Any]) -> Counter[int]:
    return Counter(answer.status_code for answer in answers)


@every_change
def test_one_of_twenty_writers_with_the_same_etag_wins(
    alices: list[Client], todo: Todo, change: str
) -> None:
    tasks = [partial(ask, alice, change, todo, **{"if-match": todo.etag}) for alice in alices]
    answers = simultaneously(tasks)
    success, failure = (204, 404) if change == "DELETE" else (200, 412)
    assert statuses(answers) == {success: 1, failure: WRITERS - 1}
    (winner,) = (answer for answer in answers if answer.status_code == success)
    tags = [] if change == "DELETE" else [winner["ETag"]]
    assert [each.etag for each in Todo.objects.filter(deleted_at=None)] == tags != [todo.etag]


def test_concurrent_patches_of_different_fields_all_survive(alices: list[Client]) -> None:
    todo = make_todo()
    path = f"/api/todos/{todo.pk}/"

    def patch(client: Client, name: str) -> Any:
        return client.patch(path, {name: FIELDS[name]}, content_type="application/json")

    answers = simultaneously(
        [lambda c=c, n=n: patch(c, n) for c, n in zip(alices, FIELDS, strict=False)]  # type: ignore[misc]
    )
    assert statuses(answers) == {200: len(FIELDS)}
    after = alices[0].get(path).json()
    assert {name: after[name] for name in FIELDS} == FIELDS


def test_concurrent_batches_in_different_orders_do_not_deadlock(
    alices: list[Client],
) -> None:
    todos = [make_todo() for _ in range(5)]

    def batch(client: Client, number: int) -> Any:
        ordered = todos if number % 2 else todos[::-1]
        operations = [{"op": "update", "id": str(t.pk), "title": str(number)} for t in ordered]
        body = {"operations": operations}
        return client.post("/api/todos/batch/", body, content_type="application/json")

    answers = simultaneously([lambda c=c, n=n: batch(c, n) for n, c in enumerate(alices)])  # type: ignore[misc]
    assert statuses(answers) == {200: WRITERS}
    assert len({todo.title for todo in Todo.objects.all()}) == 1


def test_twenty_concurrent_actions_are_all_applied(alices: list[Client]) -> None:
    todo = make_todo()
    changes = ["complete", "reopen"] * (WRITERS // 2)
    answers = simultaneously(
        [lambda c=c, n=n: ask(c, n, todo) for c, n in zip(alices, changes, strict=True)]  # type: ignore[misc]
    )
    assert statuses(answers) == {200: WRITERS}
    for change, answer in zip(changes, answers, strict=True):
        assert answer.json()["completed"] is (change == "complete")


@pytest.mark.parametrize("is_batch", [False, True], ids=["single", "batch"])
def test_no_todo_stays_in_a_list_that_goes(alices: list[Client], *, is_batch: bool) -> None:
    home = TodoList.objects.create(owner_id="alice", name="Home")
    todo = {"title": "x", "list_id": str(home.pk)}
    body = {"operations": [{"op": "create", **todo}]} if is_batch else todo

    def put_in(client: Client) -> Any:
        path = "/api/todos/batch/" if is_batch else "/api/todos/"
        return client.post(path, body, content_type="application/json")

    tasks = [partial(put_in, alice) for alice in alices[1:]]
    tasks.insert(WRITERS // 2, partial(alices[0].delete, f"/api/lists/{home.pk}/"))
    answers = simultaneously(tasks)
    found = statuses(answers)
    made = found[200] + found[201]
    assert found[204] == 1
    assert found[400] == WRITERS - 1 - made
    assert [todo.list_id for todo in Todo.objects.all()] == [None] * made


def test_batches_and_deletions_of_lists_do_not_deadlock(alices: list[Client]) -> None:
    lists = [TodoList.objects.create(owner_id="alice", name="x") for _ in range(6)]
    todos = [make_todo(list=each) for each in lists * 2]

    def move(client: Client, number: int) -> Any:
        order = Random(number)
        operations = [
            {"op": "update", "id": str(todo.pk), "list_id": str(order.choice(lists[3:]).pk)}
            for todo in order.sample(todos, 8)
        ]
        path = "/api/todos/batch/"
        return client.post(path, {"operations": operations}, content_type="application/json")

    tasks = [
        partial(alice.delete, f"/api/lists/{lists[number].pk}/")
        if number < 5
        else partial(move, alice, number)
        for number, alice in enumerate(alices)
    ]
    assert statuses(simultaneously(tasks)).keys() <= {200, 204, 400}
    linked = Todo.objects.exclude(list_id=None)
    assert {todo.list_id for todo in linked} <= {each.pk for each in TodoList.objects.all()}


def test_overtaken_changes_with_a_key_do_not_deadlock(alices: list[Client]) -> None:
    home = TodoList.objects.create(owner_id="alice", name="Home")
    todo = make_todo(list=home)
    moved = {"op": "update", "id": str(todo.pk), "list_id": str(home.pk), "title": "x"}

    def change(client: Client, number: int) -> Any:
        if number % 3 == 2:
            path, body = "/api/todos/batch/", {"operations": [moved]}
            return client.post(path, body, content_type="application/json")
        key = {"idempotency-key": str(number)} if number % 3 else {}
        path, title = f"/api/todos/{todo.pk}/", {"title": str(number)}
        return client.patch(path, title, content_type="application/json", headers=key)

    def change_often(client: Client, first: int) -> Any:
        return [change(client, first + WRITERS * again) for again in range(5)]

    answers = simultaneously([partial(change_often, alice, n) for n, alice in enumerate(alices)])
    assert statuses([*chain.from_iterable(answers)]) == {200: WRITERS * 5}


def create_at_once(clients: list[Client], way: str) -> Counter[int]:
    """Let all clients create a todo of the same id, and half of them each of two titles."""
    new_id = str(uuid4())

    def make(client: Client, number: int) -> Any:
        todo = {"id": new_id, "title": f"Buy milk {number % 4 // 2}"}
        path, body = "/api/todos/", json.dumps(todo)
        if way == "batch":
            path += "batch/"
            body = json.dumps({"operations": [{"op": "create", **todo}]})
        key = {"idempotency-key": str(number)} if way == "key" else {}
        return client.post(path, body, content_type="application/json", headers=key)

    return statuses(simultaneously([partial(make, client, n) for n, client in enumerate(clients)]))


every_way = pytest.mark.parametrize("way", ["plain", "key", "batch"])


@every_way
def test_one_of_twenty_creates_with_the_same_id_makes_a_todo(
    alices: list[Client], way: str
) -> None:
    found, half = create_at_once(alices, way), WRITERS // 2
    made = Counter({200: half} if way == "batch" else {201: 1, 200: half - 1})
    assert found == made + Counter({409: half})
    assert Todo.objects.count() == 1


@every_way
def test_two_owners_may_create_with_the_same_id_at_once(
    bearer: Bearer, mint: Mint, way: str
) -> None:
    """On tables that are partitioned by owner, each of them may get it."""
    owners = [bearer(mint(sub=name)) for name in ("alice", "bob")]
    found = create_at_once(owners * (WRITERS // 2), way)
    assert found.keys() <= {200, 201, 409}
    owned = Counter(todo.owner_id for todo in Todo.objects.all())
    assert set(owned.values()) == {1}


def test_a_list_whose_deletion_is_412_keeps_its_todos(alices: list[Client]) -> None:
    home = TodoList.objects.create(owner_id="alice", name="Home")
    todo = make_todo(list=home)
    path, seen = f"/api/lists/{home.pk}/", {"if-match": home.etag}

    def rename(client: Client) -> Any:
        return client.patch(path, {"name": "Work"}, content_type="application/json")

    tasks = [partial(rename, alice) for alice in alices[1:10]]
    tasks += [partial(alice.delete, path, headers=seen) for alice in alices[10:]]
    found = statuses(simultaneously(tasks))
    left = Todo.objects.get()
    assert (left.list_id, left.etag == todo.etag) == (
        (None, False) if found[204] else (home.pk, True)
    )


PUSHES = {
    "edit": lambda todo: {**todo, "title": "Changed"},
    "deletion": lambda todo: {**todo, "deleted": True},
}


def push(client: Client, new: Any, assumed: Any = None) -> Any:
    rows = [{"newDocumentState": new, "assumedMasterState": assumed}]
    return client.post("/api/todos/sync/", rows, content_type="application/json")


@pytest.mark.parametrize("change", ["create", *PUSHES])
def test_twenty_pushes_of_the_same_change_make_it_once(alices: list[Client], change: str) -> None:
    new: dict[str, Any] = {"id": str(uuid4()), "title": "New"}
    assumed = None
    if change in PUSHES:
        push(alices[0], new)
        new, assumed = PUSHES[change](new), new
    answers = simultaneously([partial(push, alice, new, assumed) for alice in alices])
    assert statuses(answers) == {200: WRITERS}
    assert {answer.content for answer in answers} == {b'{"conflicts":[],"rejected":[]}'}
    todo = Todo.objects.get()
    assert (todo.title, todo.deleted_at is None) == (new["title"], change != "deletion")
    assert ChangeCounter.objects.get().value == (2 if change in PUSHES else 1)


@pytest.mark.parametrize("is_new", [True, False], ids=["create", "edit"])
def test_one_of_twenty_different_pushes_is_made(alices: list[Client], *, is_new: bool) -> None:
    seen = {"id": str(uuid4()), "title": "Seen"}
    if not is_new:
        push(alices[0], seen)
    answers = simultaneously(
        [
            partial(push, alice, {**seen, "title": str(number)}, None if is_new else seen)
            for number, alice in enumerate(alices)
        ]
    )
    assert statuses(answers) == {200: WRITERS}
    conflicts = [answer.json()["conflicts"] for answer in answers]
    (winner,) = (number for number, each in enumerate(conflicts) if not each)
    assert {each[0]["title"] for each in conflicts if each} == {str(winner)}
    assert Todo.objects.get().title == str(winner)


def test_one_of_many_owners_gets_an_id(bearer: Bearer, mint: Mint) -> None:
    """On tables that are partitioned by owner, several may get it."""
    new = {"id": str(uuid4()), "title": "New"}
    owners = [bearer(mint(sub=f"owner {number}")) for number in range(WRITERS)]
    answers = simultaneously([partial(push, owner, new) for owner in owners])
    assert statuses(answers) == {200: WRITERS}
    codes = [each["errors"][0]["code"] for a in answers for each in a.json()["rejected"]]
    stored = Todo.objects.count()
    assert codes == ["id_taken"] * (WRITERS - stored)
    assert stored >= 1


def test_pushes_batches_and_changes_of_one_owner_do_not_deadlock(alices: list[Client]) -> None:
    todos = [make_todo() for _ in range(6)]

    def write(client: Client, number: int) -> Any:
        ordered = Random(number).sample(todos, 6)
        if number % 3 == 0:
            new = [{"id": str(todo.pk), "title": str(number)} for todo in ordered]
            rows = [{"newDocumentState": each} for each in new]
            return client.post("/api/todos/sync/", rows, content_type="application/json")
        if number % 3 == 1:
            operations = [{"op": "complete", "id": str(todo.pk)} for todo in ordered]
            body = {"operations": operations}
            return client.post("/api/todos/batch/", body, content_type="application/json")
        path = f"/api/todos/{ordered[0].pk}/"
        return client.patch(path, {"title": "x"}, content_type="application/json")

    answers = simultaneously([partial(write, alice, n) for n, alice in enumerate(alices)])
    assert statuses(answers) == {200: WRITERS}


def test_update_or_create_waits_for_no_request_that_waits_for_it(alice: Client) -> None:
    todo = make_todo(owner_id="alice")

    def patch() -> None:
        for number in range(20):
            body = {"description": str(number)}
            path = f"/api/todos/{todo.pk}/"
            assert alice.patch(path, body, content_type="application/json").status_code == 200

    def upsert() -> None:
        for number in range(20):
            Todo.objects.update_or_create({"title": str(number)}, pk=todo.pk)

    simultaneously([upsert, patch, upsert, patch])
    todo.refresh_from_db()
    assert (todo.title, todo.description) == ("19", "19")
