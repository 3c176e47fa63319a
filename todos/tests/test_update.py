from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from datetime import date, time, timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from tests.support.meanwhile import Meanwhile
from todos.models import Todo
from todos.tests.factories import make_todo
from todos.tests.writing import ask, create, pointers

pytestmark = pytest.mark.django_db


@pytest.fixture
def todo() -> Todo:
    return make_todo(title="Buy milk", description="Two litres")


def patch(client: Client, todo: Todo, media_type: str = "application/json", **body: Any) -> Any:
    return client.patch(f"/api/todos/{todo.pk}/", body, content_type=media_type)


def put(client: Client, todo: Todo, **body: Any) -> Any:
    return client.put(f"/api/todos/{todo.pk}/", body, content_type="application/json")


def updates(queries: CaptureQueriesContext) -> list[str]:
    """Return the statements, without the counting that begins them on PostgreSQL."""
    found = (query["sql"].partition('UPDATE "todos_todo"') for query in queries)
    return [update + rest for _, update, rest in found if update]


class TestPatch:
    @pytest.mark.parametrize("media_type", ["application/json", "application/merge-patch+json"])
    def test_a_patch_changes_the_fields_that_it_names(
        self, alice: Client, todo: Todo, media_type: str
    ) -> None:
        response = patch(alice, todo, media_type, title="Buy bread")
        assert response.status_code == 200
        assert response.json()["title"] == "Buy bread"
        assert response.json()["description"] == "Two litres"
        assert response.json() == alice.get(f"/api/todos/{todo.pk}/").json()

    @pytest.mark.parametrize(
        ("name", "follows"), [("title", "title_folded"), ("description", "description_folded")]
    )
    def test_a_patch_writes_only_the_columns_that_change(
        self, alice: Client, todo: Todo, name: str, follows: str
    ) -> None:
        with CaptureQueriesContext(connection) as queries:
            patch(alice, todo, **{name: "Buy bread"})
        (update,) = updates(queries)
        written, where = update.split(" WHERE ")
        columns = {name, follows, "updated_at", "version", "change_number"}
        assert set(re.findall(r'"(\w+)" = ', written)) == columns
        assert "\"owner_id\" = 'alice'" in where

    def test_two_concurrent_patches_of_different_fields_survive(
        self, alice: Client, todo: Todo, meanwhile: Meanwhile
    ) -> None:
        meanwhile(lambda: patch(alice, todo, title="Buy bread"))
        body = patch(alice, todo, description="Rye").json()
        assert (body["title"], body["description"]) == ("Buy bread", "Rye")
        assert body == alice.get(f"/api/todos/{todo.pk}/").json()

    def test_two_concurrent_patches_cannot_make_an_invalid_todo(
        self, alice: Client, meanwhile: Meanwhile
    ) -> None:
        todo = make_todo(due_date=date(2026, 1, 1), timezone="UTC")
        meanwhile(lambda: patch(alice, todo, due_date=None))
        response = patch(alice, todo, due_time="12:00")
        assert pointers(response) == [("/due_time", "due_time_incomplete")]

    def test_a_patch_without_a_new_value_changes_nothing(
        self, alice: Client, todo: Todo, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        before = alice.get(f"/api/todos/{todo.pk}/").json()
        bodies: list[dict[str, Any]] = [{}, {"title": "Buy milk", "completed": False}]
        for body in bodies:
            with django_assert_num_queries(1):
                response = patch(alice, todo, **body)
            assert (response.status_code, response.json()) == (200, before)

    def test_a_change_moves_updated_at_and_nothing_else(self, alice: Client, todo: Todo) -> None:
        Todo.objects.all().write(updated_at=todo.updated_at - timedelta(days=1))
        body = patch(alice, todo, description="Three").json()
        todo.refresh_from_db()
        assert todo.updated_at > todo.created_at
        assert body["created_at"] < body["updated_at"]

    @pytest.mark.parametrize("media_type", ["application/json", "application/merge-patch+json"])
    def test_null_in_a_patch_returns_an_optional_field_to_its_default(
        self, alice: Client, todo: Todo, media_type: str
    ) -> None:
        todo.change(completed=True, priority=3, tags=["a"], due_date=date(2026, 1, 1))
        taken = ["description", "completed", "priority", "tags", "due_date"]
        body = patch(alice, todo, media_type, **dict.fromkeys(taken)).json()
        assert (body["title"], body["description"]) == ("Buy milk", "")
        assert (body["completed"], body["completed_at"]) == (False, None)
        assert (body["priority"], body["tags"], body["due_date"]) == ("none", [], None)

    @pytest.mark.parametrize(
        "name", ["description", "completed", "priority", "due_date", "due_time", "timezone", "tags"]
    )
    def test_zero_in_a_patch_is_refused(self, alice: Client, todo: Todo, name: str) -> None:
        body: dict[str, Any] = {name: 0}
        ((pointer, _),) = pointers(patch(alice, todo, **body))
        assert pointer == f"/{name}"

    def test_a_refused_patch_changes_nothing(self, alice: Client, todo: Todo) -> None:
        response = patch(alice, todo, description="new", title=None, owner_id="bob")
        assert set(pointers(response)) == {("/title", "null"), ("/owner_id", "unknown_field")}
        assert Todo.objects.get().version == todo.version


class TestPut:
    def test_a_put_returns_omitted_fields_to_their_defaults(
        self, alice: Client, todo: Todo
    ) -> None:
        todo.change(completed=True, priority=3, tags=["a"])
        todo.change(due_date=date(2026, 1, 1), due_time=time(12), timezone="UTC")
        replaced = put(alice, todo, title="Buy bread").json()
        new = create(alice, title="Buy bread").json()
        its_own = ("id", "created_at", "updated_at", "etag")
        assert {**replaced, **dict.fromkeys(its_own)} == {**new, **dict.fromkeys(its_own)}

    def test_two_concurrent_puts_do_not_mix(self, alice: Client, meanwhile: Meanwhile) -> None:
        todo = make_todo(title="X", description="D1")
        meanwhile(lambda: put(alice, todo, title="X", description="D2"))
        put(alice, todo, title="Y", description="D1")
        todo.refresh_from_db()
        assert (todo.title, todo.description) == ("Y", "D1")

    def test_null_in_a_put_and_no_title_are_refused(self, alice: Client, todo: Todo) -> None:
        expected = {("/title", "required"), ("/description", "null")}
        assert set(pointers(put(alice, todo, description=None))) == expected

    def test_only_a_patch_accepts_the_merge_patch_media_type(
        self, alice: Client, todo: Todo
    ) -> None:
        response = alice.put(
            f"/api/todos/{todo.pk}/", {"title": "x"}, content_type="application/merge-patch+json"
        )
        assert response.status_code == 415


def _complete(client: Client, todo: Todo) -> Any:
    return ask(client, "complete", todo)


IDS: list[Any] = [str(uuid.UUID(int=1)), "other", "", None, 7, ["x"]]


@pytest.mark.parametrize("change", [put, patch])
class TestId:
    @pytest.mark.parametrize("value", IDS, ids=str)
    def test_a_change_with_the_id_of_another_todo_is_refused(
        self, alice: Client, todo: Todo, change: Callable[..., Any], value: Any
    ) -> None:
        assert pointers(change(alice, todo, title="x", id=value)) == [("/id", "id_mismatch")]
        assert Todo.objects.get().version == todo.version

    @pytest.mark.parametrize("spell", [str.lower, str.upper])
    def test_a_get_can_be_sent_back_as_a_change(
        self, alice: Client, todo: Todo, change: Callable[..., Any], spell: Callable[[str], str]
    ) -> None:
        before = alice.get(f"/api/todos/{todo.pk}/").json()
        response = change(alice, todo, **{**before, "id": spell(before["id"])})
        assert (response.status_code, response.json()) == (200, before)
        old = {"created_at": "1999-01-01T00:00:00Z", "updated_at": "1999-01-01T00:00:00Z"}
        after = change(alice, todo, **{**before, **old, "title": "x"}).json()
        assert (after["title"], after["created_at"]) == ("x", before["created_at"])


class TestCompletion:
    @pytest.mark.parametrize("complete", [_complete, partial(patch, completed=True)])
    def test_completing_keeps_its_time_on_repeat(
        self, alice: Client, todo: Todo, complete: Callable[[Client, Todo], Any]
    ) -> None:
        first = complete(alice, todo)
        assert first.status_code == 200
        assert first.json()["completed"] is True
        assert first.json()["completed_at"] == first.json()["updated_at"]
        assert complete(alice, todo).json() == first.json()

    def test_reopening_clears_the_time_and_may_be_repeated(self, alice: Client, todo: Todo) -> None:
        todo.change(completed=True)
        first, again = (ask(alice, "reopen", todo) for _ in range(2))
        assert first.status_code == 200
        assert (first.json()["completed"], first.json()["completed_at"]) == (False, None)
        assert again.json() == first.json()

    def test_two_concurrent_completions_keep_the_first_time(
        self, alice: Client, todo: Todo, meanwhile: Meanwhile
    ) -> None:
        first: list[Any] = []
        meanwhile(lambda: first.append(_complete(alice, todo).json()))
        assert _complete(alice, todo).json() == first[0]

    def test_completing_again_after_reopening_sets_a_new_time(self, todo: Todo) -> None:
        todo.change(completed=True)
        first = todo.completed_at
        todo.change(completed=False)
        todo.change(completed=True)
        assert todo.completed_at != first

    @pytest.mark.parametrize("change", [put, patch])
    def test_changes_of_other_fields_keep_completed_at(
        self, alice: Client, todo: Todo, change: Callable[..., Any]
    ) -> None:
        before = _complete(alice, todo).json()
        after = change(alice, todo, title="x", completed=True).json()
        assert (after["title"], after["completed_at"]) == ("x", before["completed_at"])

    @pytest.mark.parametrize("action", ["complete", "reopen"])
    def test_complete_and_reopen_take_no_fields(
        self, alice: Client, todo: Todo, action: str
    ) -> None:
        path, body = f"/api/todos/{todo.pk}/{action}/", {"owner_id": "bob"}
        response = alice.post(path, body, content_type="application/json")
        assert pointers(response) == [("/owner_id", "unknown_field")]

    def test_complete_and_reopen_refuse_another_media_type(self, alice: Client, todo: Todo) -> None:
        path, form = f"/api/todos/{todo.pk}/complete/", "application/x-www-form-urlencoded"
        assert alice.post(path, "owner_id=bob", content_type=form).status_code == 415
        assert alice.post(path, "", content_type=form).status_code == 200


@pytest.mark.parametrize("change", ["PUT", "PATCH", "DELETE", "complete"])
def test_a_change_of_a_todo_deleted_meanwhile_is_404(
    alice: Client, todo: Todo, meanwhile: Meanwhile, change: str
) -> None:
    meanwhile(Todo.objects.all().delete)
    assert ask(alice, change, todo).status_code == 404
    assert not Todo.objects.filter(deleted_at=None).exists()
