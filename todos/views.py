from __future__ import annotations

from collections.abc import Set

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from api.bodies.renderers import octets_for
from api.lists.ordering import Column
from api.lists.time_limits import time_limit
from api.owned.viewset import TIMES, OwnedViewSet, row_action
from api.writes.idempotency import idempotent
from todos.batch import run_batch
from todos.filters import TodoFilters
from todos.models import Todo
from todos.openapi import document_batch
from todos.serializers import TodoSerializer
from todos.summary import SummaryParameters, TodoSummarySerializer, summary_of


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

    def known_parameters(self) -> Set[str]:
        if self.action == "summary":
            return SummaryParameters.parameters()
        return super().known_parameters()

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

    @extend_schema(
        operation_id="summarizeTodos",
        summary="Count your todos and their tags",
        parameters=[SummaryParameters],
        responses=TodoSummarySerializer,
    )
    @action(detail=False)
    def summary(self, request: Request) -> Response:
        parameters = SummaryParameters.read_query(request.query_params)
        with time_limit(settings.SEARCH_SECONDS):
            return Response(summary_of(self.get_queryset(), **parameters))
