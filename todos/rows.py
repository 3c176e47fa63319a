"""What is read most: one todo, and the first page of all. Each is one statement, compiled once."""

from __future__ import annotations

from datetime import date, datetime, time
from functools import cache, lru_cache
from typing import NamedTuple
from uuid import UUID

from django.db import connection

from api.ordering import Ordering
from api.prepared import Prepared
from authn.users import TokenUser
from todos.models import Todo, etag_of

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
    tags: list[str]
    created_at: datetime
    updated_at: datetime
    version: str
    title_folded: str

    @property
    def etag(self) -> str:
        return etag_of(self.version)


def owned_row(user: TokenUser, todo_id: UUID) -> TodoRow | None:
    key = Todo._meta.pk.get_db_prep_value(todo_id, connection)  # noqa: SLF001 - public by name
    return next(iter(_one().rows(user.pk, key)), None)


def first_rows(user: TokenUser, ordering: Ordering, count: int) -> list[TodoRow]:
    return _first(ordering, count).rows(user.pk)


@cache
def _one() -> Prepared[TodoRow]:
    todos = Todo.objects.owned_by(SOMEBODY).filter(pk=SOME_ID)
    return Prepared(todos.values_list(*TodoRow._fields), TodoRow._make)


@lru_cache(maxsize=128)
def _first(ordering: Ordering, count: int) -> Prepared[TodoRow]:
    todos = Todo.objects.owned_by(SOMEBODY).order_by(*ordering.order_by())[:count]
    return Prepared(todos.values_list(*TodoRow._fields), TodoRow._make)
