"""Each pushed change is made, is a conflict, or is rejected."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from datetime import time
from typing import Any

import pytest
from django.db import connection
from django.db.models.signals import pre_save
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from api.owned.querysets import OwnedQuerySet
from lists.models import TodoList
from tests.support.problems import problem
from tests.support.rows import make_row
from todos.models import Todo
from todos.tests.factories import make_todo
from todos.tests.writing import each_value, pointers

pytestmark = pytest.mark.django_db

PATH = "/api/todos/sync/"
NOTHING: dict[str, list[Any]] = {"conflicts": [], "rejected": []}


def send(client: Client, rows: Any, **headers: str) -> Any:
    return client.post(PATH, rows, content_type="application/json", headers=headers)


def push(client: Client, *rows: Any) -> dict[str, Any]:
    response = send(client, rows)
    assert response.status_code == 200, response.content
    answer: dict[str, Any] = response.json()
    return answer


ANY_ID = uuid.UUID("871d44a9-9a70-4825-bf0d-1e5177a3cab9")


def row(new: Any, assumed: Any = None) -> dict[str, Any]:
    return {"newDocumentState": new, "assumedMasterState": assumed}


def new(**fields: Any) -> dict[str, Any]:
    return {"id": str(uuid.uuid4()), "title": "New", **fields}


def seen(client: Client, todo: Todo) -> dict[str, Any]:
    """Return the document of a todo as a replica has it."""
    (conflict,) = push(client, row({"id": str(todo.pk), "title": "Other"}))["conflicts"]
    assert conflict["title"] == todo.title
    document: dict[str, Any] = conflict
    return document


def between(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Act once, after the next push has read its rows."""
    taken, waiting = OwnedQuerySet.taken, [act]

    def act_once_the_ids_are_known(rows: Any, ids: Any) -> Any:
        found = taken(rows, ids)
        if waiting:
            waiting.pop()()
        return found

    monkeypatch.setattr(OwnedQuerySet, "taken", act_once_the_ids_are_known)


def reasons(answer: dict[str, Any]) -> list[tuple[str, str]]:
    """Return pointer and code of each error of the rejected rows."""
    assert answer["conflicts"] == []
    return [
        (error["pointer"], error["code"]) for each in answer["rejected"] for error in each["errors"]
    ]


