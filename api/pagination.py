"""Cursor pages: a page starts where the last one ended, not at a row number.

A cursor is signed, and its signature covers whose list it belongs to and in which order: a
cursor that was changed, or was made for another user or ordering, is refused.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.core import signing
from django.db.models import Q
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from api.exceptions import InvalidParameter

DEFAULT_LIMIT = 50
MAX_LIMIT = 200
ORDERING = "-created_at"


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place between two rows. ``backward``: the page wanted is the one before it."""

    created_at: datetime
    id: UUID
    backward: bool

    def sign(self, owner_id: str) -> str:
        value = [self.created_at.isoformat(), self.id.hex, self.backward]
        return signing.dumps(value, salt=_salt(owner_id))

    @classmethod
    def read(cls, text: str, owner_id: str) -> Cursor:
        """Raises ``signing.BadSignature`` for a cursor that was not signed for this owner."""
        created_at, row_id, backward = signing.loads(text, salt=_salt(owner_id))
        return cls(datetime.fromisoformat(created_at), UUID(row_id), backward)


def _salt(owner_id: str) -> str:
    return f"api.pagination:{ORDERING}:{owner_id}"


class CursorPagination(BasePagination):
    """Pages of the newest rows first, ties broken by id. Costs one query a page.

    A page asks for one row more than its limit, which tells whether there is another page.
    """

    parameters = frozenset({"limit", "cursor"})

    def paginate_queryset(
        self,
        queryset: Any,
        request: Request,
        view: APIView | None = None,
    ) -> list[Any]:
        self._request, self._owner_id = request, str(request.user.pk)
        limit = _limit(request.query_params.get("limit"))
        cursor = self._cursor(request.query_params.get("cursor"))
        backward = cursor is not None and cursor.backward
        order = ("created_at", "id") if backward else ("-created_at", "-id")
        rows = list(queryset.filter(_beyond(cursor)).order_by(*order)[: limit + 1])
        more, page = len(rows) > limit, rows[:limit]
        if backward:
            page.reverse()
        self._next = page[-1] if page and (more or backward) else None
        self._previous = page[0] if page and (more if backward else cursor) else None
        return page

    def get_paginated_response(self, data: Sequence[Any]) -> Response:
        return Response(
            {
                "next": self._link(self._next, backward=False),
                "previous": self._link(self._previous, backward=True),
                "results": data,
            }
        )

    def _cursor(self, text: str | None) -> Cursor | None:
        if text is None:
            return None
        try:
            return Cursor.read(text, self._owner_id)
        except signing.BadSignature:
            raise InvalidParameter("cursor", "invalid", "This is no cursor of this list.") from None

    def _link(self, row: Any, *, backward: bool) -> str | None:
        if row is None:
            return None
        cursor = Cursor(row.created_at, row.id, backward).sign(self._owner_id)
        query = {**self._request.query_params.dict(), "cursor": cursor}
        return self._request.build_absolute_uri(f"{self._request.path}?{urlencode(query)}")


def _limit(text: str | None) -> int:
    if text is None:
        return DEFAULT_LIMIT
    if not re.fullmatch("[0-9]{1,3}", text) or not 1 <= int(text) <= MAX_LIMIT:
        raise InvalidParameter("limit", "out_of_range", f"A number from 1 to {MAX_LIMIT}.")
    return int(text)


def _beyond(cursor: Cursor | None) -> Q:
    """The rows on the far side of a cursor.

    The first condition is implied by the second; it is the one that an index can use.
    """
    if cursor is None:
        return Q()
    side = "gt" if cursor.backward else "lt"
    return Q(**{f"created_at__{side}e": cursor.created_at}) & (
        Q(**{f"created_at__{side}": cursor.created_at})
        | Q(**{"created_at": cursor.created_at, f"id__{side}": cursor.id})
    )
