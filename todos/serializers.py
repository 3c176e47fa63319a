from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar
from zoneinfo import ZoneInfoNotFoundError

from rest_framework import serializers

from api.bodies.fields import CalendarDateField, FlagField, LineField, MinuteField, TextField
from api.bodies.serializers import StrictSerializer, field_error
from todos.due import due_at
from todos.fields import PriorityField, TagsField, TimezoneField
from todos.models import DUE_FIELDS, Priority, Todo
from todos.rows import TodoRow

PRIORITIES = {priority.value: str(priority.label) for priority in Priority}


def shown(todo: Todo | TodoRow) -> dict[str, Any]:
    """What the serializer's fields say, in a fraction of the time: a test compares the JSON."""
    return {
        "id": todo.id,
        "title": todo.title,
        "description": todo.description,
        "completed": todo.completed,
        "completed_at": todo.completed_at,
        "priority": PRIORITIES[todo.priority],
        "due_date": todo.due_date,
        "due_time": todo.due_time and todo.due_time.isoformat("minutes"),
        "timezone": todo.timezone,
        "due_at": todo.due_at,
        "tags": todo.tags,
        "created_at": todo.created_at,
        "updated_at": todo.updated_at,
        "etag": todo.etag,
    }


class TodoSerializer(StrictSerializer, serializers.ModelSerializer[Todo]):
    """A todo as its owner sees it."""

    # The owner is not among the fields, in or out. Defaults are said here, so that a PUT
    # replaces: what it leaves out returns to them.

    title = LineField(max_length=500, help_text="1 to 500 characters on one line.")
    description = TextField(
        default="",
        allow_blank=True,
        trim_whitespace=False,
        max_length=10_000,
        help_text="Up to 10,000 characters.",
    )
    completed = FlagField(default=False)
    priority = PriorityField(default=Priority.NONE)
    due_date = CalendarDateField(default=None, allow_null=True)
    due_time = MinuteField(default=None, allow_null=True, help_text="Needs a date and a time zone.")
    timezone = TimezoneField(
        default=None, allow_null=True, help_text="An IANA name, such as `Europe/Berlin`."
    )
    tags = TagsField(
        default=list, help_text="Up to 20. Of those that differ in case only, the first stays."
    )
    etag = serializers.CharField(read_only=True)

    class Meta:
        model = Todo
        validators: ClassVar[list[Any]] = []  # or the model is looked through for them, each time
        fields: ClassVar = [
            "id",
            "title",
            "description",
            "completed",
            "completed_at",
            "priority",
            "due_date",
            "due_time",
            "timezone",
            "due_at",
            "tags",
            "created_at",
            "updated_at",
            "etag",
        ]

    def _refused_fields(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """An id is not chosen, so that nobody takes another one for theirs."""
        refused = super()._refused_fields(data)
        if "id" not in data:
            return refused
        if self.instance is None:
            detail = "A new todo gets its id here: send none."
            refused["id"] = [serializers.ErrorDetail(detail, "id_not_supported")]
        elif str(data["id"]).lower() != str(self.instance.pk):
            detail = "This is not the id of the todo that is changed."
            refused["id"] = [serializers.ErrorDetail(detail, "id_mismatch")]
        return refused

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if DUE_FIELDS.isdisjoint(attrs):
            return attrs
        due = {name: attrs.get(name, getattr(self.instance, name, None)) for name in DUE_FIELDS}
        if due["due_time"] is not None and None in due.values():
            detail = "A time needs a date and a timezone."
            raise field_error("due_time", "due_time_incomplete", detail)
        try:
            due_at(**due)
        except (OverflowError, ZoneInfoNotFoundError):
            # Beyond the years 1 to 9999, or in a zone that the database has lost since.
            detail = "What this time is in UTC cannot be said."
            raise field_error("due_time", "due_at_unknown", detail) from None
        return attrs

    def to_representation(self, instance: Todo | TodoRow) -> dict[str, Any]:
        return shown(instance)

    def update(self, instance: Todo, validated_data: dict[str, Any]) -> Todo:
        instance.change(**validated_data)
        return instance
