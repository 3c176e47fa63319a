from __future__ import annotations

from api.lists.search import SearchField
from api.owned.filters import OwnedFilters


class ListFilters(OwnedFilters):
    q = SearchField(
        source="name_folded__holds", help_text="Contained in the name, without regard to case."
    )
