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

    default_error_messages = {
        "unknown_field": "This field is not known.",
        "null": "No data provided",  # as the framework's is_valid says it
    }

    @cached_property
    def fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:  # type: ignore[override]
        """Made once for all serializers of a class: they keep nothing of a request.

        The framework makes them anew for each, which takes longer than all that they do. A
        field that asked for its ``context`` or ``instance`` would find none.
        """
        return _fields_of(type(self), partial=self.partial)

    @classmethod
    def read(cls, data: Any) -> dict[str, Any]:
        """The values that ``data`` has for something new. Raises ``ValidationError``.

        What ``is_valid`` says, without a serializer for each request, which takes longer to make
        than to ask.
        """
        values: dict[str, Any] = _reader(cls).run_validation(data)
        return values

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """As the framework's, but that a field which is not there is not asked for its default,
        and that a name which nobody knows is refused."""
        if not isinstance(data, Mapping):
            return cast("dict[str, Any]", super().to_internal_value(data))  # says that it is none
        values: dict[str, Any] = {}
        errors = self._refused_fields(data)
        for name, field in self.fields.items():
            value = data.get(name, empty)
            if field.read_only or (value is empty and self.partial):
                continue
            if field.default is not empty and self._stands_for_default(value):
                values[name] = default_of(field)
                continue
            try:
                values[name] = field.run_validation(value)
            except serializers.SkipField:  # optional, and without a default
                pass
            except serializers.ValidationError as error:
                errors[name] = error.detail
        if errors:
            raise serializers.ValidationError(errors)
        return values

    def _stands_for_default(self, value: Any) -> bool:
        """``null`` in a merge patch takes a value away: what is optional returns to its default."""
        return value is empty or (value is None and self.partial)

    def _refused_fields(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """The errors of fields that may not be in the body, whatever their values."""
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


def default_of(field: serializers.Field[Any, Any, Any, Any]) -> Any:
    return field.default() if callable(field.default) else field.default


@cache
def _reader(serializer_class: type[StrictSerializer]) -> StrictSerializer:
    return serializer_class()


@cache
def _fields_of(
    serializer_class: type[StrictSerializer], *, partial: bool
) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
    serializer = serializer_class(partial=partial)
    fields = BindingDict(serializer)
    for name, field in serializer.get_fields().items():
        fields[name] = field
        _require_plain(serializer, name, field)
    return cast("dict[str, serializers.Field[Any, Any, Any, Any]]", fields)


def _require_plain(
    serializer: StrictSerializer, name: str, field: serializers.Field[Any, Any, Any, Any]
) -> None:
    """Raises ``TypeError`` for what the framework knows and ``to_internal_value`` here does not."""
    is_hidden = isinstance(field, serializers.HiddenField)
    if hasattr(serializer, f"validate_{name}") or field.source != name or is_hidden:
        raise TypeError(f"{name}: validate_{name}, source and hidden fields are not supported.")


class NoFields(StrictSerializer):
    """The body of a request that says everything in its path."""
