from __future__ import annotations

from typing import Any
from uuid import UUID

from api.bodies.fields import CANONICAL_UUID, CanonicalUUIDField
from api.lists.filters import FilterSet, MomentField
from api.owned.models import OwnedModel


class LinkParameter(CanonicalUUIDField):
    """The id of an own row that the rows link to, or ``none`` for rows without a link."""

    openapi: dict[str, Any] = {"format": None, "pattern": f"^({CANONICAL_UUID.pattern}|none)$"}

    def __init__(self, target: type[OwnedModel], **kwargs: Any) -> None:
        noun = target._meta.verbose_name
        super().__init__(help_text=f"The id of a {noun}, or `none` for no {noun}.", **kwargs)
        self.target = target

    def to_internal_value(self, data: Any) -> UUID | None:  # type: ignore[override]
        return None if data == "none" else super().to_internal_value(data)


class OwnedFilters(FilterSet):
    created_from = MomentField(source="created_at__gte")
    created_before = MomentField(source="created_at__lt")
    updated_from = MomentField(source="updated_at__gte")
    updated_before = MomentField(source="updated_at__lt")
