"""What a page of another origin may do with an answer."""

from __future__ import annotations

from typing import cast

from corsheaders.middleware import CorsMiddleware
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from api.middleware import Handler


def cors(get_response: Handler) -> Handler:
    """As django-cors-headers has it, which is asked about what may be from such a page only."""
    library = cast("Handler", CorsMiddleware(get_response))

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if "HTTP_ORIGIN" in request.META or request.method == "OPTIONS":
            return library(request)
        response = get_response(request)
        vary = response.get("Vary")
        response["Vary"] = f"{vary}, origin" if vary else "origin"
        return response

    return middleware
