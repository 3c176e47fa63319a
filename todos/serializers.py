from __future__ import annotations

from typing import Any, ClassVar

from rest_framework import serializers

from api.fields import FlagField, LineField, TextField
from api.serializers import StrictSerializer
from todos.models import Todo


class TodoSerializer(StrictSerializer, serializers.ModelSerializer[Todo]):
    """A todo as clients see it. The owner is not in it, in or out.

    Defaults are said here so that a PUT replaces: what it leaves out returns to them.
    """

    title = LineField(max_length=500)
    description = TextField(default="", allow_blank=True, trim_whitespace=False, max_length=10_000)
    completed = FlagField(default=False)

    class Meta:
        model = Todo
        fields: ClassVar = [
            "id",
            "title",
            "description",
            "completed",
            "completed_at",
            "created_at",
            "updated_at",
        ]

    def update(self, instance: Todo, validated_data: dict[str, Any]) -> Todo:
        instance.change(**validated_data)
        return instance
