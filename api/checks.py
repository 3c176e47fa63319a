from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.permissions import IsAuthenticated
from rest_framework.views import APIView

from authn import JWTAuthentication

DECISIONS = ("get_authenticators", "get_permissions", "check_permissions", "perform_authentication")


def check_views(*, app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Refuse a route that neither requires a token nor has ``open_because = "…"`` on its view."""
    return [
        Error(
            f"{route} requires no token.",
            hint=(
                "Leave authentication_classes and permission_classes at their defaults, or extend "
                "them. If the view is public, set open_because on it to the reason."
            ),
            obj=callback,
            id="api.E001",
        )
        for route, callback in iterate_routes(get_resolver())
        if not (asks_for_token(callback) or reason_to_be_open(callback))
    ]


def iterate_routes(resolver: URLResolver, prefix: str = "/") -> Iterator[tuple[str, Any]]:
    """Yield every route of the project as (path, view callable)."""
    for entry in resolver.url_patterns:
        route = f"{prefix}{entry.pattern}"
        if isinstance(entry, URLPattern):
            yield route, entry.callback
        else:
            yield from iterate_routes(entry, route)


def asks_for_token(callback: Any) -> bool:
    """Tell whether a view admits only requests with a valid token.

    A view that overrides one of ``DECISIONS`` counts as open: no check can read its code.
    """
    view = getattr(callback, "cls", None)
    return (
        all(getattr(view, name, None) is getattr(APIView, name) for name in DECISIONS)
        and _has(callback, "authentication_classes", JWTAuthentication)
        and _has(callback, "permission_classes", IsAuthenticated)
    )


def reason_to_be_open(callback: Any) -> str:
    view = getattr(callback, "cls", None) or getattr(callback, "view_class", callback)
    return getattr(view, "open_because", "")


def _has(callback: Any, attribute: str, wanted: type) -> bool:
    # Arguments of as_view() or @action come before the attributes of the class.
    classes = getattr(callback, "initkwargs", {}).get(
        attribute, getattr(getattr(callback, "cls", None), attribute, ())
    )
    return any(isinstance(entry, type) and issubclass(entry, wanted) for entry in classes)
