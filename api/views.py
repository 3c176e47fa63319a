from __future__ import annotations

from functools import cache
from typing import Any, cast

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from api.bodies.renderers import JSONRenderer
from api.bodies.serializers import Fields
from api.lists.parameters import KnownParametersOnly
from api.owned.registry import resources
from api.permissions import READ, WRITE
from api.requests import root_of
from authn.claims import Claims
from authn.metadata import CROSS_ORIGIN, resource_metadata
from authn.users import TokenUser


class IndexView(KnownParametersOnly):
    authentication_classes = []
    permission_classes = [AllowAny]
    open_because = "The address of the API is no secret."
    schema = None

    def get(self, request: Request) -> HttpResponseBase:
        root = _address(request, "root")
        if request.accepted_renderer.format == "html":
            return HttpResponseRedirect(root)
        routes = ["schema", "docs"] if settings.BROWSABLE_API else ["schema"]
        return Response({"api": root, **{name: _address(request, name) for name in routes}})


class RootSerializer(serializers.Serializer[Any]):
    def get_fields(self) -> Fields:
        return {name: serializers.URLField() for name in _listed()}


class RootView(KnownParametersOnly):
    @extend_schema(
        operation_id="getRoot",
        summary="List the addresses of the API",
        tags=["root"],
        responses=RootSerializer,
    )
    def get(self, request: Request) -> Response:
        root = root_of(request)
        return Response({name: f"{root}{url}" for name, url in _listed().items()})


class MeSerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    email = serializers.CharField(allow_null=True)
    name = serializers.CharField(allow_null=True)
    token_expires_at = serializers.DateTimeField()


class MeView(KnownParametersOnly):
    """The user of the token. Costs no query."""

    @extend_schema(
        operation_id="getMe", summary="Get the user of the token", responses=MeSerializer
    )
    def get(self, request: Request) -> Response:
        user, claims = cast("TokenUser", request.user), cast("Claims", request.auth)
        me = {
            "id": user.id,
            "email": user.email,
            "name": user.name,
            "token_expires_at": claims.expires_at,
        }
        return Response(MeSerializer(me).data)


class SchemaView(KnownParametersOnly):
    """The OpenAPI document. ``/api/docs/`` is its page."""

    authentication_classes = []
    permission_classes = [AllowAny]
    open_because = "The OpenAPI document is no secret, because clients are generated from it."
    schema = None
    renderer_classes = [JSONRenderer]

    def get(self, request: Request) -> Response:
        return Response(openapi_document())


class ProtectedResourceView(KnownParametersOnly):
    """The metadata of this API for OAuth clients (RFC 9728)."""

    authentication_classes = []
    permission_classes = [AllowAny]
    open_because = "It tells clients without a token who issues one."
    schema = None
    renderer_classes = [JSONRenderer]

    def check_target(self) -> None:
        if resource_metadata(self.request.path_info, (READ, WRITE)) is None:
            raise Http404

    def get(self, request: Request, **kwargs: str) -> Response:
        metadata = resource_metadata(request.path_info, (READ, WRITE))
        return Response(metadata, headers=CROSS_ORIGIN)

    def options(self, request: HttpRequest | Request, *args: Any, **kwargs: Any) -> Response:
        return Response(status=status.HTTP_204_NO_CONTENT, headers=CROSS_ORIGIN)


@cache
def openapi_document() -> dict[str, Any]:
    document: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return document


def _listed() -> dict[str, str]:
    """Return the paths that the root lists, by their names."""
    own = {resource.plural: resource.url for resource in resources()}
    return {**own, **{name: reverse(name) for name in ("me", "schema")}}


def _address(request: Request, route: str) -> str:
    return f"{root_of(request)}{reverse(route)}"
