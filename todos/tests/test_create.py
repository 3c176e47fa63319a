from __future__ import annotations

import unicodedata
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.utils.dateparse import parse_datetime

from todos.models import Todo
from todos.tests.writing import create, pointers

pytestmark = pytest.mark.django_db


def test_a_title_is_enough(alice: Client) -> None:
    response = create(alice, title="Buy milk")
    assert response.status_code == 201
    body = response.json()
    assert list(body) == [
        "id", "title", "description", "completed", "completed_at", "priority", "due_date",
        "due_time", "timezone", "due_at", "tags", "created_at", "updated_at", "etag",
    ]  # fmt: skip
    assert UUID(body["id"]).version == 4
    assert (body["title"], body["description"]) == ("Buy milk", "")
    assert (body["completed"], body["completed_at"]) == (False, None)
    assert body["created_at"] == body["updated_at"]
    assert body["created_at"].endswith("Z")


def test_the_location_leads_to_the_todo(alice: Client) -> None:
    response = create(alice, title="Buy milk")
    assert response["Location"] == f"http://testserver/api/todos/{response.json()['id']}/"
    assert alice.get(response["Location"]).json() == response.json()


def test_the_owner_is_the_tokens_subject(alice: Client) -> None:
    todo = Todo.objects.get(pk=create(alice, title="Buy milk").json()["id"])
    assert todo.owner_id == "alice"


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


@pytest.mark.parametrize("name", ["owner_id", "user_id", "owner", "user", "sub"])
def test_no_field_chooses_an_owner(alice: Client, name: str) -> None:
    assert pointers(create(alice, title="x", **{name: "bob"})) == [(f"/{name}", "unknown_field")]
    assert not Todo.objects.exists()


@pytest.mark.parametrize("name", ["owner_id", "user_id", "owner"])
def test_no_query_parameter_chooses_an_owner(alice: Client, name: str) -> None:
    response = alice.post(
        f"/api/todos/?{name}=bob", {"title": "x"}, content_type="application/json"
    )
    assert (response.status_code, response.json()["code"]) == (400, "invalid_parameter")
    assert response.json()["errors"] == [
        {
            "parameter": name,
            "code": "unknown",
            "detail": "This query parameter is not known. Leave it out.",
        }
    ]
    assert not Todo.objects.exists()


@pytest.mark.parametrize("name", ["X-User-Id", "X-Owner-Id", "Owner", "Remote-User"])
def test_no_header_chooses_an_owner(alice: Client, name: str) -> None:
    alice.post(
        "/api/todos/", {"title": "x"}, content_type="application/json", headers={name: "bob"}
    )
    assert Todo.objects.get().owner_id == "alice"


def test_read_only_fields_are_accepted_and_ignored(alice: Client) -> None:
    body = create(
        alice,
        title="x",
        created_at="1999-01-01T00:00:00Z",
        updated_at="1999-01-01T00:00:00Z",
        completed_at="1999-01-01T00:00:00Z",
    ).json()
    created_at = parse_datetime(body["created_at"])
    assert created_at is not None
    assert created_at.year > 1999
    assert body["completed_at"] is None


@pytest.mark.parametrize(
    ("title", "stored"),
    [
        ("  Buy milk\t ", "Buy milk"),
        ("x" * 500, "x" * 500),
        (" " * 600 + "x", "x"),
        ("Cafe\u0301", "Caf\u00e9"),
        ("e\u0301" * 500, "\u00e9" * 500),  # limits count what is left
        ("😀 日本語 'quotes' <b>&", "😀 日本語 'quotes' <b>&"),
        ("ﬁ ²", "ﬁ ²"),  # composed, not replaced by what they look like
        ("\u2028", None),
        ("\u200b", "\u200b"),
    ],
)
def test_a_title_is_trimmed_and_composed(alice: Client, title: str, stored: str | None) -> None:
    response = create(alice, title=title)
    if stored is None:
        assert pointers(response) == [("/title", "blank")]
    else:
        assert response.json()["title"] == stored
        assert unicodedata.is_normalized("NFC", response.json()["title"])


def test_a_title_of_endless_marks_is_refused_before_normalization(
    alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Putting combining marks in order takes the square of their number."""
    longest = "\u1f82" * 500  # four characters each when decomposed
    decomposed = unicodedata.normalize("NFD", longest)
    assert len(decomposed) == 2000
    assert create(alice, title=decomposed).json()["title"] == longest

    with monkeypatch.context() as patch:
        patch.delattr("unicodedata.normalize")
        response = create(alice, title=f"{decomposed}\u0315")
    assert pointers(response) == [("/title", "max_length")]


@pytest.mark.parametrize(
    ("title", "code"),
    [
        ("", "blank"),
        ("   ", "blank"),
        (None, "null"),
        ("x" * 501, "max_length"),
        ("a\x00b", "control_character"),
        ("a\nb", "control_character"),
        ("a\x85b", "control_character"),
        ("\ud800", "surrogate_characters_not_allowed"),
        (7, "invalid"),
        (1.5, "invalid"),
        (True, "invalid"),
        (["x"], "invalid"),
        ({"x": 1}, "invalid"),
    ],
    ids=repr,
)
def test_an_invalid_title_is_refused(alice: Client, title: Any, code: str) -> None:
    assert pointers(create(alice, title=title)) == [("/title", code)]


def test_a_title_is_required(alice: Client) -> None:
    assert pointers(create(alice)) == [("/title", "required")]


@pytest.mark.parametrize("text", ["", "  kept  ", "several\nlines\tand tabs", "x" * 10_000])
def test_a_description_is_kept_as_it_is(alice: Client, text: str) -> None:
    assert create(alice, title="x", description=text).json()["description"] == text


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("x" * 10_001, "max_length"),
        ("a\x00b", "null_characters_not_allowed"),
        ("\udfff", "surrogate_characters_not_allowed"),
        (None, "null"),
        (7, "invalid"),
    ],
    ids=lambda value: repr(value)[:12],
)
def test_an_invalid_description_is_refused(alice: Client, text: Any, code: str) -> None:
    assert pointers(create(alice, title="x", description=text)) == [("/description", code)]


@pytest.mark.parametrize("value", ["true", "yes", "", 0, 1, [], {}, None], ids=repr)
def test_completed_is_a_boolean(alice: Client, value: Any) -> None:
    code = "null" if value is None else "invalid"
    assert pointers(create(alice, title="x", completed=value)) == [("/completed", code)]


def test_all_errors_of_a_body_are_reported_at_once(alice: Client) -> None:
    response = create(alice, title="", completed="yes", colour="red", **{"a/b~c": 1})
    assert sorted(pointers(response)) == [
        ("/a~1b~0c", "unknown_field"),
        ("/colour", "unknown_field"),
        ("/completed", "invalid"),
        ("/title", "blank"),
    ]


@pytest.mark.parametrize("body", ["[]", '"x"', "7", "null", "true"])
def test_a_body_other_than_an_object_is_refused(alice: Client, body: str) -> None:
    response = alice.post("/api/todos/", body, content_type="application/json")
    assert pointers(response) == [("", "null" if body == "null" else "invalid")]


@pytest.mark.parametrize(
    ("name", "pointer"),
    [
        ("", "/"),
        ("/", "/~1"),
        ("~1", "/~01"),
        ("a b", "/a b"),
        ("0", "/0"),
        ("é", "/é"),
        ("message", "/message"),
    ],
)
def test_an_error_pointer_escapes_as_rfc_6901_says(alice: Client, name: str, pointer: str) -> None:
    assert pointers(create(alice, title="x", **{name: 1})) == [(pointer, "unknown_field")]


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
