"""A system check: no view without a decision about who may use it."""

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


def check_views(
    *,
    app_configs: Sequence[AppConfig] | None,
    **kwargs: Any,
) -> list[CheckMessage]:
    """A route must ask for a token, or say why not: ``open_because = "…"`` on its view."""
    return [
        Error(
            f"{route} asks nobody for a token.",
            hint=(
                "Leave authentication_classes and permission_classes at their defaults or extend "
                "them, or set open_because on the view to the reason why anybody may use it."
            ),
            obj=callback,
            id="api.E001",
        )
        for route, callback in iterate_routes(get_resolver())
        if not (asks_for_token(callback) or reason_to_be_open(callback))
    ]


def iterate_routes(resolver: URLResolver, prefix: str = "/") -> Iterator[tuple[str, Any]]:
    """Every route of the project as (path, view callable)."""
    for entry in resolver.url_patterns:
        route = f"{prefix}{entry.pattern}"
        if isinstance(entry, URLPattern):
            yield route, entry.callback
        else:
            yield from iterate_routes(entry, route)


def asks_for_token(callback: Any) -> bool:
    """Whether this view authenticates and lets nobody in who has no token.

    A view that decides by code cannot be checked, and so does not count as asking.
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
    # What as_view() or an @action was given comes before what the class says.
    classes = getattr(callback, "initkwargs", {}).get(
        attribute, getattr(getattr(callback, "cls", None), attribute, ())
    )
    return any(isinstance(entry, type) and issubclass(entry, wanted) for entry in classes)
