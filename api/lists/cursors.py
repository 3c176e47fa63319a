"""A place in a list, which clients carry from page to page.

The signature of a cursor covers the user and the ordering: a cursor that was changed, or made for
another user or ordering, is refused.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.core import signing

from api.lists.ordering import Position

# Raise this with every change of the contents: cursors of an earlier format are refused.
FORMAT = 2
LONG_CHARACTERS = 64  # compression pays above


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place beside a row, which may be deleted by now, and the direction to read.

    ``inclusive`` makes the row itself the first of the page, if it still exists.
    """

    position: Position
    backward: bool
    inclusive: bool = False

    def turned(self) -> Cursor:
        """Return the same place with the other direction."""
        return replace(self, backward=not self.backward, inclusive=not self.inclusive)

    def sign(self, salt: str) -> str:
        value = [self.position, self.backward, self.inclusive]
        is_long = any(len(str(part)) > LONG_CHARACTERS for part in self.position)
        return signing.dumps(value, salt=salt, compress=is_long)

    @classmethod
    def read(cls, text: str, salt: str) -> Cursor:
        """Raises ``signing.BadSignature`` for a cursor that was not signed with this salt."""
        return cls(*signing.loads(text, salt=salt))
