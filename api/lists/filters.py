"""Filters of a list, whose parameters are serializer fields."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.http import QueryDict
from rest_framework import serializers
from rest_framework.filters import BaseFilterBackend
from rest_framework.request import Request
from rest_framework.views import APIView

from api.bodies.fields import NO_SUCH_DAY, NO_SUCH_TIME
from api.bodies.serializers import StrictSerializer
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


class FilterSet(StrictSerializer):
    """The filters of a list: a field for each query parameter. A ``ListField`` is repeatable.

    The ``source`` of a field is the lookup that its value is for.
    """

    @classmethod
    def parameters(cls) -> frozenset[str]:
        return frozenset(cls._declared_fields)

    @classmethod
    def repeatable_parameters(cls) -> frozenset[str]:
        fields = cls._declared_fields.items()
        return frozenset(name for name, each in fields if isinstance(each, serializers.ListField))

    @classmethod
    def read_query(cls, query: QueryDict) -> dict[str, Any]:
        """Return the validated values of a query. Raises one ``InvalidParameter`` for all."""
        repeatable = cls.repeatable_parameters()
        data = {
            name: query.getlist(name) if name in repeatable else query[name]
            for name in cls.parameters() & query.keys()
        }
        try:
            return cls.read(data, partial=True)
        except serializers.ValidationError as error:
            raise InvalidParameter(*_mistakes(error.detail)) from None

    @classmethod
    def filtered(cls, queryset: QuerySet[Any], **lookups: Any) -> QuerySet[Any]:
        """Filter by validated values. Override this for a parameter that is no lookup."""
        return queryset.filter(**lookups)


class FilterBackend(BaseFilterBackend):
    """Filter by the ``filterset_class`` of a view."""

    def filter_queryset(
        self, request: Request, queryset: QuerySet[Any], view: APIView
    ) -> QuerySet[Any]:
        filterset: type[FilterSet] = view.filterset_class  # type: ignore[attr-defined]
        return filterset.filtered(queryset, **filterset.read_query(request.query_params))


def _mistakes(errors: Any) -> Iterator[Mistake]:
    for name, details in errors.items():
        if isinstance(details, dict):  # of a repeatable parameter: name the first invalid value
            details = next(iter(details.values()))
        for detail in details:
            yield name, detail.code, str(detail)
