"""The filters of the list of todos, all of which hold at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet
from django.utils import timezone
from rest_framework.serializers import ChoiceField, ListField

from api.bodies.fields import CalendarDateField
from api.bodies.text import LineField, folded_lines
from api.lists.filters import FlagWordField
from api.lists.search import SearchField
from api.owned.filters import LinkParameter, OwnedFilters
from lists.models import TodoList
from todos.due import due_at
from todos.fields import MAX_TAG_LENGTH, PriorityField, TimezoneField


def _due_none(moment: datetime, zone: str) -> Q:
    return Q(due_date=None)


def _due_today(moment: datetime, zone: str) -> Q:
    """Match the day of ``moment`` in ``zone``, from one midnight to the next."""
    day = moment.astimezone(ZoneInfo(zone)).date()
    start = due_at(day, time.min, zone)
    end = due_at(day + timedelta(days=1), time.min, zone)
    return Q(due_at__gte=start, due_at__lt=end) | Q(due_at=None, due_date=day)


def _overdue(moment: datetime, zone: str) -> Q:
    """Match open todos before ``moment``. A date alone is over with its day in ``zone``."""
    day = moment.astimezone(ZoneInfo(zone)).date()
    return Q(completed=False) & (Q(due_at__lt=moment) | Q(due_at=None, due_date__lt=day))


DUE = {"overdue": _overdue, "today": _due_today, "none": _due_none}


class TodoFilters(OwnedFilters):
    completed = FlagWordField()
    priority = ListField(
        source="priority__in", child=PriorityField(), help_text="Repeatable: one of them."
    )
    tag = ListField(
        child=LineField(max_length=MAX_TAG_LENGTH),
        max_length=20,
        help_text="Repeatable: all of them, without regard to case.",
    )
    q = SearchField(help_text="Contained in the title or description, without regard to case.")
    due_from = CalendarDateField(source="due_date__gte")
    due_before = CalendarDateField(source="due_date__lt")
    due = ChoiceField(choices=[*DUE], help_text="By the clock of `tz`.")
    tz = TimezoneField(help_text="IANA time zone that `due` is about; `UTC` by default.")
    list = LinkParameter(TodoList, source="list_id")

    @classmethod
    def filtered(
        cls,
        queryset: QuerySet[Any],
        *,
        tag: Sequence[str] = (),
        q: str = "",
        due: str = "",
        tz: str = "UTC",
        **lookups: Any,
    ) -> QuerySet[Any]:
        for each in tag:
            queryset = queryset.filter(tags_folded__holds=folded_lines([each]))
        if q:
            queryset = queryset.filter(Q(title_folded__holds=q) | Q(description_folded__holds=q))
        if due:
            queryset = queryset.filter(DUE[due](timezone.now(), tz))
        return queryset.filter(**lookups)
