"""What todos are shown from. What is read most, one todo and the first page of all, is compiled
once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time
from functools import cache, lru_cache
from typing import Any, NamedTuple, Self, cast
from uuid import UUID

import orjson
from django.db.models import TextField
from django.db.models.functions import Cast

from api.lists.ordering import Ordering
from authn.users import TokenUser
from database.compiled import Prepared
from todos.models import Todo, etag_of
from todos.querysets import TodoQuerySet

SOMEBODY = TokenUser(id="")
SOME_ID = UUID(int=0)


class TodoRow(NamedTuple):
    """What a todo is shown from, and a list is sorted by."""

    id: UUID
    owner_id: str
    title: str
    description: str
    completed: bool
    completed_at: datetime | None
    priority: int
    due_date: date | None
    due_time: time | None
    timezone: str | None
    due_at: datetime | None
    created_at: datetime
    updated_at: datetime
    version: str
    title_folded: str
    tags: list[str]

    @classmethod
    def of(cls, values: Sequence[Any]) -> Self:
        """``values`` are in this order, with the tags as they are stored."""
        return cls._make([*values[:-1], orjson.loads(values[-1])])

    @property
    def etag(self) -> str:
        return etag_of(self.version)


def owned_row(user: TokenUser, todo_id: UUID) -> TodoRow | None:
    return next(iter(_one().rows(user.pk, todo_id)), None)


def first_rows(user: TokenUser, ordering: Ordering, count: int) -> list[TodoRow]:
    return _first(ordering, count).rows(user.pk)


@cache
def all_rows() -> TodoQuerySet:
    """A queryset of what ``TodoRow.of`` takes. A model of each would take longer to make than all
    else that a page takes."""
    *columns, tags = TodoRow._fields
    return cast("TodoQuerySet", Todo.objects.values_list(*columns, Cast(tags, TextField())))


@cache
def _one() -> Prepared[TodoRow]:
    return Prepared(all_rows().owned_by(SOMEBODY).filter(pk=SOME_ID), TodoRow.of)


@lru_cache(maxsize=128)
def _first(ordering: Ordering, count: int) -> Prepared[TodoRow]:
    todos = all_rows().owned_by(SOMEBODY).order_by(*ordering.order_by())
    return Prepared(todos[:count], TodoRow.of)
