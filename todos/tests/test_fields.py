"""Priority, tags, and what else a todo has beside its title. Due dates are in test_due."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest
from django.test import Client

from api.bodies.text import folded
from todos.models import Todo
from todos.tests.factories import make_todo
from todos.tests.writing import create, pointers

pytestmark = pytest.mark.django_db


def test_omitted_fields_have_their_defaults(alice: Client) -> None:
    todo = create(alice, title="x").json()
    assert (todo["priority"], todo["tags"]) == ("none", [])
    assert (todo["due_date"], todo["due_time"], todo["timezone"], todo["due_at"]) == (None,) * 4


@pytest.mark.parametrize("priority", ["none", "low", "medium", "high"])
def test_a_priority_has_a_name(alice: Client, priority: str) -> None:
    todo = create(alice, title="x", priority=priority).json()
    assert todo["priority"] == priority
    assert alice.get(f"/api/todos/{todo['id']}/").json()["priority"] == priority


@pytest.mark.parametrize(
    "priority", ["", "urgent", "High", " low", "\ud800", 1, 0, True, [], {}], ids=ascii
)
def test_a_priority_is_one_of_four(alice: Client, priority: Any) -> None:
    assert pointers(create(alice, title="x", priority=priority)) == [
        ("/priority", "invalid_choice")
    ]


@pytest.mark.parametrize("name", ["priority", "tags"])
def test_null_for_priority_and_tags_of_a_new_todo_is_refused(alice: Client, name: str) -> None:
    assert pointers(create(alice, title="x", **{name: None})) == [(f"/{name}", "null")]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ([], []),
        (["home", "work"], ["home", "work"]),
        (["Home", "home", "HOME", "work"], ["Home", "work"]),
        (["Straße", "STRASSE"], ["Straße"]),
        (["Σίσυφος", "ΣΊΣΥΦΟΣ"], ["Σίσυφος"]),
        ([" home ", "home"], ["home"]),
        (["Cafe\u0301", "CAF\u00c9"], ["Caf\u00e9"]),
        (["x" * 50], ["x" * 50]),
        (["%", "_", "\\", ",", '"'], ["%", "_", "\\", ",", '"']),
        ([str(number) for number in range(20)], [str(number) for number in range(20)]),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_tags_are_trimmed_composed_and_merged(
    alice: Client, given: list[str], kept: list[str]
) -> None:
    todo = create(alice, title="x", tags=given).json()
    assert todo["tags"] == kept
    assert alice.get(f"/api/todos/{todo['id']}/").json()["tags"] == kept


@pytest.mark.parametrize(
    ("tags", "errors"),
    [
        ("home", [("/tags", "not_a_list")]),
        ({}, [("/tags", "not_a_list")]),
        (7, [("/tags", "not_a_list")]),
        (["x"] * 21, [("/tags", "max_length")]),
        (["ok", ""], [("/tags/1", "blank")]),
        (["x" * 51], [("/tags/0", "max_length")]),
        (["ok", 7, "ok", None], [("/tags/1", "invalid"), ("/tags/3", "null")]),
        (["a\nb"], [("/tags/0", "control_character")]),
        (["a\x00b"], [("/tags/0", "control_character")]),
        (["\ud800"], [("/tags/0", "surrogate_characters_not_allowed")]),
        ([["x"]], [("/tags/0", "invalid")]),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_each_invalid_tag_has_its_own_error(
    alice: Client, tags: Any, errors: list[tuple[str, str]]
) -> None:
    assert pointers(create(alice, title="x", tags=tags)) == errors


def test_tags_are_replaced_as_a_whole(alice: Client) -> None:
    todo = make_todo(tags=["home", "work"])
    path = f"/api/todos/{todo.pk}/"
    body = alice.patch(path, {"tags": ["garden"]}, content_type="application/json").json()
    assert body["tags"] == ["garden"]
    body = alice.put(path, {"title": "x"}, content_type="application/json").json()
    assert body["tags"] == []


def test_another_spelling_of_a_tag_is_a_change(alice: Client) -> None:
    todo = make_todo(tags=["home"])
    path = f"/api/todos/{todo.pk}/"
    body = alice.patch(path, {"tags": ["HOME"]}, content_type="application/json").json()
    assert body["tags"] == ["HOME"]


@pytest.mark.parametrize("name", ["due_at", "etag"])
def test_derived_fields_are_read_only(alice: Client, name: str) -> None:
    todo = create(alice, title="x", **{name: "2026-01-01T00:00:00Z"}).json()
    assert todo[name] != "2026-01-01T00:00:00Z"


def test_search_columns_follow_a_change(alice: Client) -> None:
    todo = make_todo(title="Old", description="OLD", tags=["Old"])
    body = {"title": "NEW", "description": "Ne\u0301w", "tags": ["New", "Ébène"]}
    alice.patch(f"/api/todos/{todo.pk}/", body, content_type="application/json")
    todo = Todo.objects.get()
    assert todo.title_folded == "new"
    assert todo.description_folded == "n\u00e9w"
    assert todo.tags_folded == "\nnew\nébène\n"


@pytest.mark.parametrize(
    ("one", "other"),
    [("\u1f80\u0301", "\u1f84"), ("\u0386\u0345\u0301", "\u03ac\u0345\u0301")],
    ids=ascii,
)
def test_texts_that_differ_in_case_or_composition_fold_alike(one: str, other: str) -> None:
    assert folded(one) == folded(other)


@pytest.mark.parametrize("length", range(495, 505))
@pytest.mark.parametrize("letter", ["E\u0301", "\u304b\u3099", "\u1112\u1161\u11ab"])
def test_folding_tears_no_letter_between_two_pieces(length: int, letter: str) -> None:
    """Long texts are composed piece by piece, and no letter is torn."""
    text = "\u3042" * length + letter
    assert folded(text) == unicodedata.normalize("NFC", text.casefold())


def test_folding_normalizes_small_pieces_of_endless_marks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Sorting the marks of a piece takes the square of its length."""
    pieces: list[str] = []

    def normalize(form: str, text: str) -> str:
        pieces.append(text)
        return text

    monkeypatch.setattr("api.bodies.text.unicodedata.normalize", normalize)
    folded("a" + "\u0301\u0316" * 5000)
    assert max(map(len, pieces)) <= 530
