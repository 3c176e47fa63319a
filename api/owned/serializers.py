from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from rest_framework import serializers

from api.bodies.fields import CanonicalUUIDField, EtagField, NewIdField
from api.bodies.serializers import Fields, StrictSerializer

LAST = ("created_at", "updated_at", "deleted_at", "etag")


class LinkField(CanonicalUUIDField):
    """The id of an own row, or null. A write refuses the id of any other row."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(default=None, allow_null=True, **kwargs)


class OwnedSerializer(StrictSerializer):
    """A row as its owner sees it. A PUT returns omitted fields to their defaults."""

    # The body of a create request, for the OpenAPI document and for the tests of all resources.
    example: ClassVar[Mapping[str, Any]] = {}

    id = NewIdField(required=False)
    created_at = serializers.DateTimeField(read_only=True)
    updated_at = serializers.DateTimeField(read_only=True)
    deleted_at = serializers.DateTimeField(
        read_only=True, allow_null=True, help_text="Null outside the trash."
    )
    etag = EtagField()

    @classmethod
    def document(cls, row: Any) -> dict[str, Any]:
        """Return a row, perhaps of the trash, as clients that keep a copy have it."""
        return {**cls.shown(row), "deleted": row.deleted_at is not None}

    def get_fields(self) -> Fields:
        fields = super().get_fields()
        last = {name: fields.pop(name) for name in LAST}
        return {**fields, **last}
