"""A response of the API as a page: its JSON with links, and forms for the next request."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from rest_framework.renderers import BaseRenderer
from rest_framework.response import Response

from api.bodies.renderers import JSONRenderer
from api.requests import root_of
from browsable.authentication import CookieAuthentication
from browsable.pages import MEDIA_TYPE, mark_as_page
from browsable.submissions import submission_of

# Possessive quantifiers (++, *+) never backtrack.
JSON_TOKEN = re.compile(
    r'(?P<text>"(?:[^"\\]++|\\.)*+")(?P<key>(?=:))?'
    r"|(?P<word>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)"
)
MAX_COLOURED_CHARACTERS = 200_000


class PageRenderer(BaseRenderer):
    """Subclass of BaseRenderer for an ``Accept`` that prefers HTML."""

    media_type = MEDIA_TYPE
    format = "html"
    charset = "utf-8"

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> str:
        # Not above: both import rest_framework.views, which imports this module by its name.
        from api.errors.handler import title_of
        from browsable.resources import Resource

        given = renderer_context or {}
        view, drf_request, response = given["view"], given["request"], given["response"]
        request = drf_request._request  # noqa: SLF001 - templates and middleware have this one
        data = json.loads(JSONRenderer().render(data)) if data is not None else None
        resource = Resource(view, request, response, data)
        status = f"{response.status_code} {title_of(response.status_code)}"
        has_forms = isinstance(drf_request.successful_authenticator, CookieAuthentication)
        context = {
            "title": status if resource.problem else resource.title,
            "status": status,
            "user": drf_request.user,
            "claims": drf_request.auth,
            "next": resource.page_url,
            "headers": _headers(response, data),
            "body": "" if data is None else as_html(data, resource.links()),
            "curl": as_curl(request),
            "problem": resource.problem,
            "mistakes": resource.mistakes,
            "filters": resource.filters(),
            "resource": resource if has_forms else None,
            "pages": resource.pages,
        }
        html = render_to_string("browsable/answer.html", context, request)
        mark_as_page(request, response)
        if response.status_code == HTTPStatus.NO_CONTENT and submission_of(request) is not None:
            response.status_code = HTTPStatus.OK  # at 204 a browser stays on the page before
        return html


def _headers(response: Response, data: Any) -> list[tuple[str, str]]:
    """The header fields as a client that asks for JSON gets them."""
    headers = dict(response.items())
    if data is None:
        del headers["Content-Type"]
    elif not response.content_type:
        headers["Content-Type"] = JSONRenderer.media_type
    return sorted(headers.items())


def as_html(data: Any, links: Mapping[str, str]) -> SafeString:
    """``data`` as indented JSON, in colours unless it is long. Texts in ``links`` are links."""
    text = JSONRenderer().render(data, "application/json; indent=2").decode()
    if len(text) > MAX_COLOURED_CHARACTERS:
        return escape(text)
    parts, position = [], 0
    for match in JSON_TOKEN.finditer(text):
        parts += [escape(text[position : match.start()]), _marked(match, links)]
        position = match.end()
    return mark_safe("".join([*parts, escape(text[position:])]))  # noqa: S308 - all escaped


def _marked(match: re.Match[str], links: Mapping[str, str]) -> str:
    text = escape(match[0])
    if match["key"] is not None:
        return f'<span class="key">{text}</span>'
    if match["word"]:
        return f'<span class="word">{text}</span>'
    if target := links.get(json.loads(match[0])):
        return f'<a href="{escape(target)}">{text}</a>'
    return f'<span class="text">{text}</span>'


def as_curl(request: HttpRequest) -> str:
    """The request as a curl command, with its body if a form of a page sent it."""
    line = [f"curl -i {shlex.quote(root_of(request) + request.get_full_path())}"]
    line.append('-H "Authorization: Bearer $TOKEN"')
    if request.method not in ("GET", "HEAD"):
        line.insert(1, f"-X {request.method}")
        sent = [name for name in ("If-Match", "Idempotency-Key") if name in request.headers]
        line += [f"-H {shlex.quote(f'{name}: {request.headers[name]}')}" for name in sent]
    if submission_of(request) is not None and request.body:
        line.append("-H 'Content-Type: application/json'")
        line.append(f"--data-raw {shlex.quote(request.body.decode())}")
    return " \\\n  ".join(line)
