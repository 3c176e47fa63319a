from __future__ import annotations

import uuid

from django.db import models


class Todo(models.Model):
    class Priority(models.TextChoices):
        NONE = "none"
        LOW = "low"
        MEDIUM = "medium"
        HIGH = "high"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner_id = models.TextField(db_index=True, editable=False)
    title = models.CharField(max_length=500)
    description = models.TextField(default="", blank=True)
    completed = models.BooleanField(default=False)
    priority = models.CharField(max_length=10, choices=Priority, default=Priority.NONE)
    due_date = models.DateField(null=True, blank=True)
    tags = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        managed = False  # peers/schema.sql makes it
        db_table = "todos"
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.title
