from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.lookups import Exact

from api.owned.fields import FoldedField, JSONType, OwnedForeignKey, SinceField
from api.owned.models import OwnedModel
from todos.due import DUE_FIELDS, DueAtField
from todos.querysets import TodoQuerySet


class Priority(models.IntegerChoices):
    NONE = 0, "none"
    LOW = 1, "low"
    MEDIUM = 2, "medium"
    HIGH = 3, "high"


class Todo(OwnedModel):
    """Something to do."""

    title = models.CharField(max_length=500)
    description = models.TextField(default="", blank=True)
    completed = models.BooleanField(default=False)
    completed_at = SinceField(of="completed", null=True)
    priority = models.PositiveSmallIntegerField(choices=Priority, default=Priority.NONE)
    due_date = models.DateField(null=True, blank=True)
    due_time = models.TimeField(null=True, blank=True)
    timezone = models.CharField(max_length=64, null=True, blank=True)  # noqa: DJ001 - null in JSON too
    due_at = DueAtField(of=DUE_FIELDS, null=True)
    tags = models.JSONField(default=list, blank=True)
    list = OwnedForeignKey("lists.TodoList")
    # Copies to search and sort by.
    title_folded = FoldedField(of="title")
    description_folded = FoldedField(of="description")
    tags_folded = FoldedField(of="tags")

    objects: ClassVar[TodoQuerySet] = TodoQuerySet.as_manager()

    class Meta(OwnedModel.Meta):
        constraints: ClassVar = [
            *OwnedModel.Meta.constraints,
            models.CheckConstraint(
                name="todo_has_title", condition=~Q(title="") | Q(erased_at__isnull=False)
            ),
            models.CheckConstraint(
                name="todo_priority_is_a_choice", condition=Q(priority__lte=Priority.HIGH)
            ),
            models.CheckConstraint(
                name="todo_tags_are_a_list", condition=Exact(JSONType("tags"), "array")
            ),
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
