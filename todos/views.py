from __future__ import annotations

import re
from collections.abc import Set
from typing import Any, NoReturn
from uuid import UUID

from django.http import Http404
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.serializers import BaseSerializer
from rest_framework.viewsets import ModelViewSet

from api.pagination import CursorPagination
from api.parameters import KnownParametersOnly
from api.parsers import JSONParser, MergePatchParser
from api.requests import user_of
from api.serializers import NoFields
from todos.models import Todo
from todos.permissions import IsOwner
from todos.querysets import TodoQuerySet
from todos.serializers import TodoSerializer

CANONICAL_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class TodoViewSet(KnownParametersOnly, ModelViewSet[Todo]):
    """The todos of the user whose token it is.

    They are reached through ``owned_by`` only. A todo of somebody else is 403 and a missing
    one 404, whatever the method and before the body is read.
    """

    permission_classes = [IsOwner]
    serializer_class = TodoSerializer
    pagination_class = CursorPagination

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if self.detail and self.action in (None, "metadata"):
            # OPTIONS, or a method that nothing serves: 403 and 404 come before 405.
            self.get_object()

    def known_parameters(self) -> Set[str]:
        return CursorPagination.parameters if self.action == "list" else frozenset()

    def refuse_parameter(self, name: str) -> None:
        if self.detail:
            self.get_object()  # 403 and 404 come before 400
        super().refuse_parameter(name)

    def get_queryset(self) -> TodoQuerySet:
        return Todo.objects.owned_by(user_of(self.request))

    def get_object(self) -> Todo:
        todo = self._this_todo().first()
        if todo is None:
            self._refuse()
        self.check_object_permissions(self.request, todo)
        return todo

    def get_parsers(self) -> list[BaseParser]:
        patch = self.request.method == "PATCH"
        return [JSONParser(), MergePatchParser()] if patch else [JSONParser()]

    def perform_create(self, serializer: BaseSerializer[Todo]) -> None:
        serializer.save(owner_id=user_of(self.request).pk)

    def get_success_headers(self, data: Any) -> dict[str, str]:
        return {"Location": reverse("todo-detail", [data["id"]], request=self.request)}

    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        deleted, _ = self._this_todo().delete()
        if not deleted:
            self._refuse()
        return Response(status=status.HTTP_204_NO_CONTENT)

    @action(detail=True, methods=["post"])
    def complete(self, request: Request, pk: str) -> Response:
        return self._set_completed(completed=True)

    @action(detail=True, methods=["post"])
    def reopen(self, request: Request, pk: str) -> Response:
        return self._set_completed(completed=False)

    def handle_exception(self, exc: Exception) -> Response:
        # Deleted by another request between being loaded and being changed.
        return super().handle_exception(Http404() if isinstance(exc, Todo.DoesNotExist) else exc)

    def _set_completed(self, *, completed: bool) -> Response:
        todo = self.get_object()
        NoFields(data=self._json_body()).is_valid(raise_exception=True)
        todo.change(completed=completed)
        return Response(self.get_serializer(todo).data)

    def _json_body(self) -> Any:
        """Where the path says everything, the empty form that some clients send is no body."""
        if self.request.content_type.startswith("multipart/form-data"):
            return {}
        return self.request.data

    def _this_todo(self) -> TodoQuerySet:
        return self.get_queryset().filter(pk=self._todo_id())

    def _todo_id(self) -> UUID:
        # UUID() itself also takes braces, a URN and any hyphens: a todo has one address.
        if not CANONICAL_UUID.fullmatch(self.kwargs["pk"]):
            raise Http404
        return UUID(self.kwargs["pk"])

    def _refuse(self) -> NoReturn:
        if Todo.objects.somebody_has(self._todo_id()):
            raise PermissionDenied
        raise Http404
