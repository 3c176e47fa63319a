"""Values that each field of a todo keeps and refuses. Due dates are in test_due."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest
from django.test import Client

from api.bodies.text import folded
from todos.models import Todo
from todos.tests.factories import make_todo
from todos.tests.writing import create, each_value, pointers

pytestmark = pytest.mark.django_db

KEPT = [
    ("title", ["x" * 500, "😀 日本語 'quotes' <b>&", "\u200b"]),
    ("title", ["ﬁ ²"]),  # composed, not replaced by what they look like
    ("description", ["", "  kept  ", "several\nlines\tand tabs", "x" * 10_000]),
    ("priority", ["none", "low", "medium", "high"]),
    ("tags", [[], ["home", "work"], ["x" * 50], ["%", "_", "\\", ",", '"']]),
    ("tags", [[str(number) for number in range(20)]]),
    ("id", ["3f1c9a52-7d0e-4b8a-9c41-5e2f60d7a813", "01890a5d-ac96-774b-bcce-b302099a8057"]),
]
# UUIDs of version 1 and of no version.
OTHER_IDS = ["c232ab00-9414-11ec-b3c8-9f6bdeced846", "00000000-0000-0000-0000-000000000001"]
REFUSED = [
    ("title", "blank", ["", "   ", "\u2028"]),
    ("title", "null", [None]),
    ("title", "max_length", ["x" * 501]),
    ("title", "control_character", ["a\x00b", "a\nb", "a\x85b"]),
    ("title", "surrogate_characters_not_allowed", ["\ud800"]),
    ("title", "invalid", [7, 1.5, True, ["x"], {"x": 1}]),
    ("description", "max_length", ["x" * 10_001]),
    ("description", "null_characters_not_allowed", ["a\x00b"]),
    ("description", "surrogate_characters_not_allowed", ["\udfff"]),
    ("description", "null", [None]),
    ("description", "invalid", [7]),
    ("completed", "null", [None]),
    ("completed", "invalid", ["true", "yes", "", 0, 1, [], {}]),
    ("priority", "null", [None]),
    ("priority", "invalid_choice", ["", "urgent", "High", " low", "\ud800", 1, 0, True, [], {}]),
    ("tags", "null", [None]),
    ("tags", "not_a_list", ["home", {}, 7]),
    ("tags", "max_length", [["x"] * 21]),
    ("tags/0", "max_length", [["x" * 51]]),
    ("tags/0", "control_character", [["a\nb"], ["a\x00b"]]),
    ("tags/0", "surrogate_characters_not_allowed", [["\ud800"]]),
    ("tags/0", "invalid", [[["x"]]]),
    ("tags/1", "blank", [["ok", ""]]),
    ("id", "invalid", [*OTHER_IDS, "{3f1c9a52-7d0e-4b8a-9c41-5e2f60d7a813}", "x", "", 7, ["x"]]),
    ("id", "null", [None]),
    *[(name, "unknown_field", ["bob"]) for name in ("owner_id", "user_id", "owner", "sub")],
]


@pytest.mark.parametrize(("name", "value"), each_value(KEPT))
def test_a_valid_value_is_kept(alice: Client, name: str, value: Any) -> None:
    todo = create(alice, **{"title": "x", name: value}).json()
    assert todo[name] == value
    assert alice.get(f"/api/todos/{todo['id']}/").json() == todo


@pytest.mark.parametrize(("pointer", "code", "value"), each_value(REFUSED))
def test_an_invalid_value_is_refused(alice: Client, pointer: str, code: str, value: Any) -> None:
    name = pointer.split("/")[0]
    assert pointers(create(alice, **{"title": "x", name: value})) == [(f"/{pointer}", code)]
    assert not Todo.objects.exists()


def test_each_invalid_tag_has_its_own_error(alice: Client) -> None:
    response = create(alice, title="x", tags=["ok", 7, "ok", None])
    assert pointers(response) == [("/tags/1", "invalid"), ("/tags/3", "null")]


@pytest.mark.parametrize(
    ("title", "kept"),
    [
        ("  Buy milk\t ", "Buy milk"),
        (" " * 600 + "x", "x"),
        ("Cafe\u0301", "Caf\u00e9"),
        ("e\u0301" * 500, "\u00e9" * 500),  # limits count what is left
    ],
)
def test_a_title_is_trimmed_and_composed(alice: Client, title: str, kept: str) -> None:
    assert create(alice, title=title).json()["title"] == kept


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
    ("given", "kept"),
    [
        (["Home", "home", "HOME", "work"], ["Home", "work"]),
        (["Straße", "STRASSE"], ["Straße"]),
        (["Σίσυφος", "ΣΊΣΥΦΟΣ"], ["Σίσυφος"]),
        ([" home ", "home"], ["home"]),
        (["Cafe\u0301", "CAF\u00c9"], ["Caf\u00e9"]),
    ],
)
def test_tags_are_trimmed_composed_and_merged(
    alice: Client, given: list[str], kept: list[str]
) -> None:
    assert create(alice, title="x", tags=given).json()["tags"] == kept


def test_another_spelling_of_a_tag_is_a_change(alice: Client) -> None:
    path = f"/api/todos/{make_todo(tags=['home', 'work']).pk}/"
    body = alice.patch(path, {"tags": ["HOME"]}, content_type="application/json").json()
    assert body["tags"] == ["HOME"]


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
