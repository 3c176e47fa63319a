from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from contextlib import nullcontext
from typing import Any, NoReturn, cast
from uuid import UUID

from django.db import transaction
from django.http import Http404
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ModelViewSet

from api.bodies.fields import CANONICAL_UUID
from api.bodies.parsers import JSONParser, MergePatchParser
from api.bodies.renderers import octets_for
from api.bodies.serializers import NoFields
from api.lists.filters import FilterBackend
from api.lists.ordering import Column, Ordering
from api.lists.pagination import CursorPagination
from api.lists.parameters import KnownParametersOnly
from api.lists.time_limits import time_limit
from api.requests import path_of, root_of, user_of
from api.writes.conditional import check_preconditions, has_current
from api.writes.idempotency import is_repeat, once
from todos.batch import run_batch
from todos.fields import MAX_TAG_LENGTH
from todos.filters import TodoFilters
from todos.models import StaleTodo, Todo
from todos.openapi import document_todos
from todos.permissions import IsOwner
from todos.querysets import TodoQuerySet
from todos.rows import TodoRow, all_rows, first_rows, owned_row
from todos.serializers import TodoSerializer, shown

SEARCH_SECONDS = 2.0
OCTETS_BESIDE_TEXTS = 1000  # with the quotes and commas of 20 tags


