from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from todos.querysets import TodoQuerySet


class Todo(models.Model):
    """Something to do, and whose it is: ``owner_id`` is the ``sub`` of a token."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner_id = models.CharField(max_length=255, editable=False)
    title = models.CharField(max_length=500)
    description = models.TextField(default="", blank=True)
    completed = models.BooleanField(default=False)
    completed_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(editable=False)

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
        ]

    def __str__(self) -> str:
        return self.title

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self._state.adding:
            self.updated_at = self.created_at
            self.completed_at = self.created_at if self.completed else None
        super().save(*args, **kwargs)

    def change(self, **fields: Any) -> None:
        """Write ``fields``, all of them and nothing else, unless none would be changed.

        One statement, so that changes of different fields at the same time both survive.
        Raises ``Todo.DoesNotExist`` where the todo is gone.
        """
        if all(getattr(self, name) == value for name, value in fields.items()):
            return
        now = timezone.now()
        columns: dict[str, Any] = {**fields, "updated_at": now}
        if "completed" in fields:
            # Of two who complete it at once, the first one's time stays.
            columns["completed_at"] = Coalesce("completed_at", now) if fields["completed"] else None
        row = type(self).objects.filter(owner_id=self.owner_id, pk=self.pk)
        if not row.update(**columns):
            raise type(self).DoesNotExist
        if fields.get("completed"):
            self.refresh_from_db(fields=[*columns])
            return
        for name, value in columns.items():
            setattr(self, name, value)
