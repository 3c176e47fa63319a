from __future__ import annotations

from functools import cache
from typing import Any
from zoneinfo import available_timezones

from rest_framework import serializers

from api.bodies.fields import ArrayField
from api.bodies.text import LineField, TextField, folded
from todos.models import Priority

LABELS = {priority.value: str(priority.label) for priority in Priority}
MAX_TAG_LENGTH = 50


@cache
def zone_names() -> frozenset[str]:
    """The names of the IANA time zone database, except two that are no place's time."""
    return frozenset(available_timezones() - {"Factory", "localtime"})


class PriorityField(serializers.ChoiceField):
    """A name in JSON, and elsewhere a number, which sorts by importance."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=Priority.labels, **kwargs)

    def to_internal_value(self, data: Any) -> Priority:  # type: ignore[override]
        if not isinstance(data, str):
            self.fail("invalid_choice", input=data)
        return Priority[super().to_internal_value(data).upper()]

    def to_representation(self, value: int) -> str:  # type: ignore[override]
        return LABELS[value]


class TimezoneField(TextField):
    """A name of the IANA time zone database, with its case."""

    openapi: dict[str, Any] = {"format": "timezone", "pattern": None}
    default_error_messages = {
        "unknown_timezone": "This is no IANA time zone name. Send one such as Europe/Berlin."
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(trim_whitespace=False, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        name = super().to_internal_value(data)
        if name not in zone_names():
            self.fail("unknown_timezone")
        return name


class TagsField(ArrayField):
    """Up to 20 lines of text. Keeps the first of several that differ in case only."""

    child = LineField(max_length=MAX_TAG_LENGTH)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=20, **kwargs)

    def to_internal_value(self, data: Any) -> list[str]:
        tags: dict[str, str] = {}
        for tag in super().to_internal_value(data):
            tags.setdefault(folded(tag), tag)
        return list(tags.values())
