from __future__ import annotations

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import is_valid_path

from api.requests import Handler


def optional_slash(get_response: Handler) -> Handler:
    """Serve a path without its trailing slash like the path with one, without a redirect."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        with_slash = f"{request.path_info}/"
        if not request.path_info.endswith("/") and is_valid_path(with_slash):
            request.path_info = with_slash
        return get_response(request)

    return middleware
