from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from itertools import islice
from typing import Any, cast

from django.db.models import Model
from django.utils.functional import cached_property
from rest_framework import serializers
from rest_framework.utils.serializer_helpers import BindingDict

Fields = dict[str, serializers.Field[Any, Any, Any, Any]]
MAX_UNKNOWN_FIELDS = 100  # that are named in one answer
# The renderer writes their values as they do.
RENDERED_ALIKE = (
    serializers.BooleanField,
    serializers.CharField,
    serializers.DateField,
    serializers.DateTimeField,
    serializers.ListField,
    serializers.UUIDField,
)


def field_error(name: str, code: str, detail: str) -> serializers.ValidationError:
    return serializers.ValidationError({name: [serializers.ErrorDetail(detail, code)]})


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses unknown fields, and reads a partial update as a JSON Merge Patch (RFC 7396).

    An unknown field is an error, because a typing mistake must not pass for a change. A read-only
    field is known, so that a client can PUT what it got.
    """

    default_error_messages = {"unknown_field": "This field is not known."}

    @cached_property
    def fields(self) -> Fields:  # type: ignore[override]
        """Made once for a class, because making them takes longer than all that they do.

        They belong to no request: their ``context`` and the ``instance`` of their parent are empty.
        """
        return _fields_of(type(self), partial=self.partial)

    @classmethod
    def read(cls, data: Any, instance: Any = None, *, partial: bool = False) -> dict[str, Any]:
        """Return the validated values of a body. Raises ``ValidationError``."""
        serializer = cls(instance, data=data, partial=partial)
        serializer.is_valid(raise_exception=True)
        values: dict[str, Any] = serializer.validated_data
        return values

    @classmethod
    def shown(cls, instance: Model) -> dict[str, Any]:
        """Return what renders as ``to_representation()`` does, in a fraction of its time."""
        columns, (sources, representations) = vars(instance), _representation_of(cls)
        shown = {name: columns[source] for name, source in sources}
        for name, represent in representations:
            if shown[name] is not None:
                shown[name] = represent(shown[name])
        return shown

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        errors: dict[str, Any] = {}
        defaults: dict[str, Any] = {}
        if isinstance(data, Mapping):
            errors = self._refused_fields(data)
            if self.instance is not None:  # it has its id
                data = {name: value for name, value in data.items() if name != "id"}
            if self.partial:
                # In a merge patch, null returns an optional field to its default.
                defaults = {
                    name: default_of(field)
                    for name, field in self.optional_fields().items()
                    if data.get(name, ...) is None
                }
                data = {name: value for name, value in data.items() if name not in defaults}
        values: dict[str, Any] = {}
        try:
            values = super().to_internal_value(data)
        except serializers.ValidationError as error:
            errors |= cast("dict[str, Any]", error.detail)
        if errors:
            raise serializers.ValidationError(errors)
        return values | defaults

    def _refused_fields(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Return the errors of fields that may not be in the body, whatever their values."""
        message = str(self.error_messages["unknown_field"])
        unknown = (name for name in data if name not in self.fields)
        refused = {
            name: [serializers.ErrorDetail(message, code="unknown_field")]
            for name in islice(unknown, MAX_UNKNOWN_FIELDS)
        }
        changed = self.instance if "id" in data and "id" in self.fields else None
        if changed is not None and str(data["id"]).lower() != str(changed.pk):
            detail = "This is not the id in the path: send that one or none."
            refused["id"] = [serializers.ErrorDetail(detail, "id_mismatch")]
        return refused

    def writable_fields(self) -> Fields:
        """Return the fields that a body may set, without the id."""
        return {
            name: field
            for name, field in self.fields.items()
            if not field.read_only and name != "id"
        }

    def optional_fields(self) -> Fields:
        return {
            name: field
            for name, field in self.fields.items()
            if field.default is not serializers.empty
        }


def default_of(field: serializers.Field[Any, Any, Any, Any]) -> Any:
    return field.default() if callable(field.default) else field.default


@cache
def _fields_of(serializer_class: type[StrictSerializer], *, partial: bool) -> Fields:
    serializer = serializer_class(partial=partial)
    fields = BindingDict(serializer)
    for name, field in serializer.get_fields().items():
        fields[name] = field
    return cast("Fields", fields)


@cache
def _representation_of(
    serializer_class: type[StrictSerializer],
) -> tuple[list[tuple[str, str]], list[tuple[str, Callable[[Any], Any]]]]:
    """Return the column of each field, and the representations that the renderer lacks."""
    fields = serializer_class().fields
    alike = {each.to_representation for each in RENDERED_ALIKE}
    return [(name, str(field.source)) for name, field in fields.items()], [
        (name, field.to_representation)
        for name, field in fields.items()
        if type(field).to_representation not in alike
    ]


class NoFields(StrictSerializer):
    """The body of a request whose path says everything."""
