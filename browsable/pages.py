"""What every page has, whoever made it: who is signed in, and what a browser may do with it."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from rest_framework.request import Request

from api.requests import state_of
from authn.claims import Claims
from authn.explanations import duration
from authn.users import TokenUser

MEDIA_TYPE = "text/html"
NO_SCRIPT = {
    "default-src": "'none'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
OWN_SCRIPT = {**NO_SCRIPT, "script-src": "'self'", "connect-src": "'self'"}


def page(
    request: HttpRequest,
    template: str,
    context: dict[str, Any],
    *,
    status: int = 200,
    policy: dict[str, str] = NO_SCRIPT,
) -> HttpResponse:
    response = HttpResponse(render_to_string(template, context, request), status=status)
    mark_as_page(request, response, policy)
    return response


def mark_as_page(
    request: HttpRequest | Request, response: HttpResponse, policy: dict[str, str] = NO_SCRIPT
) -> None:
    """Say in the header fields what a page may do, and what it depends on."""
    state_of(request).is_page = True
    response["Content-Type"] = f"{MEDIA_TYPE}; charset=utf-8"
    response["Content-Security-Policy"] = "; ".join(
        f"{name} {value}" for name, value in policy.items()
    )
    del response["ETag"]  # that of the JSON
    patch_vary_headers(response, ("Cookie",))


def wants_page(request: HttpRequest) -> bool:
    """Whether a browser is asking: ``*/*`` alone is what other clients send."""
    return request.get_preferred_type(["application/json", MEDIA_TYPE]) == MEDIA_TYPE


def signed_in(user: TokenUser, claims: Claims) -> dict[str, Any]:
    """For a template: who is signed in, and how long yet."""
    seconds = (claims.expires_at - timezone.now()).total_seconds()
    return {"user": user, "until": claims.expires_at, "time_left": duration(max(0, seconds))}