@document_todos
class TodoViewSet(KnownParametersOnly, ModelViewSet[Todo]):
    """The todos of the user whose token it is."""

    # They are reached through ``owned_by`` only. A todo of somebody else is 403 and a missing
    # one 404, whatever the method and before a precondition or the body is looked at.
    permission_classes = [IsOwner]
    serializer_class = TodoSerializer
    filter_backends = [FilterBackend]
    filterset_class = TodoFilters
    repeatable_parameters = TodoFilters.repeatable_parameters()
    pagination_class = CursorPagination
    orderings = {
        "created_at": (Column("created_at"),),
        "updated_at": (Column("updated_at"),),
        "due": (Column("due_date", nullable=True), Column("due_time", nullable=True)),
        "priority": (Column("priority"),),
        "title": (Column("title_folded"),),
    }
    default_ordering = "-created_at"
    todo: Todo
    locking = False

    def check_target(self) -> None:
        if not self.detail:
            return
        if not is_repeat(self.request):  # the first request may have changed or deleted it
            self._load_target()

    def _load_target(self) -> None:
        self.todo = self.get_object()
        if self.action not in (None, "metadata"):  # 405, or OPTIONS
            check_preconditions(self.request, self.todo.etag)

    def known_parameters(self) -> Set[str]:
        if self.action != "list":
            return frozenset()
        return CursorPagination.parameters | TodoFilters.parameters()

    def get_queryset(self) -> TodoQuerySet:
        todos = all_rows() if self.action == "list" else Todo.objects.as_shown()
        return todos.owned_by(user_of(self.request))

    def first_rows(self, ordering: Ordering, count: int) -> list[TodoRow]:
        is_indexed = ordering.columns == self.orderings["created_at"]
        with nullcontext() if is_indexed else time_limit(SEARCH_SECONDS):
            return first_rows(user_of(self.request), ordering, count)

    def rows(self, queryset: TodoQuerySet) -> list[TodoRow]:
        with time_limit(SEARCH_SECONDS):
            return [*map(TodoRow.of, queryset)]  # type: ignore[arg-type]

    def shown(self, row: TodoRow) -> dict[str, Any]:
        return shown(row)

    def most_octets(self, rows: Sequence[TodoRow]) -> int:
        # A control character takes six octets, an emoji four.
        lengths = [
            len(row.title) + len(row.description) + MAX_TAG_LENGTH * len(row.tags) for row in rows
        ]
        return 6 * sum(lengths) + OCTETS_BESIDE_TEXTS * len(rows)

    def get_object(self) -> Todo:
        if (todo := self._load()) is None:
            self._refuse()
        self.check_object_permissions(self.request, todo)
        return todo

    def _load(self) -> Todo | None:
        if self.action == "retrieve":
            # It is only looked at, which is what the two have in common.
            return cast("Todo | None", owned_row(user_of(self.request), self._todo_id()))
        rows = self.get_queryset().filter(pk=self._todo_id())
        return (rows.select_for_update() if self.locking else rows).first()

    def get_parsers(self) -> list[BaseParser]:
        # Where the OpenAPI document is made, the first call comes before there is a request.
        patch = self.request is not None and self.request.method == "PATCH"
        return [JSONParser(), MergePatchParser()] if patch else [JSONParser()]

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """As the framework's, but without a serializer, and a queryset only where it is needed."""
        todos: Any = None
        if not CursorPagination.is_first_of_all(request):
            todos = self.filter_queryset(self.get_queryset())
        page = self.paginate_queryset(todos) or ()
        return self.get_paginated_response([*map(shown, page)])

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return once(request, lambda: self._created(request))

    def _created(self, request: Request) -> Response:
        fields = TodoSerializer.read(request.data)
        todo = shown(Todo.create(owner_id=user_of(request).pk, **fields))
        return Response(todo, status.HTTP_201_CREATED, headers=self.get_success_headers(todo))

    def get_success_headers(self, data: Any) -> dict[str, str]:
        # Below the list, where this is. Asking for the route by name takes longer than SQL.
        location = f"{root_of(self.request)}{path_of(self.request)}{data['id']}/"
        return {"Location": location, "ETag": data["etag"]}

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        if has_current(request, self.todo.etag):
            return Response(status=status.HTTP_304_NOT_MODIFIED, headers={"ETag": self.todo.etag})
        return self._shown()

    def update(
        self, request: Request, *args: Any, partial: bool = False, **kwargs: Any
    ) -> Response:
        return once(request, lambda: self._updated(request, partial=partial))

    def _updated(self, request: Request, *, partial: bool) -> Response:
        def save() -> None:
            serializer = self.get_serializer(self.todo, data=request.data, partial=partial)
            serializer.is_valid(raise_exception=True)
            serializer.save()

        self._write(save)
        return self._shown()

    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return once(request, self._removed)

    def _removed(self) -> Response:
        self._write(lambda: self.todo.remove())
        return Response(status=status.HTTP_204_NO_CONTENT)

    @action(detail=True, methods=["post"])
    def complete(self, request: Request, pk: str) -> Response:
        return once(request, lambda: self._set_completed(completed=True))

    @action(detail=True, methods=["post"])
    def reopen(self, request: Request, pk: str) -> Response:
        return once(request, lambda: self._set_completed(completed=False))

    @action(detail=False, methods=["post"])
    def batch(self, request: Request) -> Response:
        max_octets = octets_for(request)
        return once(
            request,
            lambda: Response(run_batch(user_of(request), request.data, max_octets=max_octets)),
        )

    def _set_completed(self, *, completed: bool) -> Response:
        NoFields.read(self.request.data)
        self._write(lambda: self.todo.change(completed=completed))
        return self._shown()

    def _write(self, write: Callable[[], None]) -> None:
        """Make a change that is a compare-and-set on the todo as it was loaded.

        Where another request was quicker, everything is asked again of the todo as it is now,
        which nobody else changes meanwhile: changes of different fields both survive, and a
        precondition that held no longer does.
        """
        if not hasattr(self, "todo"):  # the stored answer was purged a moment ago
            self._load_target()
        try:
            write()
        except StaleTodo:
            self.locking = True
            with transaction.atomic():
                self._load_target()
                write()

    def _shown(self) -> Response:
        return Response(shown(self.todo), headers={"ETag": self.todo.etag})

    def _todo_id(self) -> UUID:
        # UUID() itself also takes braces, a URN and any hyphens: a todo has one address.
        if not CANONICAL_UUID.fullmatch(self.kwargs["pk"]):
            raise Http404
        return UUID(self.kwargs["pk"])

    def _refuse(self) -> NoReturn:
        if Todo.objects.somebody_has(self._todo_id()):
            raise PermissionDenied
        raise Http404
