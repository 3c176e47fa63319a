"""Text without regard to case, as it is stored to be searched and sorted by.

Stored, because no two databases agree on what a letter's other case is beyond ASCII.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

# No tag can contain it.
SEPARATOR = "\n"
# Combining marks take the square of their number to put in order: composed piece by piece, a
# text of nothing else is no work. ASCII is composed as it is, but may be what a mark is on.
PIECE = re.compile(r".?[^\x00-\x7f]{1,500}", re.DOTALL)


def folded(text: str) -> str:
    """Equal for texts that differ in case or composition only (Unicode section 3.13, D145)."""
    return composed(composed(text).casefold())


def composed(text: str) -> str:
    """In Normalization Form C, for every piece of 500 characters that are not ASCII."""
    return PIECE.sub(lambda piece: unicodedata.normalize("NFC", piece[0]), text)


def folded_tags(tags: Iterable[str]) -> str:
    """The tags, each between two separators, so that a whole one can be looked for."""
    return SEPARATOR + "".join(f"{folded(tag)}{SEPARATOR}" for tag in tags)
