from __future__ import annotations

from api.lists.ordering import Column
from api.owned.viewset import TIMES, OwnedViewSet
from lists.filters import ListFilters
from lists.models import TodoList
from lists.serializers import ListSerializer


class ListViewSet(OwnedViewSet):
    """The lists of the user of the token."""

    model = TodoList
    serializer_class = ListSerializer
    filterset_class = ListFilters
    orderings = {**TIMES, "name": (Column("name_folded"),)}
