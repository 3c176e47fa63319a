from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Literal

PIECE_CHARACTERS = 500
# As many marks as a text that is safe to stream has in a row (Unicode Annex 15, UAX15-D3).
MARKS = 30


def normalized(form: Literal["NFC", "NFD"], text: str) -> str:
    """``text`` in a normalization form, at a cost that grows with its length only.

    Combining marks take the square of their number to put in order, so a text is taken piece
    by piece. Where more than 30 of them follow one another, they may be put in order apart.
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
    """Whether it may become one with what is before it: a mark, or the rest of a syllable."""
    if not character:
        return False
    return unicodedata.category(character).startswith("M") or "\u1160" <= character <= "\u11ff"
