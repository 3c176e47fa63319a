from __future__ import annotations

import secrets
import uuid
from collections.abc import Collection
from datetime import UTC, date, datetime, time
from functools import cache, lru_cache
from typing import Any, ClassVar, NoReturn, Self
from zoneinfo import ZoneInfo

from django.db import models
from django.db.models import Q
from django.utils.timezone import now

from api.bodies.fields import etag_of
from api.bodies.text import folded, folded_lines
from api.lists.ordering import Ordering
from authn.users import TokenUser
from database.compiled import Compiled, insert
from todos.querysets import TodoQuerySet

DUE_FIELDS = frozenset({"due_date", "due_time", "timezone"})
# Examples for the compiler: each request puts its own in their place.
ANY_USER, ANY_ID = TokenUser(id=""), uuid.UUID(int=0)


def new_version() -> str:
    """Return a random text, so that no todo ever has a version of another or an old one again."""
    return secrets.token_urlsafe(12)


def due_at(due_date: date | None, due_time: time | None, timezone: str | None) -> datetime | None:
    """Return the moment of a local date and time in UTC, or ``None`` unless all three are given.

    A time that a clock skips takes the offset before the gap. A time that a clock shows twice is
    the first (RFC 5545 section 3.3.5). Raises ``OverflowError`` outside the years 1 to 9999.
    """
    if due_date is None or due_time is None or timezone is None:
        return None
    return datetime.combine(due_date, due_time, ZoneInfo(timezone)).astimezone(UTC)


class Priority(models.IntegerChoices):
    NONE = 0, "none"
    LOW = 1, "low"
    MEDIUM = 2, "medium"
    HIGH = 3, "high"


class StaleTodo(Exception):
    """The todo was changed or deleted since it was loaded."""


class Todo(models.Model):
    """Something to do. ``owner_id`` is the ``sub`` of its owner's tokens."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner_id = models.CharField(max_length=255, editable=False)
    title = models.CharField(max_length=500)
    description = models.TextField(default="", blank=True)
    completed = models.BooleanField(default=False)
    completed_at = models.DateTimeField(null=True, editable=False)
    priority = models.PositiveSmallIntegerField(choices=Priority, default=Priority.NONE)
    due_date = models.DateField(null=True, blank=True)
    due_time = models.TimeField(null=True, blank=True)
    timezone = models.CharField(max_length=64, null=True, blank=True)  # noqa: DJ001 - null in JSON too
    due_at = models.DateTimeField(null=True, editable=False)
    tags = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField(default=now, editable=False)
    updated_at = models.DateTimeField(editable=False)
    version = models.CharField(max_length=16, default=new_version, editable=False)
    # Folded copies to search and sort by.
    title_folded = models.TextField(editable=False)
    description_folded = models.TextField(editable=False)
    tags_folded = models.TextField(editable=False)

    objects: ClassVar[TodoQuerySet] = TodoQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["owner_id", "-created_at", "-id"], name="todo_owner_newest_first"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="todo_completed_at_with_completed",
                condition=Q(completed=True, completed_at__isnull=False)
                | Q(completed=False, completed_at__isnull=True),
            ),
            models.CheckConstraint(
                name="todo_due_at_of_date_time_and_zone",
                condition=Q(due_time__isnull=True, due_at__isnull=True)
                | Q(
                    due_time__isnull=False,
                    due_date__isnull=False,
                    timezone__isnull=False,
                    due_at__isnull=False,
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def save(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError("Todo.save() is disabled: use Todo.create(...) or todo.change(...).")

    @classmethod
    def create(cls, *, owner_id: str, **fields: Any) -> Self:
        """Insert a todo with one statement. Raises what ``due_at`` raises."""
        todo = cls(owner_id=owner_id, **fields)
        todo._follow([field.attname for field in cls._meta.concrete_fields], todo.created_at)
        insert(todo)
        return todo

    @classmethod
    def owned(cls, user: TokenUser, todo_id: uuid.UUID) -> Self | None:
        """Load a todo of the user for showing or changing, by a statement compiled once."""
        return next(iter(_one(cls).rows(user.id, todo_id)), None)

    @classmethod
    def first_owned(cls, user: TokenUser, ordering: Ordering, count: int) -> list[Self]:
        """Load the start of the user's list, by a statement compiled once."""
        return _first(cls, ordering, count).rows(user.id)

    @property
    def etag(self) -> str:
        """A strong entity tag (RFC 9110 section 8.8.1), which every change replaces."""
        return etag_of(self.version)

    def change(self, **fields: Any) -> None:
        """Write the ``fields`` that differ and nothing else, as one compare-and-set.

        Raises ``StaleTodo`` if the todo is no longer as it was loaded.
        """
        differing = {name: value for name, value in fields.items() if getattr(self, name) != value}
        if not differing:
            return
        as_loaded = self._as_loaded()
        vars(self).update(differing)
        columns = {**differing, "version": new_version(), **self._follow(differing, now())}
        if not as_loaded.update(**columns):
            raise StaleTodo
        self.version = columns["version"]

    def remove(self) -> None:
        """Raises ``StaleTodo`` if the todo is no longer as it was loaded."""
        deleted, _ = self._as_loaded().delete()
        if not deleted:
            raise StaleTodo

    def _as_loaded(self) -> TodoQuerySet:
        row = type(self).objects.filter(owner_id=self.owner_id, pk=self.pk)
        return row.filter(version=self.version)

    def _follow(self, names: Collection[str], moment: datetime) -> dict[str, Any]:
        """Set the columns that follow from fields of these names, and return them."""
        columns: dict[str, Any] = {"updated_at": moment}
        if "title" in names:
            columns["title_folded"] = folded(self.title)
        if "description" in names:
            columns["description_folded"] = folded(self.description)
        if "tags" in names:
            columns["tags_folded"] = folded_lines(self.tags)
        if "completed" in names:
            columns["completed_at"] = moment if self.completed else None
        if not DUE_FIELDS.isdisjoint(names):
            columns["due_at"] = due_at(self.due_date, self.due_time, self.timezone)
        vars(self).update(columns)
        return columns


@cache
def _one(model: type[Todo]) -> Compiled[Any]:
    return Compiled(model.objects.as_shown().owned_by(ANY_USER).filter(pk=ANY_ID))


@lru_cache(maxsize=128)
def _first(model: type[Todo], ordering: Ordering, count: int) -> Compiled[Any]:
    todos = model.objects.as_shown().owned_by(ANY_USER)
    return Compiled(todos.order_by(*ordering.order_by())[:count])
