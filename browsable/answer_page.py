"""The answer of a view as a page, with what can be done next."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from api.errors.handler import title_of
from browsable.authentication import CookieAuthentication
from browsable.filtering import filters_of
from browsable.pages import signed_in
from browsable.resources import Resource
from browsable.submissions import JSON_MEDIA_TYPE
from browsable.transcripts import as_curl, as_html, own_addresses


def page_of(view: APIView, request: Request, response: Response, data: Any) -> str:
    http_request: HttpRequest = request._request  # noqa: SLF001 - what templates know
    context = _context(view, request, http_request, response, data)
    return render_to_string("browsable/answer.html", context, http_request)


def _context(
    view: APIView, request: Request, http_request: HttpRequest, response: Response, data: Any
) -> dict[str, Any]:
    resource = Resource(view, http_request, response, data)
    links = {**own_addresses(data, http_request), **resource.item_addresses()}
    offers_forms = isinstance(request.successful_authenticator, CookieAuthentication)
    status = f"{response.status_code} {title_of(response.status_code)}"
    return {
        "title": status if resource.problem else _title(view),
        "status": status,
        "signed_in": signed_in(request.user, request.auth) if request.auth else None,  # type: ignore[arg-type]
        "next": resource.page_url,
        "headers": _headers(response, data),
        "body": "" if data is None else as_html(data, links),
        "curl": as_curl(http_request),
        "problem": resource.problem,
        "mistakes": resource.mistakes,
        "filters": filters_of(view, http_request, resource.errors) if resource.is_open else [],
        "resource": resource if offers_forms else None,
        "pages": data if resource.is_list and not resource.problem else None,
    }


def _title(view: APIView) -> str:
    """The framework's name, without what it says of the one thing that a view shows."""
    return view.get_view_name().removesuffix(" Instance")


def _headers(response: Response, data: Any) -> list[tuple[str, str]]:
    """As any other client would get them."""
    headers = dict(response.items())
    if data is None:
        del headers["Content-Type"]
    elif not response.content_type:
        headers["Content-Type"] = JSON_MEDIA_TYPE
    return sorted(headers.items())
