from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from contextlib import nullcontext
from functools import partial, wraps
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
from rest_framework.viewsets import GenericViewSet

from api.bodies.fields import CANONICAL_UUID
from api.bodies.parsers import JSONParser, MergePatchParser
from api.bodies.renderers import octets_for
from api.bodies.serializers import NoFields
from api.errors.exceptions import InvalidParameter, PreconditionFailed
from api.lists.cursors import Cursor
from api.lists.filters import FilterBackend
from api.lists.ordering import Column, Ordering
from api.lists.pagination import UNFILTERED, CursorPagination, beginning_at
from api.lists.parameters import KnownParametersOnly
from api.lists.time_limits import time_limit
from api.owned import counting, feed
from api.owned.creation import create_once
from api.owned.fields import missing
from api.owned.filters import LinkParameter, OwnedFilters
from api.owned.models import OwnedModel, StaleRow
from api.owned.openapi import OwnedSchema
from api.owned.permissions import IsOwner
from api.owned.push import push
from api.owned.querysets import OwnedQuerySet
from api.owned.serializers import OwnedSerializer
from api.requests import path_of, root_of
from api.writes.conditional import check_preconditions, has_current
from api.writes.idempotency import META_FIELD, idempotent, is_repeat
from authn.users import TokenUser
from database.compiled import Compiled

IN_TRASH = {"deleted_at": (Column("deleted_at"),)}
TIMES = {"created_at": (Column("created_at"),), "updated_at": (Column("updated_at"),)}


def row_action(act: Callable[[Any], Response]) -> Callable[..., Response]:
    """Make a method an extra action on one row: a POST without a body.

    The name of the method ends the path: ``/api/todos/{id}/complete/``. Doing it again must change
    nothing.
    """

    @action(detail=True, methods=["post"])
    @idempotent
    @wraps(act)
    def handle(view: OwnedViewSet, request: Request, pk: str) -> Response:
        NoFields.read(request.data)
        return act(view)

    return handle


