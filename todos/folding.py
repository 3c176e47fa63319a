"""Text without regard to case, as it is stored to be searched and sorted by.

Stored, because no two databases agree on what a letter's other case is beyond ASCII.
"""

from __future__ import annotations

from collections.abc import Iterable

from api.bodies.text import normalized

# No tag can contain it.
SEPARATOR = "\n"


def folded(text: str) -> str:
    """Equal for texts that differ in case or composition only (Unicode section 3.13, D145)."""
    return normalized("NFC", normalized("NFD", text).casefold())


def folded_tags(tags: Iterable[str]) -> str:
    """The tags, each between two separators, so that a whole one can be looked for."""
    return SEPARATOR + "".join(f"{folded(tag)}{SEPARATOR}" for tag in tags)
