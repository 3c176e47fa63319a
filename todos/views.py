from __future__ import annotations

from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from api.bodies.renderers import octets_for
from api.lists.ordering import Column
from api.owned.viewset import TIMES, OwnedViewSet, row_action
from api.writes.idempotency import idempotent
from todos.batch import run_batch
from todos.filters import TodoFilters
from todos.models import Todo
from todos.openapi import document_batch
from todos.serializers import TodoSerializer


class TodoViewSet(OwnedViewSet):
    """The todos of the user of the token."""

    model = Todo
    serializer_class = TodoSerializer
    filterset_class = TodoFilters
    orderings = {
        **TIMES,
        "due": (Column("due_date", nullable=True), Column("due_time", nullable=True)),
        "priority": (Column("priority"),),
        "title": (Column("title_folded"),),
    }

    @row_action
    def complete(self) -> Response:
        return self.change(completed=True)

    @row_action
    def reopen(self) -> Response:
        return self.change(completed=False)

    @document_batch
    @action(detail=False, methods=["post"])
    @idempotent
    def batch(self, request: Request) -> Response:
        return Response(run_batch(self.user, request.data, max_octets=octets_for(request)))
