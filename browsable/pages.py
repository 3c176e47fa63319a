"""Responses that are pages, with the header fields that every page has."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views import View

from api.requests import IS_PAGE

MEDIA_TYPE = "text/html"
NO_SCRIPT = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
OWN_SCRIPT = f"{NO_SCRIPT}; script-src 'self'; connect-src 'self'"


def page(
    request: HttpRequest,
    template: str,
    context: dict[str, Any],
    *,
    status: int = 200,
    policy: str = NO_SCRIPT,
) -> HttpResponse:
    response = render(request, template, context, status=status)
    mark_as_page(request, response, policy)
    return response


def mark_as_page(request: HttpRequest, response: HttpResponse, policy: str = NO_SCRIPT) -> None:
    """Set the header fields of a page, and keep other middleware from replacing an error page."""
    request.META[IS_PAGE] = True
    response["Content-Type"] = f"{MEDIA_TYPE}; charset=utf-8"
    response["Content-Security-Policy"] = policy
    del response["ETag"]  # it names the JSON
    patch_vary_headers(response, ["Cookie"])


def wants_page(request: HttpRequest) -> bool:
    """Tell a browser by its ``Accept``. Other clients send ``*/*``, which prefers JSON."""
    return request.get_preferred_type(["application/json", MEDIA_TYPE]) == MEDIA_TYPE


class DocsView(View):
    """Swagger UI, with all its files from this host."""

    open_because = "The API reference is public. A request tried out there sends its own token."
    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest) -> HttpResponse:
        return page(request, "browsable/docs.html", {}, policy=OWN_SCRIPT)
