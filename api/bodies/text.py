"""Text fields, and the forms of text that they and the search columns keep."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any, Literal

from rest_framework import serializers

# Some generators decode `\u000d` in patterns, which breaks a line of their code, but keep `\x0d`.
CONTROL = r"\x00-\x1f\x7f-\x9f"
CONTROL_CHARACTER = re.compile(f"[{CONTROL}]")
# The characters that Python trims. \s of ECMA 262 lacks the last of them, and has U+FEFF.
SPACE = r"\s\x1c-\x1f\x85"
PIECE_CHARACTERS = 500
# A text that is safe to stream has at most 30 marks in a row (Unicode Annex 15, UAX15-D3).
MARKS = 30


class TextField(serializers.CharField):
    """A JSON string, not a number."""

    openapi: dict[str, Any] = {"pattern": r"^[^\x00]*$"}

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class LineField(TextField):
    """One line of text: trimmed, NFC (Unicode Annex 15), without control characters.

    ``max_length`` counts the characters of the result.
    """

    default_error_messages = {"control_character": "Control characters are not allowed."}

    def __init__(self, *, max_length: int, **kwargs: Any) -> None:
        super().__init__(max_length=max_length, **kwargs)
        if self.default == "" and not self.allow_blank:
            raise TypeError("The default is blank: set allow_blank=True.")
        visible, inner = rf"([^\s{CONTROL}]|\ufeff)", f"[^{CONTROL}]{{0,{max_length - 2}}}"
        line = f"{visible}({inner}{visible})?"
        # maxLength would count trimmed characters.
        self.openapi = {
            "minLength": None,
            "maxLength": None,
            "pattern": f"^[{SPACE}]*{f'({line})?' if self.allow_blank else line}[{SPACE}]*$",
            "description": f"Trimmed and composed (NFC), then {int(not self.allow_blank)} to "
            f"{max_length} characters.",
        }

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        # Composition makes one character of at most four.
        if self.max_length is not None and len(text) > 4 * self.max_length:
            self.fail("max_length", max_length=self.max_length)
        text = normalized("NFC", text)
        if CONTROL_CHARACTER.search(text):
            self.fail("control_character")
        return text


def folded(text: str) -> str:
    """Return equal texts for texts that differ in case or composition only (Unicode D145).

    Search and sort columns store this text, because databases disagree on case beyond ASCII.
    """
    return normalized("NFC", normalized("NFD", text).casefold())


def folded_lines(lines: Sequence[str]) -> str:
    """Fold lines into one text, with a newline around each, to search for whole lines."""
    return "\n".join(["", *map(folded, lines), ""])


def normalized(form: Literal["NFC", "NFD"], text: str) -> str:
    """Return ``text`` in a normalization form, at a cost that grows with its length only.

    Sorting combining marks takes the square of their number, so this normalizes pieces. More
    than 30 marks in a row may be sorted in two groups.
    """
    if text.isascii():
        return text
    return "".join(unicodedata.normalize(form, piece) for piece in _pieces(text))


def _pieces(text: str) -> Iterator[str]:
    start = 0
    while start < len(text):
        end = start + PIECE_CHARACTERS
        while end < min(start + PIECE_CHARACTERS + MARKS, len(text)) and _joins(text[end]):
            end += 1
        yield text[start:end]
        start = end


def _joins(character: str) -> bool:
    """Tell whether a character may combine with the one before: a mark or a Hangul vowel or end."""
    return unicodedata.category(character).startswith("M") or "\u1160" <= character <= "\u11ff"
