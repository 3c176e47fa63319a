from __future__ import annotations

from rest_framework import serializers

from api.bodies.fields import EtagField
from api.bodies.serializers import Fields, StrictSerializer

LAST = ("created_at", "updated_at", "etag")


class OwnedSerializer(StrictSerializer):
    """A row as its owner sees it. A PUT returns omitted fields to their defaults."""

    id = serializers.UUIDField(read_only=True)
    created_at = serializers.DateTimeField(read_only=True)
    updated_at = serializers.DateTimeField(read_only=True)
    etag = EtagField()

    def get_fields(self) -> Fields:
        fields = super().get_fields()
        last = {name: fields.pop(name) for name in LAST}
        return {**fields, **last}
