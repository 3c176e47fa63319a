from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from itertools import islice
from typing import Any, cast

from django.utils.functional import cached_property
from rest_framework import serializers
from rest_framework.fields import empty
from rest_framework.utils.serializer_helpers import BindingDict

MAX_UNKNOWN_FIELDS = 100  # that are named in one answer


def field_error(name: str, code: str, detail: str) -> serializers.ValidationError:
    return serializers.ValidationError({name: [serializers.ErrorDetail(detail, code)]})


class StrictSerializer(serializers.Serializer[Any]):
    """Takes the fields that it knows, and a partial update as a JSON Merge Patch (RFC 7396).

    A field that nobody knows is an error, so that a typing mistake does not pass for a change.
    Read-only fields are known: what a GET brought can be PUT back.
    """

    default_error_messages = {"unknown_field": "This field is not known."}

    @cached_property
    def fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:  # type: ignore[override]
        """Made once for all serializers of a class: they keep nothing of a request.

        The framework makes them anew for each, which takes longer than all that they do. A
        field that asked for its ``context`` or ``instance`` would find none.
        """
        return _fields_of(type(self), partial=self.partial)

    def to_internal_value(self, data: Any) -> Any:
        errors: dict[str, Any] = {}
        restored: dict[str, Any] = {}
        if isinstance(data, Mapping):
            errors = self._unknown_fields(data)
            restored = self._taken_away(data) if self.partial else {}
            data = {name: value for name, value in data.items() if name not in restored}
        try:
            value = super().to_internal_value(data)
        except serializers.ValidationError as error:
            raise serializers.ValidationError({**errors, **error.detail}) from None  # type: ignore[dict-item]
        if errors:
            raise serializers.ValidationError(errors)
        return {**value, **restored}

    def _unknown_fields(self, data: Mapping[str, Any]) -> dict[str, Any]:
        message = str(self.error_messages["unknown_field"])
        unknown = (name for name in data if name not in self.fields)
        return {
            name: [serializers.ErrorDetail(message, code="unknown_field")]
            for name in islice(unknown, MAX_UNKNOWN_FIELDS)
        }

    def optional_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Those that have a default."""
        fields = self.fields.items()
        return {name: field for name, field in fields if field.default is not empty}

    def _taken_away(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """``null`` in a merge patch takes a value away: what is optional returns to its default."""
        return {
            name: field.default() if callable(field.default) else field.default
            for name, field in self.optional_fields().items()
            if name in data and data[name] is None
        }


@cache
def _fields_of(
    serializer_class: type[StrictSerializer], *, partial: bool
) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
    serializer = serializer_class(partial=partial)
    fields = BindingDict(serializer)
    for name, field in serializer.get_fields().items():
        fields[name] = field
    return cast("dict[str, serializers.Field[Any, Any, Any, Any]]", fields)


class NoFields(StrictSerializer):
    """The body of a request that says everything in its path."""
