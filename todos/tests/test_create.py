from __future__ import annotations

from uuid import UUID

import pytest
from django.test import Client

from todos.models import Todo
from todos.tests.writing import create, pointers

pytestmark = pytest.mark.django_db


def test_a_title_is_enough(alice: Client) -> None:
    response = create(alice, title="Buy milk")
    assert response.status_code == 201
    body = response.json()
    made = {name: body[name] for name in ("id", "created_at", "updated_at", "etag")}
    made["deleted_at"] = None
    defaults = {
        "title": "Buy milk",
        "description": "",
        "completed": False,
        "completed_at": None,
        "priority": "none",
        "due_date": None,
        "due_time": None,
        "timezone": None,
        "due_at": None,
        "tags": [],
        "list_id": None,
    }
    assert body == {**made, **defaults}
    assert list(body) == ["id", *defaults, "created_at", "updated_at", "deleted_at", "etag"]
    assert UUID(body["id"]).version == 4
    assert body["created_at"] == body["updated_at"]
    assert body["created_at"].endswith("Z")


def test_the_location_leads_to_the_todo(alice: Client) -> None:
    response = create(alice, title="Buy milk")
    assert response["Location"] == f"http://testserver/api/todos/{response.json()['id']}/"
    assert alice.get(response["Location"]).json() == response.json()


def test_a_todo_belongs_to_the_user_of_its_token(bob: Client) -> None:
    create(bob, title="Buy milk")
    assert Todo.objects.get().owner_id == "bob"


def test_links_are_https_behind_a_proxy_that_ends_tls(alice: Client) -> None:
    response = alice.post(
        "/api/todos/",
        {"title": "x"},
        content_type="application/json",
        headers={"x-forwarded-proto": "https", "host": "testserver"},
    )
    assert response["Location"].startswith("https://testserver/api/todos/")


def test_a_todo_may_be_created_completed(alice: Client) -> None:
    body = create(alice, title="Done", completed=True).json()
    assert body["completed"] is True
    assert body["completed_at"] == body["created_at"]


def test_no_header_chooses_an_owner(alice: Client) -> None:
    names = ["X-User-Id", "X-Owner-Id", "Owner", "Remote-User"]
    headers = dict.fromkeys(names, "bob")
    alice.post("/api/todos/", {"title": "x"}, content_type="application/json", headers=headers)
    assert Todo.objects.get().owner_id == "alice"


def test_read_only_fields_are_accepted_and_ignored(alice: Client) -> None:
    names = ["created_at", "updated_at", "completed_at", "due_at", "etag"]
    body = create(alice, title="x", **dict.fromkeys(names, "1999-01-01T00:00:00Z")).json()
    assert "1999" not in str([body[name] for name in names])
    assert body["completed_at"] is body["due_at"] is None


def test_a_title_is_required(alice: Client) -> None:
    assert pointers(create(alice)) == [("/title", "required")]


def test_all_errors_of_a_body_are_reported_at_once(alice: Client) -> None:
    unknown = ["", "/", "~1", "a b", "0", "é", "message", "a/b~c"]
    escaped = ["", "~1", "~01", "a b", "0", "é", "message", "a~1b~0c"]  # RFC 6901
    response = create(alice, title="", completed="yes", id="x", **dict.fromkeys(unknown, 1))
    assert set(pointers(response)) == {
        ("/completed", "invalid"),
        ("/title", "blank"),
        ("/id", "invalid"),
        *((f"/{name}", "unknown_field") for name in escaped),
    }


@pytest.mark.parametrize("body", ["[]", '"x"', "7", "null", "true"])
def test_a_body_other_than_an_object_is_refused(alice: Client, body: str) -> None:
    response = alice.post("/api/todos/", body, content_type="application/json")
    assert pointers(response) == [("", "null" if body == "null" else "invalid")]


def test_a_body_with_a_duplicate_name_is_refused(alice: Client) -> None:
    body = '{"title": "a", "title": "b"}'
    response = alice.post("/api/todos/", body, content_type="application/json")
    assert (response.status_code, response.json()["code"]) == (400, "parse_error")


def test_an_answer_names_100_unknown_fields_at_most(alice: Client) -> None:
    response = create(alice, title="x", **{f"x{number}": 1 for number in range(5000)})
    assert len(pointers(response)) == 100


def test_a_body_may_have_64_levels(alice: Client) -> None:
    body = '{"title": ' + "[" * 63 + "]" * 63 + "}"
    for headers in ({}, {"idempotency-key": "k"}):
        response = alice.post("/api/todos/", body, content_type="application/json", headers=headers)
        assert pointers(response) == [("/title", "invalid")]


@pytest.mark.parametrize("depth", [64, 800, 900, 920, 950, 1000, 50_000])
def test_a_body_of_endless_levels_is_refused(alice: Client, depth: int) -> None:
    body = '{"title": ' + "[" * depth + "]" * depth + "}"
    for headers in ({}, {"idempotency-key": "k"}):
        response = alice.post("/api/todos/", body, content_type="application/json", headers=headers)
        assert (response.status_code, response.json()["code"]) == (400, "parse_error")


def test_an_empty_body_lacks_its_title(alice: Client) -> None:
    assert pointers(alice.generic("POST", "/api/todos/")) == [("/title", "required")]
