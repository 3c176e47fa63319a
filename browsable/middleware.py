from __future__ import annotations

import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from rest_framework.response import Response

from api.requests import IS_PAGE
from browsable.pages import mark_as_page, wants_page
from browsable.submissions import is_submission, replace_headers, translate

FILTERS = "_filters"  # the parameter that marks the filter form


class Pages:
    """Translate the forms of pages into requests of the API, and show Django's errors as pages.

    It decides nothing about users: ``browsable.authentication`` checks the cookie and the CSRF
    token.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self._get_response(request)
        if (
            response.status_code >= HTTPStatus.BAD_REQUEST
            and isinstance(response, HttpResponse)
            and not isinstance(response, Response)  # of DRF, which has chosen the media type
            and IS_PAGE not in request.META
            and wants_page(request)
        ):
            _show_problem(request, response)
        return response

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any
    ) -> HttpResponseBase | None:
        if not hasattr(view, "cls") or not wants_page(request):
            return None
        try:
            if request.method in ("GET", "HEAD"):
                # Etags name the JSON, so a page is never 304.
                replace_headers(request, HTTP_IF_NONE_MATCH="")
                if FILTERS in request.GET:
                    return _without_blanks(request)
            elif is_submission(request):
                translate(request, view)
        except SuspiciousOperation as error:
            return HttpResponse(status=413 if isinstance(error, RequestDataTooBig) else 400)
        return None


def _without_blanks(request: HttpRequest) -> HttpResponse:
    """Redirect to the parameters that were filled in: a browser sends its empty inputs, too."""
    query = request.GET.copy()
    del query[FILTERS]
    for name, values in [*query.lists()]:
        query.setlist(name, [value for value in values if value])
    text, path = query.urlencode(), quote(request.path)
    response = HttpResponseRedirect(f"{path}?{text}" if text else path)
    mark_as_page(request, response)
    return response


def _show_problem(request: HttpRequest, response: HttpResponse) -> None:
    """Show a problem document as a page. Its other header fields stay."""
    problem = json.loads(response.content)
    title = f"{problem['status']} {problem['title']}"
    context = {"title": title, "detail": problem["detail"], "hide_login": True}
    response.content = render_to_string("browsable/problem.html", context, request)
    del response["Content-Length"]  # of the JSON
    mark_as_page(request, response)
