from __future__ import annotations

from datetime import UTC, date, datetime, time
from functools import cache
from zoneinfo import ZoneInfo, available_timezones


@cache
def zone_names() -> frozenset[str]:
    """The names of the IANA time zone database, except two that are no place's time."""
    return frozenset(available_timezones() - {"Factory", "localtime"})


def due_at(due_date: date | None, due_time: time | None, timezone: str | None) -> datetime | None:
    """Return the moment of a local date and time in UTC, or ``None`` unless all three are given.

    A time that a clock skips takes the offset before the gap. A time that a clock shows twice is
    the first (RFC 5545 section 3.3.5). Raises ``OverflowError`` outside the years 1 to 9999.
    """
    if due_date is None or due_time is None or timezone is None:
        return None
    return datetime.combine(due_date, due_time, ZoneInfo(timezone)).astimezone(UTC)
