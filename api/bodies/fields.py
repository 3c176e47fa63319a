"""Serializer fields that take one JSON type, where the fields of DRF convert others.

``openapi`` adds to what the OpenAPI document says of a field.
"""

from __future__ import annotations

import re
from datetime import date, time
from typing import Any, ClassVar
from uuid import UUID

from rest_framework import serializers

NO_SUCH_DAY = "There is no such day."
NO_SUCH_TIME = "There is no such time: a day has 00:00 to 23:59."
CANONICAL_UUID = re.compile("[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")


class FlagField(serializers.BooleanField):
    """A JSON boolean. ``"yes"`` and ``1`` are not."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class ArrayField(serializers.ListField):
    """A JSON array. One that is too long is not looked into."""

    def to_internal_value(self, data: Any) -> list[Any]:
        if isinstance(data, list) and self.max_length is not None and len(data) > self.max_length:
            self.fail("max_length", max_length=self.max_length)
        return super().to_internal_value(data)


class CanonicalUUIDField(serializers.UUIDField):
    """A UUID in its one spelling of 36 characters (RFC 9562 section 4), in either case."""

    def to_internal_value(self, data: Any) -> UUID:
        if not isinstance(data, str) or not CANONICAL_UUID.fullmatch(data):
            self.fail("invalid", value=data)
        return UUID(data)


class NewIdField(CanonicalUUIDField):
    """The id that a client gives to a new row: random, or in the order of time."""

    versions = (4, 7)
    pattern = (
        "^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[47][0-9A-Fa-f]{3}-[89ABab][0-9A-Fa-f]{3}-[0-9A-Fa-f]{12}$"
    )
    default_error_messages = {"invalid": "Send a UUID of version 4 or 7 in its 36 characters."}

    def to_internal_value(self, data: Any) -> UUID:
        new_id = super().to_internal_value(data)
        if new_id.version not in self.versions:
            self.fail("invalid", value=data)
        return new_id


class CalendarDateField(serializers.DateField):
    """``YYYY-MM-DD`` (RFC 3339 section 5.6, full-date), and no other form of ISO 8601."""

    default_error_messages = {"invalid": "Write a date as YYYY-MM-DD, such as 2026-01-31."}

    def to_internal_value(self, value: Any) -> date:
        if not isinstance(value, str) or not re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
            self.fail("invalid")
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise serializers.ValidationError(NO_SUCH_DAY, "invalid") from None


class MinuteField(serializers.TimeField):
    """``HH:MM``, from 00:00 to 23:59."""

    openapi: ClassVar[dict[str, Any]] = {
        "format": None,
        "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$",
    }

    default_error_messages = {"invalid": "Write a time as HH:MM, such as 09:30."}

    def to_internal_value(self, value: Any) -> time:
        if not isinstance(value, str) or not re.fullmatch("[0-9]{2}:[0-9]{2}", value):
            self.fail("invalid")
        if not re.fullmatch("([01][0-9]|2[0-3]):[0-5][0-9]", value):
            raise serializers.ValidationError(NO_SUCH_TIME, "invalid")
        return time.fromisoformat(value)

    def to_representation(self, value: time) -> str:
        return value.isoformat("minutes")


# A version as a strong entity tag (RFC 9110 section 8.8.1).
etag_of = '"{}"'.format


class EtagField(serializers.CharField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(source="version", read_only=True, **kwargs)

    to_representation = etag_of
