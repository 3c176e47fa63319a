from __future__ import annotations

import secrets
import uuid
from collections.abc import Collection
from datetime import date, time
from typing import Any, ClassVar, NoReturn, Self

from django.db import models
from django.db.models import Q
from django.utils.timezone import now

from database.compiled import insert
from todos.due import due_at
from todos.folding import folded, folded_tags
from todos.querysets import TodoQuerySet

DUE_FIELDS = frozenset({"due_date", "due_time", "timezone"})


def new_version() -> str:
    """Random, so that no todo ever has a version of another one, nor an old one of its own."""
    return secrets.token_urlsafe(12)


def etag_of(version: str) -> str:
    """As HTTP writes it."""
    return f'"{version}"'


class Priority(models.IntegerChoices):
    """Sorts by its meaning."""

    NONE = 0, "none"
    LOW = 1, "low"
    MEDIUM = 2, "medium"
    HIGH = 3, "high"


class StaleTodo(Exception):
    """It was changed or deleted since it was loaded."""


class Todo(models.Model):
    """Something to do, and whose it is: ``owner_id`` is the ``sub`` of a token."""

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
    # What is searched and sorted by, see todos.folding.
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
        raise TypeError("A todo is made by create(), and changed by change().")

    @classmethod
    def create(
        cls,
        *,
        owner_id: str,
        title: str,
        description: str,
        completed: bool,
        priority: int,
        due_date: date | None,
        due_time: time | None,
        timezone: str | None,
        tags: list[str],
    ) -> Self:
        """Make one, as one statement. Raises what ``due_at`` does."""
        moment = now()
        columns = {
            "id": uuid.uuid4(),
            "owner_id": owner_id,
            "title": title,
            "description": description,
            "completed": completed,
            "completed_at": moment if completed else None,
            "priority": priority,
            "due_date": due_date,
            "due_time": due_time,
            "timezone": timezone,
            "due_at": due_at(due_date, due_time, timezone),
            "tags": tags,
            "created_at": moment,
            "updated_at": moment,
            "version": new_version(),
            "title_folded": folded(title),
            "description_folded": folded(description),
            "tags_folded": folded_tags(tags),
        }
        return insert(cls, columns)

    @property
    def etag(self) -> str:
        """Strong (RFC 9110 section 8.8.1): every change gives the todo another one."""
        return etag_of(self.version)

    def change(self, **fields: Any) -> None:
        """Write those of ``fields`` that differ, and nothing else, as one compare-and-set.

        Raises ``StaleTodo`` where the todo is no longer as it was loaded.
        """
        differing = {name: value for name, value in fields.items() if getattr(self, name) != value}
        if not differing:
            return
        moment = now()
        self._set(differing)
        columns = {**differing, **self._following(differing), "updated_at": moment}
        if "completed" in differing:
            columns["completed_at"] = moment if self.completed else None
        columns["version"] = new_version()
        if not self._as_loaded().update(**columns):
            raise StaleTodo
        self._set(columns)

    def remove(self) -> None:
        """Raises ``StaleTodo`` where the todo is no longer as it was loaded."""
        deleted, _ = self._as_loaded().delete()
        if not deleted:
            raise StaleTodo

    def _as_loaded(self) -> TodoQuerySet:
        row = type(self).objects.filter(owner_id=self.owner_id, pk=self.pk)
        return row.filter(version=self.version)

    def _following(self, names: Collection[str]) -> dict[str, Any]:
        """The columns that follow from fields of these names."""
        columns: dict[str, Any] = {}
        if "title" in names:
            columns["title_folded"] = folded(self.title)
        if "description" in names:
            columns["description_folded"] = folded(self.description)
        if "tags" in names:
            columns["tags_folded"] = folded_tags(self.tags)
        if not DUE_FIELDS.isdisjoint(names):
            columns["due_at"] = due_at(self.due_date, self.due_time, self.timezone)
        return columns

    def _set(self, columns: dict[str, Any]) -> None:
        for name, value in columns.items():
            setattr(self, name, value)
