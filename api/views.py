"""What every client needs before it has a todo: where things are, and who it is."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any, cast

from django.conf import settings
from django.http import HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from api.bodies.renderers import JSONRenderer
from api.lists.parameters import KnownParametersOnly
from api.requests import root_of, user_of
from authn.claims import Claims


class IndexView(KnownParametersOnly):
    """Where somebody starts who knows nothing but the host."""

    authentication_classes = []
    permission_classes = [AllowAny]
    open_because = "It says where the API is, which is no secret."
    schema = None  # the API begins below it

    def get(self, request: Request) -> HttpResponseBase:
        root = _address(request, "root")
        if request.accepted_renderer.format == "html":
            return HttpResponseRedirect(root)
        routes = ["schema", "docs"] if settings.BROWSABLE_API else ["schema"]
        return Response({"api": root, **{name: _address(request, name) for name in routes}})


class RootSerializer(serializers.Serializer[Any]):
    todos = serializers.URLField()
    me = serializers.URLField()
    schema = serializers.URLField()


class RootView(KnownParametersOnly):
    """Where things are."""

    @extend_schema(
        operation_id="getRoot", summary="Where things are", tags=["root"], responses=RootSerializer
    )
    def get(self, request: Request) -> Response:
        routes = {"todos": "todo-list", "me": "me", "schema": "schema"}
        return Response({name: _address(request, route) for name, route in routes.items()})


class MeSerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    email = serializers.CharField(allow_null=True)
    name = serializers.CharField(allow_null=True)
    token_expires_at = serializers.DateTimeField()


class MeView(KnownParametersOnly):
    """Who the token says is asking. Answers from the token alone, without a query."""

    @extend_schema(operation_id="getMe", summary="Whose token this is", responses=MeSerializer)
    def get(self, request: Request) -> Response:
        user, claims = user_of(request), cast("Claims", request.auth)
        return Response(
            {
                "id": user.id,
                "email": user.email,
                "name": user.name,
                "token_expires_at": _rfc3339(claims.expires_at),
            }
        )


class SchemaView(KnownParametersOnly):
    """The OpenAPI document of this API."""

    authentication_classes = []
    permission_classes = [AllowAny]
    open_because = "What the API is like is no secret, and clients are made from it."
    schema = None  # it is not about itself
    renderer_classes = [JSONRenderer]  # a page of it would be large, and docs/ is one

    def get(self, request: Request) -> Response:
        return Response(openapi_document())


@cache
def openapi_document() -> dict[str, Any]:
    document: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return document


def _address(request: Request, route: str) -> str:
    return f"{root_of(request)}{reverse(route)}"


def _rfc3339(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
