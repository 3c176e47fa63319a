from __future__ import annotations

from collections.abc import Iterator, Sequence
from inspect import unwrap
from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.http import HttpRequest
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.permissions import AND, OR, BasePermission, IsAuthenticated
from rest_framework.views import APIView

from api.throttling.throttles import ThrottledAuthentication
from authn import JWTAuthentication
from authn.permissions import HasScope

DECISIONS = ("get_authenticators", "check_permissions", "perform_authentication")


def check_views(*, app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Refuse views that require no token, or no scope, or verify any number of refused tokens.

    A view may require no token if it has ``open_because = "…"``.
    """
    return [
        message
        for route, callback in iterate_routes(get_resolver())
        for message in (
            *([*_open(route, callback)] or _unscoped(route, callback)),
            *_unbounded(route, callback),
        )
    ]


def _open(route: str, callback: Any) -> Iterator[Error]:
    if reason_to_be_open(callback) or belongs_to_admin(callback):
        return
    hint = (
        "Leave authentication_classes and permission_classes at their defaults, or extend "
        "them. If the view is public, set open_because on it to the reason."
    )
    try:
        if asks_for_token(callback):
            return
    except Exception as error:  # noqa: BLE001 - get_permissions may want what only a real request has
        hint = (
            f"get_permissions() raised {type(error).__name__} for a request without headers. {hint}"
        )
    yield Error(f"{route} requires no token.", hint=hint, obj=callback, id="api.E001")


def _unscoped(route: str, callback: Any) -> Iterator[Error]:
    if not settings.OAUTH_RESOURCE or reason_to_be_open(callback) or belongs_to_admin(callback):
        return
    if not asks_for_token(callback, HasScope):
        yield Error(
            f"{route} admits every OAuth access token, whatever its scopes.",
            hint=(
                "Leave permission_classes at its default, or put "
                "api.permissions.HasScopeOfMethod or another HasScope into it."
            ),
            obj=callback,
            id="api.E019",
        )


def _unbounded(route: str, callback: Any) -> Iterator[Error]:
    classes = getattr(getattr(callback, "cls", None), "authentication_classes", ())
    classes = getattr(callback, "initkwargs", {}).get("authentication_classes", classes)
    authenticators = [each() for each in classes]
    if any(
        isinstance(each, JWTAuthentication) and not isinstance(each, ThrottledAuthentication)
        for each in authenticators
    ):
        yield Error(
            f"{route} verifies any number of refused tokens.",
            hint=(
                "Put api.throttling.throttles.ThrottledAuthentication into "
                "authentication_classes, in the place of JWTAuthentication."
            ),
            obj=callback,
            id="api.E018",
        )


def iterate_routes(resolver: URLResolver, prefix: str = "/") -> Iterator[tuple[str, Any]]:
    """Yield every route of the project as (path, view callable)."""
    for entry in resolver.url_patterns:
        route = f"{prefix}{entry.pattern}"
        if isinstance(entry, URLPattern):
            yield route, entry.callback
        else:
            yield from iterate_routes(entry, route)


def asks_for_token(callback: Any, permission_class: type[BasePermission] = IsAuthenticated) -> bool:
    """Tell whether a view admits only requests with a valid token that ``permission_class`` admits.

    A view that overrides one of ``DECISIONS`` counts as open: no check can read its code. Its
    permissions are those that ``get_permissions`` returns for each of its methods. Raises what
    that raises for a request without headers.
    """
    view_class = getattr(callback, "cls", None)
    if any(getattr(view_class, name, None) is not getattr(APIView, name) for name in DECISIONS):
        return False
    return all(_requires(permission_class, callback, each) for each in _methods(callback))


def reason_to_be_open(callback: Any) -> str:
    view = getattr(callback, "cls", None) or getattr(callback, "view_class", callback)
    return getattr(view, "open_because", "")


def belongs_to_admin(callback: Any) -> bool:
    """Tell whether a view is one of Django's admin, which has a login of its own.

    ``AdminSite.admin_view`` wraps each of them but the login. A method of a ``ModelAdmin`` that
    nothing wraps counts as open.
    """
    if not apps.is_installed("django.contrib.admin"):
        return False
    from django.contrib.admin import AdminSite, ModelAdmin

    if isinstance(getattr(callback, "admin_site", None), AdminSite):
        return True
    if isinstance(getattr(callback, "model_admin", None), ModelAdmin):
        return True
    method = unwrap(callback, stop=lambda each: hasattr(each, "__self__"))
    owner = getattr(method, "__self__", None)
    if method is callback:
        return isinstance(owner, AdminSite) and method.__name__ == "login"
    return isinstance(owner, ModelAdmin)


def _methods(callback: Any) -> list[str]:
    if actions := getattr(callback, "actions", None):  # of a viewset
        return [*actions, "options"]
    return [each for each in callback.cls.http_method_names if hasattr(callback.cls, each)]


def _requires(permission_class: type[BasePermission], callback: Any, method: str) -> bool:
    view = callback.cls(**callback.initkwargs)
    view.action_map = getattr(callback, "actions", None)
    request = HttpRequest()
    request.method = method.upper()
    view.setup(request)
    view.request = view.initialize_request(request)
    permissions = view.get_permissions()
    takes_token = any(isinstance(each, JWTAuthentication) for each in view.get_authenticators())
    return takes_token and any(_includes(permission_class, each) for each in permissions)


def _includes(permission_class: type[BasePermission], permission: Any) -> bool:
    """Tell whether a permission, which may be composed of others, is as strict as this class."""
    if isinstance(permission, AND | OR):
        enough = any if isinstance(permission, AND) else all
        return enough(_includes(permission_class, each) for each in vars(permission).values())
    return isinstance(permission, permission_class)
