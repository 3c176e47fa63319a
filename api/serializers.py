from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any

from rest_framework import serializers
from rest_framework.fields import empty

MAX_UNKNOWN_FIELDS = 100  # that are named in one answer


class StrictSerializer(serializers.Serializer[Any]):
    """Takes the fields that it knows, and a partial update as a JSON Merge Patch (RFC 7396).

    A field that nobody knows is an error, so that a typing mistake does not pass for a change.
    Read-only fields are known: what a GET brought can be PUT back.
    """

    default_error_messages = {"unknown_field": "This field is not known."}

    def to_internal_value(self, data: Any) -> Any:
        errors: dict[str, Any] = {}
        if isinstance(data, Mapping):
            errors = self._unknown_fields(data)
            if self.partial:
                data = {name: self._patched(name, value) for name, value in data.items()}
        try:
            value = super().to_internal_value(data)
        except serializers.ValidationError as error:
            raise serializers.ValidationError({**errors, **error.detail}) from None  # type: ignore[dict-item]
        if errors:
            raise serializers.ValidationError(errors)
        return value

    def _unknown_fields(self, data: Mapping[str, Any]) -> dict[str, Any]:
        message = str(self.error_messages["unknown_field"])
        unknown = (name for name in data if name not in self.fields)
        return {
            name: [serializers.ErrorDetail(message, code="unknown_field")]
            for name in islice(unknown, MAX_UNKNOWN_FIELDS)
        }

    def _patched(self, name: str, value: Any) -> Any:
        """``null`` in a merge patch takes a value away: what is optional returns to its default."""
        field = self.fields.get(name)
        return field.default if value is None and field and field.default is not empty else value


class NoFields(StrictSerializer):
    """The body of a request that says everything in its path."""
