from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfoNotFoundError

from rest_framework import serializers

from api.bodies.fields import CalendarDateField, FlagField, MinuteField
from api.bodies.serializers import field_error
from api.bodies.text import LineField, TextField
from api.owned.serializers import LinkField, OwnedSerializer
from todos.due import DUE_FIELDS, due_at
from todos.fields import PriorityField, TagsField, TimezoneField
from todos.models import Priority


class TodoSerializer(OwnedSerializer):
    """A todo as its owner sees it."""

    example = {
        "title": "Buy milk",
        "description": "Two litres",
        "priority": "high",
        "due_date": "2026-03-29",
        "due_time": "18:30",
        "timezone": "Europe/Berlin",
        "tags": ["home", "shopping"],
    }

    title = LineField(max_length=500, help_text="1 to 500 characters on one line.")
    description = TextField(
        default="",
        allow_blank=True,
        trim_whitespace=False,
        max_length=10_000,
        help_text="Up to 10,000 characters.",
    )
    completed = FlagField(default=False)
    completed_at = serializers.DateTimeField(read_only=True, allow_null=True)
    priority = PriorityField(default=Priority.NONE)
    due_date = CalendarDateField(default=None, allow_null=True)
    due_time = MinuteField(default=None, allow_null=True, help_text="Needs a date and a time zone.")
    timezone = TimezoneField(
        default=None, allow_null=True, help_text="An IANA name, such as `Europe/Berlin`."
    )
    due_at = serializers.DateTimeField(read_only=True, allow_null=True)
    tags = TagsField(
        default=list, help_text="Up to 20. Of those that differ in case only, the first stays."
    )
    list_id = LinkField(help_text="The id of one of your lists.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs.keys().isdisjoint(DUE_FIELDS):
            return attrs
        due = {name: attrs.get(name, getattr(self.instance, name, None)) for name in DUE_FIELDS}
        if due["due_time"] is None:
            return attrs
        if None in due.values():
            detail = "A time needs a date and a time zone: send due_date and timezone with it."
            raise field_error("due_time", "due_time_incomplete", detail)
        try:
            due_at(**due)
        except (OverflowError, ZoneInfoNotFoundError):
            # A new release of the time zone database may have lost the zone of a stored todo.
            detail = "This time has no moment in UTC: send another date, time or time zone."
            raise field_error("due_time", "due_at_unknown", detail) from None
        return attrs