class TestCreate:
    @pytest.mark.parametrize("row_id", [str(ANY_ID), "0190F1F6-5D7C-7E0A-8F3E-2B1C9D4E5F60"])
    def test_a_new_row_keeps_the_id_of_the_client(self, alice: Client, row_id: str) -> None:
        assert push(alice, row(new(id=row_id, priority="high", tags=["a"]))) == NOTHING
        todo = Todo.objects.get()
        assert (todo.pk, todo.owner_id) == (uuid.UUID(row_id), "alice")
        assert (todo.title, todo.priority, todo.tags) == ("New", 3, ["a"])

    def test_a_row_that_was_purged_is_created_again(self, alice: Client) -> None:
        document = new(description="Kept on the device")
        assert push(alice, row({**document, "title": "Changed"}, document)) == NOTHING
        assert Todo.objects.get().title == "Changed"

    def test_a_new_row_that_is_deleted_is_not_stored(self, alice: Client) -> None:
        assert push(alice, row(new(deleted=True))) == NOTHING
        assert not Todo.objects.exists()

    @pytest.mark.parametrize("deleted", [True, False])
    def test_an_id_of_somebody_else_is_taken(self, bob: Client, *, deleted: bool) -> None:
        todo = make_todo(owner_id="alice")
        document = new(id=str(todo.pk), deleted=deleted)
        assert (
            reasons(push(bob, row(document), row(document, document))) == [("/id", "id_taken")] * 2
        )
        assert Todo.objects.get().version == todo.version

    def test_an_id_that_somebody_takes_meanwhile_is_taken(
        self, alice: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """On tables that are partitioned by owner, both get it."""
        document, own = new(), Todo.objects.filter(owner_id="alice")
        between(monkeypatch, lambda: make_todo(pk=document["id"], owner_id="bob"))
        refused = reasons(push(alice, row(document), row(new())))
        has_both = own.filter(pk=document["id"]).exists()
        assert refused == ([] if has_both else [("/id", "id_taken")])
        assert own.count() == 1 + has_both


class TestEdit:
    def test_an_edit_of_the_row_as_the_client_saw_it_is_made(self, alice: Client) -> None:
        todo = make_todo(title="Old", description="Kept")
        document = seen(alice, todo)
        assert push(alice, row({**document, "title": "Changed"}, document)) == NOTHING
        after = Todo.objects.get()
        assert (after.title, after.description) == ("Changed", "Kept")
        assert after.version != todo.version

    def test_an_edit_may_have_some_fields_only(self, alice: Client) -> None:
        todo = make_todo(title="Old", tags=["a"])
        document = seen(alice, todo)
        assert push(alice, row({"id": str(todo.pk), "title": "Changed"}, document)) == NOTHING
        assert (Todo.objects.get().title, Todo.objects.get().tags) == ("Changed", ["a"])

    def test_a_repeated_push_changes_nothing(self, alice: Client) -> None:
        document = seen(alice, make_todo(title="Old"))
        rows = [row({**document, "title": "Changed"}, document), row(new())]
        assert push(alice, *rows) == NOTHING
        before = {todo.pk: todo.version for todo in Todo.objects.all()}
        assert push(alice, *rows) == NOTHING
        assert {todo.pk: todo.version for todo in Todo.objects.all()} == before

    def test_content_is_compared_and_not_the_etag(self, alice: Client) -> None:
        todo = make_todo(title="Old")
        document = seen(alice, todo)
        todo.change(title="Other")
        todo.change(title="Old")
        assert push(alice, row({**document, "title": "Changed"}, document)) == NOTHING
        assert Todo.objects.get().title == "Changed"

    def test_fields_that_the_assumed_state_lacks_have_their_defaults(self, alice: Client) -> None:
        plain, tagged = make_todo(title="Old"), make_todo(title="Old", tags=["a"])
        rows = [
            row({"id": str(each.pk), "title": "New"}, {"title": "Old"}) for each in (plain, tagged)
        ]
        assert [each["id"] for each in push(alice, *rows)["conflicts"]] == [str(tagged.pk)]

    @pytest.mark.parametrize(
        "assumed", [None, {}, {"title": "Older"}, {"title": "Old", "deleted": True}, {"title": 1}]
    )
    def test_another_assumed_state_is_a_conflict(self, alice: Client, assumed: Any) -> None:
        todo = make_todo(title="Old")
        answer = push(alice, row({"id": str(todo.pk), "title": "Mine"}, assumed))
        shown = alice.get(f"/api/todos/{todo.pk}/").json()
        assert answer == {"conflicts": [{**shown, "deleted": False}], "rejected": []}
        assert Todo.objects.get().version == todo.version

    def test_a_conflict_can_be_settled_with_its_document(self, alice: Client) -> None:
        todo = make_todo(title="Old")
        mine = {"id": str(todo.pk), "title": "Mine"}
        (document,) = push(alice, row(mine, {"title": "Older"}))["conflicts"]
        assert push(alice, row({**document, **mine}, document)) == NOTHING
        assert Todo.objects.get().title == "Mine"

    def test_a_stored_value_that_is_invalid_by_now_is_no_lasting_conflict(
        self, alice: Client
    ) -> None:
        todo = make_todo(title="Old", timezone="Mars/Olympus", due_date="2026-01-01")
        document = seen(alice, todo)
        assert push(alice, row({**document, "timezone": "UTC"}, document)) == NOTHING
        Todo.objects.filter(pk=todo.pk).update(due_time=time(9, 30, 15))
        document = seen(alice, todo)
        assert push(alice, row({**document, "due_time": "09:31"}, document)) == NOTHING

    def test_two_changes_of_one_row_in_a_push_are_both_made(self, alice: Client) -> None:
        first = new(title="1")
        second, third = {**first, "title": "2"}, {**first, "title": "3"}
        assert push(alice, row(first), row(second, first), row(third, second)) == NOTHING
        assert Todo.objects.get().title == "3"

    def test_a_row_past_its_time_in_the_trash_is_a_conflict(self, alice: Client) -> None:
        todo = make_todo(title="Old")
        todo.remove()
        Todo.objects.filter(pk=todo.pk).write(deleted_at="2020-01-01T00:00:00Z")
        document = seen(alice, todo)
        restored = {**document, "deleted": False}
        assert len(push(alice, row(restored, document))["conflicts"]) == 1
        assert Todo.objects.get().deleted_at is not None

    def test_a_conflict_shows_what_a_later_change_left(self, alice: Client) -> None:
        document = seen(alice, make_todo(title="Old"))
        refused, made = {**document, "title": "Mine"}, {**document, "title": "Changed"}
        answer = push(alice, row(refused), row(made, document), row(refused))
        assert [each["title"] for each in answer["conflicts"]] == ["Changed"]

    def test_read_only_fields_are_ignored(self, alice: Client) -> None:
        todo = make_todo()
        document = {**seen(alice, todo), "etag": "x", "created_at": None, "completed_at": 1}
        assert push(alice, row(document, document)) == NOTHING
        assert Todo.objects.get().version == todo.version

    def test_a_row_that_has_changed_since_it_was_read_is_a_conflict(
        self, alice: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        todo = make_todo(title="Old")
        document = seen(alice, todo)
        between(monkeypatch, lambda: todo.change(title="Theirs"))
        answer = push(alice, row({**document, "title": "Mine"}, document), row(new()))
        assert [each["title"] for each in answer["conflicts"]] == ["Theirs"]
        assert sorted(Todo.objects.values_list("title", flat=True)) == ["New", "Theirs"]


class TestDelete:
    def test_a_deleted_row_goes_into_the_trash_and_comes_back(self, alice: Client) -> None:
        document = seen(alice, make_todo(title="Old"))
        gone = {**document, "deleted": True}
        assert push(alice, row(gone, document)) == NOTHING
        assert Todo.objects.get().deleted_at is not None
        assert push(alice, row(gone, document)) == NOTHING
        assert push(alice, row({**document, "title": "Back"}, gone)) == NOTHING
        assert (Todo.objects.get().deleted_at, Todo.objects.get().title) == (None, "Back")

    def test_a_deletion_of_what_has_changed_is_a_conflict(self, alice: Client) -> None:
        todo = make_todo(title="Old")
        document = seen(alice, todo)
        todo.change(title="Changed")
        (conflict,) = push(alice, row({**document, "deleted": True}, document))["conflicts"]
        assert (conflict["title"], conflict["deleted"]) == ("Changed", False)

    def test_an_edit_of_what_is_deleted_is_a_conflict(self, alice: Client) -> None:
        todo = make_todo(title="Old")
        document = seen(alice, todo)
        todo.remove()
        (conflict,) = push(alice, row({**document, "title": "Mine"}, document))["conflicts"]
        assert (conflict["title"], conflict["deleted"]) == ("Old", True)

    def test_an_edit_before_the_deletion_is_kept_in_the_trash(self, alice: Client) -> None:
        document = seen(alice, make_todo(title="Old"))
        assert push(alice, row({**document, "title": "Last", "deleted": True}, document)) == NOTHING
        assert (Todo.objects.get().title, Todo.objects.get().deleted_at is None) == ("Last", False)

    def test_no_edit_brings_back_what_has_no_content(self, alice: Client) -> None:
        todo = make_todo(title="Old")
        document = seen(alice, todo)
        todo.remove(erased=True)
        gone = {**document, "deleted": True}
        assert push(alice, row(gone, document)) == NOTHING
        for assumed in (document, gone, None):
            (conflict,) = push(alice, row(document, assumed))["conflicts"]
            assert (conflict["title"], conflict["deleted"]) == ("", True)
            assert push(alice, row({**conflict, "deleted": True}, conflict)) == NOTHING


class TestRejected:
    def test_an_invalid_row_is_rejected_alone(self, alice: Client) -> None:
        todo = make_todo(title="Old")
        document = seen(alice, todo)
        invalid = new(title="x" * 501)
        answer = push(alice, row(new()), row(invalid), row({**document, "title": "2"}, document))
        assert answer["conflicts"] == []
        ((rejected),) = answer["rejected"]
        (error,) = rejected["errors"]
        assert rejected["id"] == invalid["id"]
        assert (error["pointer"], error["code"]) == ("/title", "max_length")
        assert error["params"] == {"max": 500}
        assert sorted(Todo.objects.values_list("title", flat=True)) == ["2", "New"]

    @pytest.mark.parametrize(
        ("pointer", "code", "document"),
        each_value(
            [
                ("/id", "required", [{"title": "x"}]),
                ("/id", "null", [{"id": None}]),
                ("/id", "invalid", [{"id": 1}, {"id": ""}, {"id": []}, {"id": "\ud800"}]),
                ("/id", "invalid", [{"id": ANY_ID.hex}, {"id": str(uuid.UUID(int=1))}]),
                (
                    "/deleted",
                    "invalid",
                    [
                        new(id=str(ANY_ID), deleted=0),
                        new(id=str(ANY_ID), deleted="true"),
                        new(id=str(ANY_ID), deleted=[]),
                    ],
                ),
                ("/deleted", "null", [new(id=str(ANY_ID), deleted=None)]),
                ("/title", "blank", [new(id=str(ANY_ID), title=" ")]),
                (
                    "/title",
                    "surrogate_characters_not_allowed",
                    [new(id=str(ANY_ID), title="\ud800")],
                ),
                ("/title", "control_character", [new(id=str(ANY_ID), title="\0")]),
                (
                    "/description",
                    "null_characters_not_allowed",
                    [new(id=str(ANY_ID), description="\0")],
                ),
                ("/description", "invalid", [new(id=str(ANY_ID), description={})]),
                ("/tags/1", "blank", [new(id=str(ANY_ID), tags=["a", ""])]),
                ("/owner_id", "unknown_field", [new(id=str(ANY_ID), owner_id="bob")]),
                ("/_rev", "unknown_field", [new(id=str(ANY_ID), _rev="1")]),
                ("/due_time", "due_time_incomplete", [new(id=str(ANY_ID), due_time="12:00")]),
                ("/list_id", "not_found", [new(id=str(ANY_ID), list_id=str(ANY_ID))]),
            ]
        ),
    )
    def test_mistakes_have_their_pointers(
        self, alice: Client, pointer: str, code: str, document: Any
    ) -> None:
        answer = push(alice, row(document))
        assert reasons(answer) == [(pointer, code)]
        sent = document.get("id")
        as_sent = sent.replace("\ud800", "?") if isinstance(sent, str) else None
        assert answer["rejected"][0]["id"] == as_sent
        assert not Todo.objects.exists()

    @pytest.mark.parametrize(
        "sent",
        [
            *(None, 1, "x", [], {}, {"assumedMasterState": {}}, row([]), row(None), row("x")),
            *(
                row(new(id=str(ANY_ID)), 1),
                row(new(id=str(ANY_ID)), "x"),
                row(new(id=str(ANY_ID)), []),
                row(new(id=str(ANY_ID)), False),
            ),
            {"newDocumentState": new(id=str(ANY_ID)), "x": 1},
        ],
        ids=ascii,
    )
    def test_what_is_no_row_is_rejected(self, alice: Client, sent: Any) -> None:
        assert reasons(push(alice, sent, row(new()))) == [("", "not_an_object")]
        assert Todo.objects.count() == 1

    def test_a_list_of_somebody_else_and_one_in_the_trash_are_not_found(
        self, alice: Client
    ) -> None:
        document = seen(alice, make_todo(title="Old"))
        foreign, trashed, own = (
            make_row(TodoList, owner_id=each) for each in ("bob", "alice", "alice")
        )
        trashed.remove()
        rows = [
            row({**document, "title": "x", "list_id": str(each.pk)}, document)
            for each in (foreign, trashed, own)
        ]
        assert reasons(push(alice, *rows)) == [("/list_id", "not_found")] * 2
        assert (Todo.objects.get().title, Todo.objects.get().list_id) == ("x", own.pk)

    def test_a_rejected_change_leaves_nothing_in_a_later_conflict(self, alice: Client) -> None:
        document = seen(alice, make_todo(title="Old"))
        failing = {**document, "title": "Mine", "list_id": str(uuid.uuid4())}
        answer = push(alice, row(failing, document), row({**document, "title": "x"}))
        assert [each["title"] for each in answer["conflicts"]] == ["Old"]
        assert len(answer["rejected"]) == 1

    def test_what_the_database_refuses_is_rejected_alone(self, alice: Client) -> None:
        def refuse(*, instance: Todo, **_: Any) -> None:
            if instance.title == "Poison":
                instance.title = ""

        document = seen(alice, make_todo(title="Old"))
        pre_save.connect(refuse, Todo)
        try:
            poison = {**document, "title": "Poison"}
            answer = push(alice, row(new(title="Poison")), row(poison, document), row(new()))
        finally:
            pre_save.disconnect(refuse, Todo)
        assert reasons(answer) == [("", "invalid")] * 2
        assert sorted(Todo.objects.values_list("title", flat=True)) == ["New", "Old"]


class TestRequest:
    @pytest.mark.parametrize(
        ("rows", "code"),
        [
            ({}, "not_a_list"),
            ("[]", "not_a_list"),
            (None, "null"),
            ([], "min_length"),
            ([{}] * 101, "max_length"),
        ],
        ids=["object", "text", "null", "none", "101"],
    )
    def test_a_push_is_an_array_of_1_to_100_rows(self, alice: Client, rows: Any, code: str) -> None:
        response = alice.generic("POST", PATH, json.dumps(rows), "application/json")
        assert pointers(response) == [("", code)]

    def test_a_push_over_256_kib_is_refused(self, alice: Client) -> None:
        rows = [row(new(description="x" * 10_000)) for _ in range(100)]
        problem(send(alice, rows), 413, "content_too_large")
        assert send(alice, rows[:20]).status_code == 200

    def test_an_answer_over_1_mib_is_refused_and_nothing_is_done(self, alice: Client) -> None:
        todos = [make_todo(description="\u20ac" * 10_000) for _ in range(40)]
        rows = [row(new()), *(row({"id": str(todo.pk), "title": "x"}) for todo in todos)]
        problem(send(alice, rows), 413, "content_too_large")
        assert Todo.objects.count() == 40
        assert send(alice, rows[:30]).status_code == 200

    def test_a_key_makes_a_push_once(self, alice: Client) -> None:
        document = seen(alice, make_todo(title="Old"))
        rows = [row({**document, "title": "Mine"}), row(new())]
        first, again = (send(alice, rows, **{"idempotency-key": "k"}) for _ in range(2))
        assert again["Idempotency-Replayed"] == "true"
        assert again.content == first.content

    def test_each_written_row_costs_one_statement(
        self, alice: Client, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        """Beside its savepoint. SQLite counts a change in a statement of its own."""
        documents = [seen(alice, make_todo()) for _ in range(5)]
        each = 3 if connection.vendor == "postgresql" else 4
        lock_and_read = 2 + 2  # in a savepoint of the test
        rows = [row({**one, "title": "Changed"}, one) for one in documents]
        with django_assert_num_queries(lock_and_read + each * 5):
            push(alice, *rows)
        with django_assert_num_queries(lock_and_read):
            push(alice, *rows)
        look = 1
        with django_assert_num_queries(lock_and_read + look + each * 3):
            push(alice, *(row(new()) for _ in range(3)))

    def test_a_push_reads_no_row_of_another_owner(self, bob: Client) -> None:
        todo = make_todo(owner_id="alice")
        with CaptureQueriesContext(connection) as queries:
            push(bob, row({"id": str(todo.pk), "title": "x"}))
        reads = [each["sql"] for each in queries if each["sql"].startswith("SELECT")]
        own, taken = reads
        assert "\"owner_id\" = 'bob'" in own
        assert taken.startswith('SELECT "todos_todo"."id" AS')
