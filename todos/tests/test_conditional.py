"""Conditional requests (RFC 9110 section 13): one's own view of a todo, and what became of it."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from tests.support.meanwhile import Meanwhile
from tests.support.problems import problem
from tests.support.statements import A_CHANGE
from todos.models import Todo
from todos.tests.factories import make_todo
from todos.tests.writing import CHANGES, ask, create, each_value, every_change

pytestmark = pytest.mark.django_db

JSON = "application/json"


def is_as_it_was(todo: Todo) -> bool:
    return Todo.objects.get(pk=todo.pk).version == todo.version


STALE, BY_PROXY = "Your copy is out of date.", "A proxy has changed this ETag"
# Texts in which {0} is the etag of the todo, and {1} its version.
OTHERS = [
    (STALE, ['"other"', "", "{1}", "W/{1}", "W/*"]),
    (BY_PROXY, ["W/{0}", '"{1}-gzip"', '"{1};br"', '"other", W/{0}', '"other", W/"other"']),
    ("", ['"a" {0}', '"a"{0}', "{0}x", "{0} *"]),
]


class TestTheTag:
    def test_header_and_body_have_the_same_strong_etag(self, alice: Client) -> None:
        created = create(alice, title="x")
        etag = created["ETag"]
        assert etag.startswith('"')
        assert etag.endswith('"')
        path = created["Location"]
        assert alice.get(path)["ETag"] == alice.head(path)["ETag"] == etag
        assert alice.get(path).json()["etag"] == created.json()["etag"] == etag
        assert alice.get("/api/todos/").json()["results"][0]["etag"] == etag

    def test_every_change_gives_a_new_etag(self, alice: Client) -> None:
        todo = make_todo()
        tags = [
            todo.etag,
            *(ask(alice, change, todo)["ETag"] for change in ("PUT", "complete", "reopen")),
        ]
        assert tags[-1] == alice.get(f"/api/todos/{todo.pk}/")["ETag"]
        assert len(set(tags)) == 4

    def test_a_change_to_the_same_values_keeps_the_etag(self, alice: Client) -> None:
        todo = make_todo(title="Changed")
        for change in ("PUT", "PATCH", "reopen"):
            assert ask(alice, change, todo)["ETag"] == todo.etag

    def test_a_version_fits_its_column_exactly(self) -> None:
        assert len(make_todo().version) == Todo._meta.get_field("version").max_length == 16

    def test_no_two_todos_share_an_etag(self, alice: Client) -> None:
        assert create(alice, title="x")["ETag"] != create(alice, title="x")["ETag"]


class TestReading:
    @pytest.mark.parametrize(
        "form", ["{0}", "W/{0}", '"other", {0}', '"a,b",W/"x" ,{0}', '"", "!\xe9", {0}', "*"]
    )
    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    def test_if_none_match_with_the_current_etag_gets_304(
        self, alice: Client, form: str, method: str
    ) -> None:
        todo = make_todo()
        headers = {"if-none-match": form.format(todo.etag)}
        response: Any = alice.generic(method, f"/api/todos/{todo.pk}/", headers=headers)
        assert (response.status_code, response.content) == (304, b"")
        assert response["ETag"] == todo.etag
        assert response["Cache-Control"] == "private, no-cache"
        assert response["Vary"] == "Accept, Authorization, origin"
        assert "Content-Length" not in response
        assert "Content-Type" not in response

    @pytest.mark.parametrize(
        "form", ['"other"', "", "{1}", 'W/"other"', '"{1}', "W/*", "**", '"a b", {0}']
    )
    def test_if_none_match_with_another_etag_gets_the_todo(self, alice: Client, form: str) -> None:
        todo = make_todo()
        headers = {"if-none-match": form.format(todo.etag, todo.version)}
        response = alice.get(f"/api/todos/{todo.pk}/", headers=headers)
        assert (response.status_code, response["ETag"]) == (200, todo.etag)

    def test_a_get_honours_if_match(self, alice: Client) -> None:
        todo = make_todo()
        path = f"/api/todos/{todo.pk}/"
        assert alice.get(path, headers={"if-match": todo.etag}).status_code == 200
        response = alice.get(path, headers={"if-match": '"other"'})
        assert (response.status_code, response.json()["code"]) == (412, "precondition_failed")


@every_change
class TestWriting:
    @pytest.mark.parametrize("form", ["{0}", '"other", {0}', '{0},"other"', '"a,b"\t,, {0} ,', "*"])
    def test_a_change_with_the_current_etag_succeeds(
        self, alice: Client, todo: Todo, change: str, form: str
    ) -> None:
        response = ask(alice, change, todo, **{"if-match": form.format(todo.etag)})
        assert response.status_code == (204 if change == "DELETE" else 200)
        assert not Todo.objects.filter(version=todo.version).exists()

    @pytest.mark.parametrize(("detail", "form"), each_value(OTHERS))
    def test_a_change_with_another_etag_gets_412(
        self, alice: Client, todo: Todo, change: str, detail: str, form: str
    ) -> None:
        form = form.format(todo.etag, todo.version)
        body = problem(ask(alice, change, todo, **{"if-match": form}), 412, "precondition_failed")
        assert body["detail"].startswith(detail)
        assert body["current"] == alice.get(f"/api/todos/{todo.pk}/").json()
        assert is_as_it_was(todo)

    @pytest.mark.parametrize("form", ["{0}", "W/{0}", "*"])
    def test_a_change_with_a_matching_if_none_match_gets_412(
        self, alice: Client, todo: Todo, change: str, form: str
    ) -> None:
        response = ask(alice, change, todo, **{"if-none-match": form.format(todo.etag)})
        body = problem(response, 412, "precondition_failed")
        assert body["detail"] == (
            "If-None-Match names the current version. Remove the field to make the change."
        )
        assert body["current"] == alice.get(f"/api/todos/{todo.pk}/").json()
        assert is_as_it_was(todo)

    def test_a_conditional_change_is_one_compare_and_set(
        self, alice: Client, todo: Todo, change: str
    ) -> None:
        with CaptureQueriesContext(connection) as queries:
            ask(alice, change, todo, **{"if-match": todo.etag})
        read, *counted, write = (query["sql"] for query in queries)
        assert read.startswith("SELECT")
        assert len(counted) == A_CHANGE - 1
        assert 'UPDATE "todos_todo" SET' in write
        for condition in ("\"owner_id\" = 'alice'", f"\"version\" = '{todo.version}'"):
            assert condition in write

    def test_a_conditional_change_fails_after_a_concurrent_change(
        self, alice: Client, todo: Todo, change: str, meanwhile: Meanwhile
    ) -> None:
        meanwhile(lambda: Todo.objects.get().change(description="Overtaken"))
        response = ask(alice, change, todo, **{"if-match": todo.etag})
        assert (response.status_code, response.json()["code"]) == (412, "precondition_failed")
        after = Todo.objects.get()
        assert (after.title, after.description) == ("Buy milk", "Overtaken")
        assert response.json()["current"] == alice.get(f"/api/todos/{todo.pk}/").json()

    def test_a_change_without_if_match_survives_a_concurrent_change(
        self, alice: Client, todo: Todo, change: str, meanwhile: Meanwhile
    ) -> None:
        meanwhile(lambda: Todo.objects.get().change(description="Overtaken"))
        response = ask(alice, change, todo, **{"if-match": "*"})
        assert response.status_code == (204 if change == "DELETE" else 200)

    def test_a_strangers_todo_is_forbidden_whatever_the_precondition(
        self, bob: Client, todo: Todo, change: str, settings: Settings
    ) -> None:
        settings.REQUIRE_IF_MATCH = True
        for headers in ({}, {"if-match": todo.etag}, {"if-match": '"x"'}, {"if-none-match": "*"}):
            response = ask(bob, change, todo, **headers)
            assert (response.status_code, response.json()["code"]) == (403, "permission_denied")
            assert "current" not in response.json()
            assert "ETag" not in response
        assert is_as_it_was(todo)

    def test_a_missing_todo_is_missing_whatever_the_precondition(
        self, alice: Client, todo: Todo, change: str, settings: Settings
    ) -> None:
        settings.REQUIRE_IF_MATCH = True
        missing = Todo(pk=uuid.uuid4())
        for headers in ({}, {"if-match": "*"}, {"if-match": todo.etag}):
            assert ask(alice, change, missing, **headers).status_code == 404

    def test_a_failed_precondition_comes_before_an_invalid_body(
        self, alice: Client, todo: Todo, change: str
    ) -> None:
        method, action, _ = CHANGES[change]
        path, stale = f"/api/todos/{todo.pk}/{action}", {"if-match": '"other"'}
        for query, body in (("?colour=red", ""), ("", '{"title": 7}'), ("", "{")):
            response: Any = alice.generic(method, path + query, body, JSON, headers=stale)
            assert response.status_code == 412

    def test_require_if_match_requires_if_match_of_changes(
        self, alice: Client, todo: Todo, change: str, settings: Settings
    ) -> None:
        settings.REQUIRE_IF_MATCH = True
        response = ask(alice, change, todo)
        assert (response.status_code, response.json()["code"]) == (428, "precondition_required")
        assert "current" not in response.json()
        assert ask(alice, change, todo, **{"if-match": ""}).status_code == 412
        assert is_as_it_was(todo)
        assert ask(alice, change, todo, **{"if-match": todo.etag}).status_code in (200, 204)


def test_a_weak_etag_in_a_batch_has_its_own_detail(alice: Client) -> None:
    todo = make_todo()
    details = []
    for etag in (f"W/{todo.etag}", '"other"'):
        operation = {"op": "delete", "id": str(todo.pk), "etag": etag}
        body = {"operations": [operation]}
        problem = alice.post("/api/todos/batch/", body, content_type=JSON).json()
        assert (problem["status"], problem["code"]) == (412, "precondition_failed")
        details.append(problem["errors"][0]["detail"])
    assert "A proxy has changed this ETag" in details[0]
    assert "A proxy has changed this ETag" not in details[1]


def test_require_if_match_exempts_reading_and_creating(alice: Client, settings: Settings) -> None:
    settings.REQUIRE_IF_MATCH = True
    path = create(alice, title="x")["Location"]
    assert alice.get(path).status_code == alice.get("/api/todos/").status_code == 200
    assert alice.options(path).status_code == 200
    assert alice.post(path).status_code == 405


def test_a_list_item_can_be_written_back_without_a_get(alice: Client) -> None:
    make_todo(title="Buy milk")
    (item,) = alice.get("/api/todos/").json()["results"]
    response = alice.put(
        f"/api/todos/{item['id']}/",
        {**item, "title": "Buy bread"},
        content_type=JSON,
        headers={"if-match": item["etag"]},
    )
    assert (response.status_code, response.json()["title"]) == (200, "Buy bread")
