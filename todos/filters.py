"""The filters of the list of todos, all of which hold at once."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Q
from django.utils import timezone
from rest_framework.serializers import ChoiceField, ListField

from api.bodies.fields import CalendarDateField
from api.bodies.text import LineField, TextField, folded, folded_lines, normalized
from api.lists.filters import FlagWordField, MomentField, ParameterFilter, ParameterFilterSet
from todos.fields import MAX_TAG_LENGTH, PriorityField, TimezoneField
from todos.models import due_at
from todos.querysets import TodoQuerySet


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


class SearchField(TextField):
    """Text to search for, with the spaces around it. ``max_length`` counts its NFC."""

    def to_internal_value(self, data: Any) -> str:
        return normalized("NFC", super().to_internal_value(data))


class TodoFilters(ParameterFilterSet):
    completed = ParameterFilter(FlagWordField())
    priority = ParameterFilter(
        ListField(child=PriorityField(), help_text="Repeatable: one of them."), lookup_expr="in"
    )
    tag = ParameterFilter(
        ListField(
            child=LineField(max_length=MAX_TAG_LENGTH),
            max_length=20,
            help_text="Repeatable: all of them, without regard to case.",
        ),
        method="with_tags",
    )
    q = ParameterFilter(
        SearchField(
            max_length=100,
            allow_blank=True,
            trim_whitespace=False,
            help_text="Contained in the title or description, without regard to case.",
        ),
        method="containing",
    )
    due_from = ParameterFilter(CalendarDateField(), field_name="due_date", lookup_expr="gte")
    due_before = ParameterFilter(CalendarDateField(), field_name="due_date", lookup_expr="lt")
    due = ParameterFilter(
        ChoiceField(choices=list(DUE), help_text="By the clock of `tz`."), method="due_now"
    )
    tz = ParameterFilter(
        TimezoneField(help_text="IANA time zone that `due` is about; `UTC` by default."),
        method="unchanged",
    )
    created_from = ParameterFilter(MomentField(), field_name="created_at", lookup_expr="gte")
    created_before = ParameterFilter(MomentField(), field_name="created_at", lookup_expr="lt")
    updated_from = ParameterFilter(MomentField(), field_name="updated_at", lookup_expr="gte")
    updated_before = ParameterFilter(MomentField(), field_name="updated_at", lookup_expr="lt")

    def with_tags(self, todos: TodoQuerySet, name: str, tags: list[str]) -> TodoQuerySet:
        for tag in tags:
            todos = todos.filter(tags_folded__holds=folded_lines([tag]))
        return todos

    def containing(self, todos: TodoQuerySet, name: str, text: str) -> TodoQuerySet:
        if not text.strip():
            return todos  # an empty search box
        part = folded(text)
        return todos.filter(Q(title_folded__holds=part) | Q(description_folded__holds=part))

    def due_now(self, todos: TodoQuerySet, name: str, when: str) -> TodoQuerySet:
        zone = self.form.cleaned_data.get("tz", "UTC")
        return todos.filter(DUE[when](timezone.now(), zone))

    def unchanged(self, todos: TodoQuerySet, name: str, zone: str) -> TodoQuerySet:
        return todos
