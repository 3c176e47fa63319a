from __future__ import annotations

from typing import Any

from django.core.checks import run_checks
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from pytest_django import Settings
from rest_framework.decorators import action
from rest_framework.permissions import AllowAny, BasePermission
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter
from rest_framework.views import APIView
from rest_framework.viewsets import ViewSet


class Guarded(APIView):
    pass


class WithoutAuthentication(APIView):
    authentication_classes = []


class WithoutPermission(APIView):
    permission_classes = [AllowAny]


class OpenWithReason(APIView):
    authentication_classes = []
    permission_classes = []
    open_because = "It says whether the process lives, and nothing else."


class DecidesByCode(APIView):
    def get_permissions(self) -> list[BasePermission]:
        return []


class GuardedSet(ViewSet):
    def list(self, request: Any) -> Response:
        return Response()

    @action(detail=False, permission_classes=[AllowAny])
    def leak(self, request: Any) -> Response:
        return Response()


def plain_view(request: HttpRequest) -> HttpResponse:
    return HttpResponse("secret")


router = SimpleRouter()
router.register("set", GuardedSet, basename="set")

urlpatterns = [
    path("guarded/", Guarded.as_view()),
    path("without-authentication/", WithoutAuthentication.as_view()),
    path("nested/", include([path("without-permission/", WithoutPermission.as_view())])),
    path("as-view/", Guarded.as_view(permission_classes=[])),
    path("by-code/", DecidesByCode.as_view()),
    path("plain/", plain_view),
    path("open/", OpenWithReason.as_view()),
    path("", include(router.urls)),
]


def test_a_view_that_requires_no_token_is_an_error(settings: Settings) -> None:
    settings.ROOT_URLCONF = __name__
    errors = [message for message in run_checks(databases=[]) if message.id == "api.E001"]
    assert [error.msg.split()[0] for error in errors] == [
        "/without-authentication/",
        "/nested/without-permission/",
        "/as-view/",
        "/by-code/",
        "/plain/",
        "/^set/leak/$",
    ]
    assert all("open_because" in str(error.hint) for error in errors)
