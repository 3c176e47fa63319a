"""A place in a list, as clients carry it from page to page.

A cursor is signed, and its signature covers whose list it belongs to and in which order: a
cursor that was changed, or was made for another user or ordering, is refused.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.core import signing

from api.lists.ordering import Position

# To be raised with every change of what a cursor holds: those of before are refused then.
FORMAT = 2
LONG_CHARACTERS = 64  # more than this is worth being compressed


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place beside a row, which may be gone by now, and the way to read from there.

    ``inclusive``: the row itself, if it is still there, is the first one of the page.
    """

    position: Position
    backward: bool
    inclusive: bool = False

    def turned(self) -> Cursor:
        """The same place, read the other way."""
        return replace(self, backward=not self.backward, inclusive=not self.inclusive)

    def sign(self, salt: str) -> str:
        value = [self.position, self.backward, self.inclusive]
        is_long = any(len(str(part)) > LONG_CHARACTERS for part in self.position)
        return signing.dumps(value, salt=salt, compress=is_long)

    @classmethod
    def read(cls, text: str, salt: str) -> Cursor:
        """Raises ``signing.BadSignature`` for a cursor that was not signed with this salt."""
        return cls(*signing.loads(text, salt=salt))
