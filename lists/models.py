from __future__ import annotations

from typing import ClassVar

from django.db import models

from api.owned.fields import FoldedField
from api.owned.models import OwnedModel


class TodoList(OwnedModel):
    """A list that todos can be in."""

    name = models.CharField(max_length=100)
    color = models.CharField(max_length=7, null=True, blank=True)  # noqa: DJ001 - null in JSON too
    name_folded = FoldedField(of="name")

    class Meta(OwnedModel.Meta):
        verbose_name = "list"
        constraints: ClassVar = [
            *OwnedModel.Meta.constraints,
            models.CheckConstraint(
                name="todolist_has_name",
                condition=~models.Q(name="") | models.Q(erased_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.name
