from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from contextlib import nullcontext
from functools import partial
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.http import Http404
from django.utils.functional import cached_property
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied
from rest_framework.parsers import BaseParser
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ModelViewSet

from api.bodies.fields import CANONICAL_UUID
from api.bodies.parsers import JSONParser, MergePatchParser
from api.bodies.renderers import octets_for
from api.bodies.serializers import NoFields
from api.lists.cursors import Cursor
from api.lists.filters import FilterBackend
from api.lists.ordering import Column, Ordering
from api.lists.pagination import UNFILTERED, CursorPagination, beginning_at
from api.lists.parameters import KnownParametersOnly
from api.lists.time_limits import time_limit
from api.requests import path_of, root_of
from api.writes.conditional import check_preconditions, has_current
from api.writes.idempotency import idempotent, is_repeat
from authn.users import TokenUser
from database.compiled import Compiled
from todos.batch import run_batch
from todos.filters import TodoFilters
from todos.models import StaleTodo, Todo
from todos.openapi import document_todos
from todos.permissions import IsOwner
from todos.querysets import TodoQuerySet
from todos.serializers import TodoSerializer


@document_todos
class TodoViewSet(KnownParametersOnly, ModelViewSet[Todo]):
    """The todos of the user of the token."""

    # A todo of another owner is 403 and a missing one 404, for every method and before any
    # precondition or body.
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

    @property
    def user(self) -> TokenUser:
        return cast("TokenUser", self.request.user)

    def check_target(self) -> None:
        # The first request with an Idempotency-Key may have changed or deleted the todo.
        if self.detail and (self.request.method in SAFE_METHODS or not is_repeat(self.request)):
            self.todo  # noqa: B018 - read before the body, so that 403, 404 and 412 come first

    @cached_property
    def todo(self) -> Todo:
        return self.get_object()

    def get_object(self, *, locked: bool = False) -> Todo:
        """Load the todo of the path. Raises also what its preconditions raise."""
        todo_id = self._todo_id()
        if locked:
            todo = self.get_queryset().filter(pk=todo_id).select_for_update().first()
        else:
            todo = Todo.owned(self.user, todo_id)
        if todo is None:
            raise PermissionDenied if Todo.objects.somebody_has(todo_id) else Http404
        self.check_object_permissions(self.request, todo)
        if self.action not in (None, "metadata"):  # 405, or OPTIONS
            check_preconditions(self.request, todo.etag)
        return todo

    def known_parameters(self) -> Set[str]:
        if self.action != "list":
            return frozenset()
        return CursorPagination.parameters | TodoFilters.parameters()

    def get_queryset(self) -> TodoQuerySet:
        return Todo.objects.as_shown().owned_by(self.user)

    def get_parsers(self) -> list[BaseParser]:
        # drf-spectacular calls this before it sets a request.
        patch = self.request is not None and self.request.method == "PATCH"
        return [JSONParser(), MergePatchParser()] if patch else [JSONParser()]

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        todos = None
        if not request.query_params.keys() <= UNFILTERED:
            todos = self.filter_queryset(self.get_queryset())
        page = self.paginate_queryset(partial(self._rows, todos))  # type: ignore[arg-type]
        return self.get_paginated_response(page)

    def _rows(
        self, todos: TodoQuerySet | None, ordering: Ordering, cursor: Cursor | None, count: int
    ) -> Sequence[Todo]:
        """Read a page of ``todos``, or with ``None`` the first one of all todos of the user."""
        is_indexed = todos is None and ordering.columns == self.orderings["created_at"]
        with nullcontext() if is_indexed else time_limit(settings.SEARCH_SECONDS):
            if todos is None:
                return Todo.first_owned(self.user, ordering, count)
            return Compiled(beginning_at(cursor, ordering, todos)[:count]).rows()

    @idempotent
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        fields = TodoSerializer.read(request.data)
        todo = TodoSerializer.shown(Todo.create(owner_id=self.user.pk, **fields))
        return Response(todo, status.HTTP_201_CREATED, headers=self.get_success_headers(todo))

    def get_success_headers(self, data: Any) -> dict[str, str]:
        # reverse() would take longer than the SQL.
        location = f"{root_of(self.request)}{path_of(self.request)}{data['id']}/"
        return {"Location": location, "ETag": data["etag"]}

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        response = self._answer(self.todo)
        if has_current(request, response["ETag"]):
            return Response(status=status.HTTP_304_NOT_MODIFIED, headers={"ETag": response["ETag"]})
        return response

    @idempotent
    def update(
        self, request: Request, *args: Any, partial: bool = False, **kwargs: Any
    ) -> Response:
        return self._answer(
            self._write(
                lambda todo: todo.change(**TodoSerializer.read(request.data, todo, partial=partial))
            )
        )

    @idempotent
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        self._write(Todo.remove)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @action(detail=True, methods=["post"])
    @idempotent
    def complete(self, request: Request, pk: str) -> Response:
        return self._set_completed(completed=True)

    @action(detail=True, methods=["post"])
    @idempotent
    def reopen(self, request: Request, pk: str) -> Response:
        return self._set_completed(completed=False)

    @action(detail=False, methods=["post"])
    @idempotent
    def batch(self, request: Request) -> Response:
        results = run_batch(self.user, request.data, max_octets=octets_for(request))
        return Response(results)

    def _set_completed(self, *, completed: bool) -> Response:
        NoFields.read(self.request.data)
        return self._answer(self._write(lambda todo: todo.change(completed=completed)))

    def _write(self, change: Callable[[Todo], None]) -> Todo:
        """Make a change that is a compare-and-set on the todo as it was loaded, and return it.

        If another request was quicker, lock the todo, check everything again and repeat the
        change: changes of different fields both survive, and a precondition may fail now.
        """
        todo = self.todo
        try:
            change(todo)
        except StaleTodo:
            with transaction.atomic():
                todo = self.get_object(locked=True)
                change(todo)
        return todo

    def _answer(self, todo: Todo) -> Response:
        shown = TodoSerializer.shown(todo)
        return Response(shown, headers={"ETag": shown["etag"]})

    def _todo_id(self) -> UUID:
        # UUID() itself also takes braces, a URN and any hyphens: a todo has one address.
        if not CANONICAL_UUID.fullmatch(self.kwargs["pk"]):
            raise Http404
        return UUID(self.kwargs["pk"])
