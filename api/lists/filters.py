"""Filters of a list through django-filter, whose parameters are serializer fields."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from django import forms
from django.db.models import QuerySet
from django_filters import Filter, FilterSet
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.views import APIView

from api.bodies.fields import NO_SUCH_DAY, NO_SUCH_TIME
from api.errors.exceptions import InvalidParameter, Mistake

DATE_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?P<time>[0-9]{2}:[0-9]{2}):(?P<second>[0-9]{2})"
    r"(\.[0-9]{1,6}(?P<finer>[0-9]*))?(Z|[+-](?P<offset>[0-9]{2}:[0-9]{2}))",
    re.IGNORECASE,
)
TIME_OF_DAY = re.compile("([01][0-9]|2[0-3]):[0-5][0-9]")


class FlagWordField(serializers.BooleanField):
    """The words ``true`` and ``false``, and no other spelling."""

    def to_internal_value(self, data: Any) -> bool:
        if data not in ("true", "false"):
            self.fail("invalid", input=data)
        return bool(data == "true")


class MomentField(serializers.DateTimeField):
    """A date and time with its offset (RFC 3339 section 5.6, date-time), as the time in UTC.

    Rounds up to a microsecond, which is the finest that a column stores.
    """

    default_error_messages = {
        "invalid": "A date-time of RFC 3339 is expected, such as 2026-01-31T09:00:00Z. "
        "In a query, + is written %2B."
    }

    def to_internal_value(self, value: Any) -> datetime:
        match = DATE_TIME.fullmatch(value)
        if match is None:
            self.fail("invalid")
        if detail := _wrong_clock(match):
            raise serializers.ValidationError(detail, "invalid")
        try:
            moment = datetime.fromisoformat(value.upper()).astimezone(UTC)
            return moment + timedelta(microseconds=bool((match["finer"] or "").strip("0")))
        except ValueError:
            raise serializers.ValidationError(NO_SUCH_DAY, "invalid") from None
        except OverflowError:
            detail = "In UTC this is not in the years 0001 to 9999."
            raise serializers.ValidationError(detail, "invalid") from None


def _wrong_clock(match: re.Match[str]) -> str:
    """Return the error of the time or the offset, or ``""``."""
    if not TIME_OF_DAY.fullmatch(match["time"]):
        return NO_SUCH_TIME
    if match["second"] > "59":
        return "Seconds are 00 to 59: leap seconds are not kept."
    if not TIME_OF_DAY.fullmatch(match["offset"] or "00:00"):
        return "There is no such offset from UTC."
    return ""


class ParameterField(forms.Field):
    """A query parameter that the serializer field ``takes`` reads, or ``None``.

    Django's form fields take a blank value for an absent one, and many spellings of a date.
    """

    def __init__(self, *, takes: serializers.Field[Any, Any, Any, Any], **kwargs: Any) -> None:
        repeatable = isinstance(takes, serializers.ListField)
        super().__init__(widget=forms.SelectMultiple if repeatable else None, **kwargs)
        self.takes = takes

    def clean(self, value: Any) -> Any:
        if value is None or value == []:
            return None
        try:
            return self.takes.run_validation(value)
        except serializers.ValidationError as error:
            raise forms.ValidationError(_without_index(error.detail)) from None


def _without_index(details: Any) -> list[forms.ValidationError]:
    """Return the errors of a value, or of the first invalid value of several."""
    if isinstance(details, dict):
        details = next(iter(details.values()))
    return [forms.ValidationError(str(detail), code=detail.code) for detail in details]


class ParameterFilter(Filter):  # type: ignore[misc]
    """A filter by one parameter. A ``ListField`` makes the parameter repeatable."""

    field_class = ParameterField

    def __init__(self, takes: serializers.Field[Any, Any, Any, Any], **kwargs: Any) -> None:
        super().__init__(takes=takes, **kwargs)


class ParameterFilterSet(FilterSet):  # type: ignore[misc]
    base_filters: Mapping[str, ParameterFilter]

    def __init__(self, data: Mapping[str, Any], **kwargs: Any) -> None:
        """Keep the filters of the parameters in the query: copies and form fields take time."""
        filters = self.base_filters.items()
        self.base_filters = {name: each for name, each in filters if name in data}
        super().__init__(data, **kwargs)

    @classmethod
    def parameters(cls) -> frozenset[str]:
        return frozenset(cls.base_filters)

    @classmethod
    def repeatable_parameters(cls) -> frozenset[str]:
        filters = cls.base_filters.items()
        return frozenset(
            name for name, each in filters if isinstance(each.extra["takes"], serializers.ListField)
        )


class FilterBackend(DjangoFilterBackend):  # type: ignore[misc]
    """Raise one ``InvalidParameter`` for all invalid values."""

    def filter_queryset(
        self, request: Request, queryset: QuerySet[Any], view: APIView
    ) -> QuerySet[Any]:
        if request.query_params.keys().isdisjoint(view.filterset_class.parameters()):  # type: ignore[attr-defined]
            return queryset  # without the cost of a form
        filterset = self.get_filterset(request, queryset, view)
        if mistakes := list(_mistakes(filterset.form)):
            raise InvalidParameter(*mistakes)
        filtered: QuerySet[Any] = filterset.qs
        return filtered


def _mistakes(form: forms.Form) -> Iterator[Mistake]:
    for name, errors in form.errors.as_data().items():
        for error in errors:
            yield name, str(error.code), str(error.message)
