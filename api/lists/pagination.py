"""Cursor pages: a page starts at the end of the last one, not at a row number."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import Any, TypeVar
from urllib.parse import urlencode

from django.core import signing
from django.db.models import Model, QuerySet
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response

from api.bodies.renderers import octets_for, octets_of
from api.errors.exceptions import InvalidParameter
from api.lists.cursors import FORMAT, Cursor
from api.lists.ordering import Ordering
from api.requests import root_of

Row = TypeVar("Row", bound=Model)

DEFAULT_LIMIT = 50
MAX_LIMIT = 200
CURSOR_OCTETS = 16 * 1024  # of the longest title in another case, signed
# A list with no other parameters is the start of all rows.
UNFILTERED = frozenset({"limit", "ordering"})


class CursorPagination(BasePagination):
    """Pages in one of the ``orderings`` of a view, at one query each.

    Each of these orders has its columns by its name, which sorts them ascending, and with ``-``
    before it descending. ``serializer_class`` is a ``StrictSerializer``.

    A page asks for one row more than its limit, which tells if there is another page. It ends
    earlier if its JSON would pass 1 MiB. A page reached by ``previous`` always has a ``next``, and
    the other way round, even if all its rows have been deleted.
    """

    parameters = frozenset({"limit", "cursor", "ordering"})

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        """Return the JSON of a page. ``queryset`` is a function that reads the rows of one."""
        self._request, query = request, request.query_params
        self._ordering = _ordering(query.get("ordering"), view)
        # The owner comes last: it is the one part that can contain anything.
        self._salt = f"api.pagination:{FORMAT}:{self._ordering}:{request.user.pk}"
        limit, cursor = limit_of(request, DEFAULT_LIMIT), self._cursor(query.get("cursor"))
        rows = queryset(self._ordering, cursor, limit + 1)
        shown = [*map(view.serializer_class.shown, rows[:limit])]
        count = fitting(shown, request)
        self._set_links(rows, count, cursor)
        page = shown[:count]
        return page[::-1] if cursor and cursor.backward else page

    def get_paginated_response(self, data: Sequence[Any]) -> Response:
        return Response(
            {
                "next": self._link(self._next),
                "previous": self._link(self._previous),
                "results": data,
            }
        )

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        link = {"type": ["string", "null"], "format": "uri"}
        properties = {"next": link, "previous": link, "results": schema}
        return {"type": "object", "required": [*properties], "properties": properties}

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        orderings = [f"{way}{name}" for name in view.orderings for way in ("", "-")]
        limit = {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT}
        default = view.default_ordering
        schemas = {
            "cursor": ({"type": "string"}, "Where a page starts: part of `next` and `previous`."),
            "limit": (
                limit,
                f"How many on a page, which ends earlier at 1 MiB. Default: `{DEFAULT_LIMIT}`.",
            ),
            "ordering": (
                {"type": "string", "enum": orderings},
                f"`-` reverses the order. Nulls always come last. Default: `{default}`.",
            ),
        }
        return [
            {"in": "query", "name": name, "schema": schema, "description": description}
            for name, (schema, description) in schemas.items()
        ]

    def _set_links(self, rows: Sequence[Any], count: int, cursor: Cursor | None) -> None:
        """Find where to go on from the first ``count`` of the rows as they were read."""
        backward = cursor is not None and cursor.backward
        ahead = behind = None
        if len(rows) > count:
            ahead = self._beside(rows[count - 1], backward=backward)
        if cursor is not None:
            behind = self._beside(rows[0], backward=not backward) if rows else cursor.turned()
        self._next, self._previous = (behind, ahead) if backward else (ahead, behind)

    def _beside(self, row: Any, *, backward: bool) -> Cursor:
        return Cursor(self._ordering.position(row), backward)

    def _cursor(self, text: str | None) -> Cursor | None:
        if text is None:
            return None
        try:
            return Cursor.read(text, self._salt)
        except signing.BadSignature:
            detail = "This cursor is of another list or ordering: start again without one."
            raise InvalidParameter(("cursor", "invalid", detail)) from None

    def _link(self, cursor: Cursor | None) -> str | None:
        if cursor is None:
            return None
        query = dict(self._request.query_params.lists())
        query["cursor"] = [cursor.sign(self._salt)]
        return f"{root_of(self._request)}{self._request.path}?{urlencode(query, doseq=True)}"


def fitting(shown: Sequence[Any], request: Request) -> int:
    """Count the rows, in the order in which they are read, that fit into an answer with links."""
    # Percent-encoding makes three octets of one.
    link = 3 * len(request.META["QUERY_STRING"]) + CURSOR_OCTETS
    room = octets_for(request) - 2 * link - len(shown) * len(",")
    return max(1, bisect_right([*accumulate(map(octets_of, shown))], room))


def limit_of(request: Request, default: int) -> int:
    text = request.query_params.get("limit")
    if text is None:
        return default
    if not re.fullmatch("[0-9]{1,3}", text) or not 1 <= int(text) <= MAX_LIMIT:
        raise InvalidParameter(("limit", "out_of_range", f"Send a number from 1 to {MAX_LIMIT}."))
    return int(text)


def _ordering(text: str | None, view: Any) -> Ordering:
    text = view.default_ordering if text is None else text
    columns = view.orderings.get(text.removeprefix("-"))
    if columns is None:
        names = ", ".join(view.orderings)
        detail = f"Send one of {names}, with - before it for the reverse order."
        raise InvalidParameter(("ordering", "invalid_choice", detail))
    return Ordering(columns, descending=text.startswith("-"))


def beginning_at(
    cursor: Cursor | None, ordering: Ordering, queryset: QuerySet[Row]
) -> QuerySet[Row]:
    """The rows of a queryset from the cursor on, in the order in which they are read."""
    if cursor is None:
        return queryset.order_by(*ordering.order_by())
    way = ordering.reversed() if cursor.backward else ordering
    beyond = way.beyond(cursor.position, inclusive=cursor.inclusive)
    return queryset.filter(beyond).order_by(*way.order_by())
