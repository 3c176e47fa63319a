"""A field accepts what its pattern in the OpenAPI document matches."""

from __future__ import annotations

import re
import sys
import unicodedata

import jsonschema_rs
import pytest
from rest_framework.serializers import ValidationError

from api.bodies.text import CONTROL_CHARACTER, SPACE, LineField


def takes(field: LineField, text: str) -> bool:
    try:
        field.run_validation(text)
    except ValidationError:
        return False
    return True


LINES = ["", " ", "\u3000", "\ufeff", "a", " a", "a\n", "\x1ca\x85", "a\nb", "\x00", "a\x7f"]
LENGTHS = ["aaaaa", "aaaaaa", " aaaaa\t", "a   a", "a    a", "a" + 9 * " ", "\U0001f600" * 5]


@pytest.mark.parametrize("allow_blank", [False, True], ids=["required", "blank allowed"])
@pytest.mark.parametrize("text", LINES + LENGTHS, ids=ascii)
def test_the_pattern_of_a_line_matches_what_the_field_accepts(
    text: str, *, allow_blank: bool
) -> None:
    field = LineField(max_length=5, allow_blank=allow_blank)
    schema = {"pattern": field.openapi["pattern"]}
    assert jsonschema_rs.is_valid(schema, text) is takes(field, text)


def test_a_blank_default_needs_a_field_that_allows_blank() -> None:
    with pytest.raises(TypeError, match="allow_blank=True"):
        LineField(max_length=5, default="")


def test_the_pattern_names_every_trimmed_character() -> None:
    characters = "".join(map(chr, range(sys.maxunicode + 1)))
    trimmed = {character for character in characters if not character.strip()}
    assert set(re.findall(f"[{SPACE}]", characters)) == trimmed


def test_control_characters_are_those_of_unicode() -> None:
    matching = [
        char for char in map(chr, range(sys.maxunicode + 1)) if CONTROL_CHARACTER.match(char)
    ]
    assert {*map(unicodedata.category, matching)} == {"Cc"}
    assert len(matching) == 65