class OwnedViewSet(KnownParametersOnly, GenericViewSet[Any]):
    """The rows of the user of the token: the whole contract of a resource.

    A subclass names ``model``, ``serializer_class``, ``filterset_class`` and ``orderings``.
    A row of another owner is 403 and a missing one 404, for every method and before any
    precondition or body.
    """

    model: type[OwnedModel]
    serializer_class: type[OwnedSerializer]
    filterset_class: type[OwnedFilters] = OwnedFilters
    orderings: Mapping[str, tuple[Column, ...]] = TIMES
    default_ordering = "-created_at"
    permission_classes = [IsOwner]
    filter_backends = [FilterBackend]
    pagination_class = CursorPagination
    schema = OwnedSchema()

    @property
    def user(self) -> TokenUser:
        return cast("TokenUser", self.request.user)

    def get_view_name(self) -> str:
        """Return ``Todo``, to which DRF adds ``List`` or ``Instance``."""
        return super().get_view_name().removesuffix(f" {self.suffix}")

    def check_target(self) -> None:
        # The first request with an Idempotency-Key may have changed or deleted the row.
        if self.detail and (self.request.method in SAFE_METHODS or not is_repeat(self.request)):
            self.row  # noqa: B018 - read before the body, so that 403, 404 and 412 come first

    @cached_property
    def row(self) -> Any:
        return self.get_object()

    def get_object(self) -> Any:
        """Load the row of the path. Raises also what its preconditions raise."""
        row_id = self._row_id()
        if self._shows_all():
            row = self.model.owned(self.user, row_id)
        else:
            row = self.get_queryset().filter(pk=row_id).first()
        if row is None:
            is_foreign = self.model.objects.another_user_has(row_id, self.user)
            raise PermissionDenied if is_foreign else Http404
        self.check_object_permissions(self.request, row)
        if self.action not in (None, "metadata"):  # 405, or OPTIONS
            try:
                check_preconditions(self.request, row.etag)
            except PreconditionFailed as failed:
                failed.current = self.serializer_class.shown(row)
                raise
        return row

    def known_parameters(self) -> Set[str]:
        match self.action:
            case "list":
                return CursorPagination.parameters | self.filterset_class.parameters()
            case "changes":
                return feed.PARAMETERS
            case "trash":
                return CursorPagination.parameters
            case "destroy":
                return {"permanent"}
        return frozenset()

    @property
    def repeatable_parameters(self) -> Set[str]:  # type: ignore[override]
        return self.filterset_class.repeatable_parameters()

    def get_queryset(self) -> OwnedQuerySet[Any]:
        rows = self.model.objects.as_shown()
        if self.action == "trash":
            return rows.in_trash_of(self.user)
        return rows.in_reach_of(self.user) if self._reaches_trash else rows.owned_by(self.user)

    def _shows_all(self) -> bool:
        """Tell whether a statement that is compiled once finds what ``get_queryset`` returns."""
        return type(self).get_queryset is OwnedViewSet.get_queryset and not self._reaches_trash

    @property
    def _reaches_trash(self) -> bool:
        """Tell whether the row of the path may be in the trash."""
        return "restore" in self.action_map.values() or self._is_permanent

    @property
    def _is_permanent(self) -> bool:
        return self.action == "destroy" and self.request.query_params.get("permanent") == "true"

    def get_parsers(self) -> list[BaseParser]:
        # drf-spectacular calls this before it sets a request.
        patch = self.request is not None and self.request.method == "PATCH"
        return [JSONParser(), MergePatchParser()] if patch else [JSONParser()]

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        rows = None
        if not (self._shows_all() and request.query_params.keys() <= UNFILTERED):
            rows = self.filter_queryset(self.get_queryset())
        page = self.paginate_queryset(partial(self._page, rows))  # type: ignore[arg-type]
        if not page:
            self._require_linked_rows()
        return self.get_paginated_response(page)

    def _require_linked_rows(self) -> None:
        """Refuse a filter by the id of a missing or foreign row, which no row can link to."""
        for name, field in self.filterset_class().fields.items():
            row_id = self.request.query_params.get(name, "none")
            if isinstance(field, LinkParameter) and row_id != "none":
                rows = field.target.objects.owned_by(self.user).filter(pk=row_id)
                if not rows.exists():
                    raise InvalidParameter((name, "not_found", missing(field.target)))

    def _page(
        self,
        rows: OwnedQuerySet[Any] | None,
        ordering: Ordering,
        cursor: Cursor | None,
        count: int,
    ) -> Sequence[Any]:
        """Read a page of ``rows``, or with ``None`` the first one of all rows of the user."""
        is_indexed = rows is None and ordering.columns == TIMES["created_at"]
        with nullcontext() if is_indexed else time_limit(settings.SEARCH_SECONDS):
            if rows is None:
                return self.model.first_owned(self.user, ordering, count)
            return Compiled(beginning_at(cursor, ordering, rows)[:count]).rows()

    @action(detail=False)
    def changes(self, request: Request) -> Response:
        if not self._shows_all():
            raise Http404  # a client would not hear of a row that leaves the narrower queryset
        return feed.changes_since(self.model, self.serializer_class, request)

    @idempotent
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        fields = self.serializer_class.read(request.data)
        if "id" in fields:
            sent = self.serializer_class.read(request.data, partial=True)
            row, is_new = create_once(self.model, self.user, fields, sent=sent)
            if not is_new:
                return self.answer(row)
        else:
            row = self.model.objects.create(owner_id=self.user.id, **fields)
        shown = self.serializer_class.shown(row)
        return Response(shown, status.HTTP_201_CREATED, headers=self.get_success_headers(shown))

    def get_success_headers(self, data: Any) -> dict[str, str]:
        # reverse() would take longer than the SQL.
        location = f"{root_of(self.request)}{path_of(self.request)}{data['id']}/"
        return {"Location": location, "ETag": data["etag"]}

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        response = self.answer(self.row)
        if has_current(request, response["ETag"]):
            return Response(status=status.HTTP_304_NOT_MODIFIED, headers={"ETag": response["ETag"]})
        return response

    @action(detail=False, methods=["post"])
    @idempotent
    def sync(self, request: Request) -> Response:
        if not self._shows_all():
            raise Http404  # a push would reach rows that the narrower queryset hides
        most = octets_for(request)
        kind = (self.model, self.serializer_class)
        return Response(push(*kind, self.user, request.data, max_octets=most))

    @idempotent
    def update(
        self, request: Request, *args: Any, partial: bool = False, **kwargs: Any
    ) -> Response:
        def change(row: OwnedModel) -> None:
            row.change(**self.serializer_class.read(request.data, row, partial=partial))

        return self.answer(self.write(change))

    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return self.update(request, *args, partial=True, **kwargs)

    @idempotent
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        if request.query_params.get("permanent", "true") != "true":
            raise InvalidParameter(("permanent", "invalid_choice", "Send true, or leave it out."))
        self.write(partial(self.model.remove, erased=self._is_permanent))
        return Response(status=status.HTTP_204_NO_CONTENT)

    @action(detail=False, filter_backends=[], orderings=IN_TRASH, default_ordering="-deleted_at")
    def trash(self, request: Request) -> Response:
        page = self.paginate_queryset(partial(self._page, self.get_queryset()))  # type: ignore[arg-type]
        return self.get_paginated_response(page)

    @row_action
    def restore(self) -> Response:
        return self.answer(self.write(self.model.restore))

    def write(self, change: Callable[[Any], None]) -> Any:
        """Make a change that is a compare-and-set on the row as it was loaded, and return it.

        If another request was quicker, lock the owner, check everything again and repeat the
        change: changes of different fields both survive, and a precondition may fail now.
        """
        row = self.row
        # In the transaction of a key, a change that finds a stale row would keep its owner locked.
        has_key = META_FIELD in self.request.META
        try:
            with transaction.atomic() if has_key else nullcontext():
                change(row)
        except StaleRow:
            with transaction.atomic():
                counting.lock(row.owner_id)
                row = self.get_object()
                change(row)
        return row

    def change(self, **values: Any) -> Response:
        return self.answer(self.write(lambda row: row.change(**values)))

    def answer(self, row: Any) -> Response:
        shown = self.serializer_class.shown(row)
        return Response(shown, headers={"ETag": shown["etag"]})

    def _row_id(self) -> UUID:
        # UUID() itself also takes braces, a URN and any hyphens: a row has one address.
        if not CANONICAL_UUID.fullmatch(self.kwargs["pk"]):
            raise Http404
        return UUID(self.kwargs["pk"])
