"""The moment at which a todo is due."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from django.db import models

from api.owned.fields import Follower

DUE_FIELDS = ("due_date", "due_time", "timezone")


def due_at(due_date: date | None, due_time: time | None, timezone: str | None) -> datetime | None:
    """Return the moment of a local date and time in UTC, or ``None`` unless all three are given.

    A time that a clock skips takes the offset before the gap. A time that a clock shows twice is
    the first (RFC 5545 section 3.3.5). Raises ``OverflowError`` outside the years 1 to 9999.
    """
    if due_date is None or due_time is None or timezone is None:
        return None
    return datetime.combine(due_date, due_time, ZoneInfo(timezone)).astimezone(UTC)


class DueAtField(Follower, models.DateTimeField):  # type: ignore[type-arg]
    """The moment of a date, a time and a time zone. Raises what ``due_at`` raises."""

    def value_from(self, row: Any, moment: datetime, *values: Any) -> datetime | None:
        return due_at(*values)
