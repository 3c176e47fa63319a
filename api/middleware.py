"""What holds for every answer, whoever made it: this project, the framework or Django."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import is_valid_path
from django.utils.cache import patch_cache_control, patch_vary_headers

from api.problems import PROBLEM_MEDIA_TYPE, problem_response

Handler = Callable[[HttpRequest], HttpResponseBase]


def request_id(get_response: Handler) -> Handler:
    """Give every request an id, which its answer carries as ``X-Request-Id``."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        request.id = uuid.uuid4()  # type: ignore[attr-defined]
        response = get_response(request)
        response["X-Request-Id"] = str(request.id)  # type: ignore[attr-defined]
        return response

    return middleware


def problem_documents(get_response: Handler) -> Handler:
    """Turn an error that Django answered itself into a problem document (RFC 9457).

    That is an unknown path, a bad Host header, a refused CSRF token, a crash: with DEBUG
    on too, where Django would answer with a page that a client cannot read. The traceback
    is in the log.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if response.status_code >= 400 and not _is_problem(response):
            response = problem_response(request, response.status_code)
        patch_vary_headers(response, ("Accept", "Authorization"))
        patch_cache_control(response, private=True, no_cache=True)
        return response

    return middleware


def _is_problem(response: HttpResponseBase) -> bool:
    return response.get("Content-Type", "") == PROBLEM_MEDIA_TYPE


def optional_slash(get_response: Handler) -> Handler:
    """Serve a path without its trailing slash as if it had one, without a redirect."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        with_slash = f"{request.path_info}/"
        if not request.path_info.endswith("/") and is_valid_path(with_slash):
            request.path_info = with_slash
        return get_response(request)

    return middleware
