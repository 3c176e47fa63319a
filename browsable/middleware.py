from __future__ import annotations

import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from rest_framework.response import Response

from api.requests import state_of
from browsable.filtering import is_filtering, without_blanks
from browsable.pages import mark_as_page, wants_page
from browsable.submissions import is_form, replace_headers, translate


class Pages:
    """Turns what the forms of a page send into what any client would send, and an error that
    no view has answered into a page.

    Nothing is decided here: who is asking, and whether the form is from a page of this API,
    ``browsable.authentication`` tells.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self._get_response(request)
        if (
            isinstance(response, HttpResponse)
            and _is_of_no_view(request, response)
            and wants_page(request)
        ):
            _show_problem(request, response)
        return response

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any
    ) -> HttpResponseBase | None:
        if not hasattr(view, "cls") or not wants_page(request):
            return None
        if request.method in ("GET", "HEAD"):
            # It is of the JSON: a page has no validator, so it is never the one that is known.
            replace_headers(request, HTTP_IF_NONE_MATCH="")
        try:
            if is_filtering(request):
                return _filtered(request)
            if is_form(request):
                translate(request, view)
        except SuspiciousOperation as error:
            return HttpResponse(status=413 if isinstance(error, RequestDataTooBig) else 400)
        return None


def _filtered(request: HttpRequest) -> HttpResponse:
    response = HttpResponseRedirect(without_blanks(request))
    mark_as_page(request, response)
    return response


def _is_of_no_view(request: HttpRequest, response: HttpResponse) -> bool:
    is_answer = isinstance(response, Response) or state_of(request).is_page
    return response.status_code >= HTTPStatus.BAD_REQUEST and not is_answer


def _show_problem(request: HttpRequest, response: HttpResponse) -> None:
    """Show a problem document as a page. Its other header fields stay."""
    problem = json.loads(response.content)
    title = f"{problem['status']} {problem['title']}"
    context = {"title": title, "detail": problem["detail"], "hide_login": True}
    response.content = render_to_string("browsable/problem.html", context, request)
    del response["Content-Length"]  # of what was there before; it is counted anew
    mark_as_page(request, response)
