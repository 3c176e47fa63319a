"""When a todo is due, and the names of the zones that its clock may be in."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from functools import cache
from zoneinfo import ZoneInfo, available_timezones


@cache
def zone_names() -> frozenset[str]:
    """The names of the IANA time zone database, without what is no place's time."""
    return frozenset(available_timezones() - {"Factory", "localtime"})


def due_at(due_date: date | None, due_time: time | None, timezone: str | None) -> datetime | None:
    """The moment, in UTC, of a local date and time; ``None`` unless all three are there.

    A time that a zone's clock skips is read with the offset before the gap, one that it shows
    twice is the first of them (RFC 5545 section 3.3.5): what a ``fold`` of 0 means. Raises
    ``OverflowError`` where UTC would leave the years 1 to 9999.
    """
    if due_date is None or due_time is None or timezone is None:
        return None
    local = datetime.combine(due_date, due_time, ZoneInfo(timezone))
    return local.astimezone(UTC)
