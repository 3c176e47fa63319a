from __future__ import annotations

from api.lists.filters import FilterSet, MomentField


class OwnedFilters(FilterSet):
    created_from = MomentField(source="created_at__gte")
    created_before = MomentField(source="created_at__lt")
    updated_from = MomentField(source="updated_at__gte")
    updated_before = MomentField(source="updated_at__lt")
