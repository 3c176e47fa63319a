from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Literal

PIECE_CHARACTERS = 500
# A text that is safe to stream has at most 30 marks in a row (Unicode Annex 15, UAX15-D3).
MARKS = 30


def folded(text: str) -> str:
    """Return equal texts for texts that differ in case or composition only (Unicode D145).

    Search and sort columns store this text, because databases disagree on case beyond ASCII.
    """
    return normalized("NFC", normalized("NFD", text).casefold())


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
        while end < start + PIECE_CHARACTERS + MARKS and _joins(text[end : end + 1]):
            end += 1
        yield text[start:end]
        start = end


def _joins(character: str) -> bool:
    """Tell whether a character may combine with the one before: a mark or a Hangul vowel or end."""
    if not character:
        return False
    return unicodedata.category(character).startswith("M") or "\u1160" <= character <= "\u11ff"
