"""Counts of all todos of a user, read in one query."""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet
from django.utils import timezone
from rest_framework import serializers

from api.lists.filters import FilterSet
from todos.fields import TimezoneField
from todos.filters import DUE
from todos.models import Todo

# The longest tags then take 256 KiB. Indentation multiplies that by four at most.
MAX_TAGS = 1000

# A group for each folded tag, and a blank one for all todos: each gets a blank line before its
# tags. Each line of a todo counts once.
GROUPS = """
    SELECT line, MIN(spelling), COUNT(*), {counts} FROM {lines} GROUP BY line
    ORDER BY line = '' DESC, COUNT(*) DESC, line LIMIT {limit}
"""
LINES = {
    "postgresql": """
        ({todos}) AS todos CROSS JOIN LATERAL (
            SELECT line COLLATE "C" AS line,
                MIN((tags ->> (number - 3)::integer) COLLATE "C") AS spelling
            FROM UNNEST(STRING_TO_ARRAY(CHR(10) || tags_folded, CHR(10)))
                WITH ORDINALITY AS lines (line, number)
            GROUP BY 1
        ) AS lines
    """,
    # CHAR(1), which no tag has, keeps a backslash from escaping. BLOB, because JSON may have
    # surrogates, which Python refuses to read as text. The plus keeps SQLite from reading the rows
    # of all users in the order of their ids.
    "sqlite": r"""
        (
            SELECT todos.*, REPLACE(lines.value, CHAR(1), '\') AS line,
                MIN(CAST(JSON_EXTRACT(tags, '$[' || MAX(lines.key - 2, 0) || ']') AS BLOB))
                    AS spelling
            FROM ({todos}) AS todos, JSON_EACH(
                '[' || REPLACE(
                    JSON_QUOTE(CHAR(10) || REPLACE(tags_folded, '\', CHAR(1))), '\n', '","'
                ) || ']'
            ) AS lines
            GROUP BY +todos.id, line
        ) AS lines
    """,
}


class SummaryParameters(FilterSet):
    tz = TimezoneField(
        required=False,
        help_text="IANA time zone that `overdue` and `today` are about; `UTC` by default.",
    )


class TagCountSerializer(serializers.Serializer[Any]):
    tag = serializers.CharField(help_text="In the first of its stored spellings.")
    open = serializers.IntegerField(min_value=0)
    total = serializers.IntegerField(min_value=1)


class TodoSummarySerializer(serializers.Serializer[Any]):
    """Each number is that of the todos in the list with one filter."""

    open = serializers.IntegerField(min_value=0, help_text="`completed=false`")
    completed = serializers.IntegerField(min_value=0, help_text="`completed=true`")
    overdue = serializers.IntegerField(min_value=0, help_text="`due=overdue`")
    today = serializers.IntegerField(min_value=0, help_text="`due=today`")
    without_date = serializers.IntegerField(min_value=0, help_text="`due=none`")
    tags = TagCountSerializer(
        many=True,
        help_text=f"The {MAX_TAGS:,} that most todos have, merged without regard to case.",
    )


def summary_of(todos: QuerySet[Todo], *, tz: str = "UTC") -> dict[str, Any]:
    """Count todos by the clock of ``tz``. Costs one query, which reads each of them."""
    moment = timezone.now()
    conditions = {
        "open": Q(completed=False),
        "completed": Q(completed=True),
        "overdue": DUE["overdue"](moment, tz),
        "today": DUE["today"](moment, tz),
        "without_date": DUE["none"](moment, tz),
    }
    flags = {f"is_{name}": condition for name, condition in conditions.items()}
    counted = todos.values("id", "tags", "tags_folded", **flags)
    sql, parameters = counted.query.sql_with_params()
    groups = GROUPS.format(
        counts=", ".join(f"COUNT(*) FILTER (WHERE {flag})" for flag in flags),
        lines=LINES[connection.vendor].format(todos=sql),
        limit=MAX_TAGS + 1,
    )
    with connection.cursor() as cursor:
        cursor.execute(groups, parameters)
        rows = cursor.fetchall()
    everything = rows[0][3:] if rows else [0] * len(conditions)
    tags = [
        {"tag": text_of(spelling), "open": is_open, "total": total}
        for _, spelling, total, is_open, *_ in rows[1:]
        if spelling is not None  # of a row that other programs have changed
    ]
    return {**dict(zip(conditions, everything, strict=True)), "tags": tags}


def text_of(spelling: str | bytes) -> str:
    return spelling if isinstance(spelling, str) else spelling.decode(errors="replace")
