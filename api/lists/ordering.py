"""Orders of a list, and the rows beyond a position in one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, time
from typing import Any
from uuid import UUID

from django.db.models import F, Q
from django.db.models.expressions import OrderBy

# The JSON values of a row in the columns of an ordering.
Position = Sequence[str | int | None]


@dataclass(frozen=True, slots=True)
class Column:
    """A model field to sort by."""

    name: str
    nullable: bool = False

    def compare(self, lookup: str, value: Any) -> Q:
        return Q(**{f"{self.name}__{lookup}": value})


ID = Column("id")


@dataclass(frozen=True, slots=True)
class Ordering:
    """Rows sorted by columns, and then by id.

    ``descending`` applies to all columns and the id. NULL comes last either way, and first only
    if a list is read from its end.
    """

    columns: tuple[Column, ...]
    descending: bool
    nulls_first: bool = False

    def __str__(self) -> str:
        sign = "-" if self.descending else ""
        return ",".join(f"{sign}{column.name}" for column in (*self.columns, ID))

    def reversed(self) -> Ordering:
        return replace(self, descending=not self.descending, nulls_first=not self.nulls_first)

    def order_by(self) -> list[OrderBy]:
        return [self._order(column) for column in (*self.columns, ID)]

    def position(self, row: Any) -> Position:
        return [_plain(getattr(row, column.name)) for column in (*self.columns, ID)]

    def beyond(self, position: Position, *, inclusive: bool) -> Q:
        """Match the rows after a position, and with ``inclusive`` the one at it."""
        *values, row_id = position
        rows = ID.compare(f"{self._side}e" if inclusive else self._side, row_id)
        steps = list(zip(self.columns, values, strict=True))
        for column, value in reversed(steps):
            rows = self._further(column, value) | (Q((column.name, value)) & rows)
        return self._implied(*steps[0]) & rows

    @property
    def _side(self) -> str:
        return "lt" if self.descending else "gt"

    def _order(self, column: Column) -> OrderBy:
        # NULLS LAST on a column without NULL would keep the database from its index.
        return OrderBy(
            F(column.name),
            descending=self.descending,
            nulls_first=True if column.nullable and self.nulls_first else None,
            nulls_last=True if self._nulls_follow(column) else None,
        )

    def _nulls_follow(self, column: Column) -> bool:
        return column.nullable and not self.nulls_first

    def _further(self, column: Column, value: Any) -> Q:
        """Match the rows further on in this column. ``Q()``, which ``|`` ignores, is for none."""
        if value is None:
            return ~Q((column.name, None)) if self.nulls_first else Q()
        further = column.compare(self._side, value)
        return further | Q((column.name, None)) if self._nulls_follow(column) else further

    def _implied(self, column: Column, value: Any) -> Q:
        """Return a condition of every row beyond, from which an index can start."""
        if value is None or self._nulls_follow(column):
            return Q()
        return column.compare(f"{self._side}e", value)


def _plain(value: Any) -> Any:
    """Return the JSON value, to the microsecond. A lookup on the column reads it back."""
    if isinstance(value, date | time):
        return value.isoformat()
    return value.hex if isinstance(value, UUID) else value
