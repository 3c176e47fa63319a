from __future__ import annotations

from typing import Any

from django.core.checks import run_checks
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from pytest_django import Settings
from rest_framework.decorators import action
from rest_framework.permissions import AllowAny, BasePermission, IsAuthenticated
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter
from rest_framework.views import APIView
from rest_framework.viewsets import ViewSet

from api.permissions import HasScopeOfMethod
from authn import JWTAuthentication
from authn.permissions import HasScope


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


class IsWednesday(BasePermission):
    pass


class Both(APIView):
    permission_classes = [IsWednesday & (IsAuthenticated & IsWednesday)]


class EitherOfUsers(APIView):
    permission_classes = [IsAuthenticated | (IsWednesday & IsAuthenticated)]


class Either(APIView):
    permission_classes = [IsAuthenticated | IsWednesday]


class EitherInBoth(APIView):
    permission_classes = [(IsAuthenticated | IsWednesday) & IsWednesday]


class Stranger(APIView):
    permission_classes = [~IsAuthenticated]


class WithOtherScope(APIView):
    permission_classes = [IsAuthenticated & HasScope.of("todos:export")]


class EitherScope(APIView):
    permission_classes = [HasScopeOfMethod | IsAuthenticated]


class ByCode(APIView):
    def get_permissions(self) -> Any:
        return [IsWednesday(), *super().get_permissions()]


class OpenByCode(APIView):
    def get_permissions(self) -> Any:
        return []


class OpenByMethod(APIView):
    def get(self, request: Any) -> Response:
        return Response()

    def post(self, request: Any) -> Response:
        return Response()

    def get_permissions(self) -> Any:
        return [] if self.request.method == "GET" else super().get_permissions()


class ByAddress(APIView):
    def get_permissions(self) -> Any:
        return [IsAuthenticated()] if self.request.META["REMOTE_ADDR"] else []


class Unbounded(APIView):
    authentication_classes = [JWTAuthentication]


class WithOwnAuthenticators(APIView):
    def get_authenticators(self) -> Any:
        return super().get_authenticators()


class GuardedSet(ViewSet):
    def list(self, request: Any) -> Response:
        return Response()

    @action(detail=False, permission_classes=[AllowAny])
    def leak(self, request: Any) -> Response:
        return Response()


class SetByCode(ViewSet):
    def list(self, request: Any) -> Response:
        return Response()

    def create(self, request: Any) -> Response:
        return Response()

    def get_permissions(self) -> Any:
        return [IsWednesday() if self.action in self.open_actions else IsAuthenticated()]

    open_actions: tuple[str, ...] = ()


class OpenSetByCode(SetByCode):
    open_actions = ("create",)


def plain_view(request: HttpRequest) -> HttpResponse:
    return HttpResponse("secret")


def named_like_the_admin(request: HttpRequest) -> HttpResponse:
    return HttpResponse("secret")


named_like_the_admin.admin_site = named_like_the_admin.model_admin = True  # type: ignore[attr-defined]


router = SimpleRouter()
router.register("set", GuardedSet, basename="set")
router.register("set-by-code", SetByCode, basename="set-by-code")
router.register("open-set-by-code", OpenSetByCode, basename="open-set-by-code")

urlpatterns = [
    path("guarded/", Guarded.as_view()),
    path("without-authentication/", WithoutAuthentication.as_view()),
    path("nested/", include([path("without-permission/", WithoutPermission.as_view())])),
    path("as-view/", Guarded.as_view(permission_classes=[])),
    path("both/", Both.as_view()),
    path("either-of-users/", EitherOfUsers.as_view()),
    path("either/", Either.as_view()),
    path("either-in-both/", EitherInBoth.as_view()),
    path("stranger/", Stranger.as_view()),
    path("with-other-scope/", WithOtherScope.as_view()),
    path("either-scope/", EitherScope.as_view()),
    path("by-code/", ByCode.as_view()),
    path("open-by-code/", OpenByCode.as_view()),
    path("open-by-method/", OpenByMethod.as_view()),
    path("by-address/", ByAddress.as_view()),
    path("own-authenticators/", WithOwnAuthenticators.as_view()),
    path("unbounded/", Unbounded.as_view()),
    path("as-unbounded-view/", Guarded.as_view(authentication_classes=[JWTAuthentication])),
    path("plain/", plain_view),
    path("named-like-the-admin/", named_like_the_admin),
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
        "/either/",
        "/either-in-both/",
        "/stranger/",
        "/open-by-code/",
        "/open-by-method/",
        "/by-address/",
        "/own-authenticators/",
        "/plain/",
        "/named-like-the-admin/",
        "/^set/leak/$",
        "/^open-set-by-code/$",
    ]
    assert all("open_because" in str(error.hint) for error in errors)
    (raised,) = (error for error in errors if "KeyError" in str(error.hint))
    assert raised.msg.startswith("/by-address/")


def test_a_view_that_verifies_any_number_of_refused_tokens_is_an_error(settings: Settings) -> None:
    settings.ROOT_URLCONF = __name__
    errors = [message for message in run_checks(databases=[]) if message.id == "api.E018"]
    assert [error.msg.split()[0] for error in errors] == ["/unbounded/", "/as-unbounded-view/"]
    assert all("ThrottledAuthentication" in str(error.hint) for error in errors)


def test_a_view_that_admits_every_scope_is_an_error(settings: Settings) -> None:
    settings.ROOT_URLCONF = __name__
    assert "api.E019" not in {message.id for message in run_checks(databases=[])}
    settings.OAUTH_RESOURCE = "https://todos.example.com"
    errors = [message for message in run_checks(databases=[]) if message.id == "api.E019"]
    assert [error.msg.split()[0] for error in errors] == [
        "/both/",
        "/either-of-users/",
        "/either-scope/",
        "/^set-by-code/$",
    ]
    assert all("HasScopeOfMethod" in str(error.hint) for error in errors)
