"""What a browser may do with an answer. What Django knows of itself is in the settings."""

from __future__ import annotations

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from api.requests import Handler

HEADERS = {
    # Of JSON, and of a file that somebody opens by itself. A page has a policy of its own.
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    # No other site may embed an answer. A page of an allowed origin that asks for one by fetch
    # is not concerned: that is for CORS to decide (https://fetch.spec.whatwg.org, section 3.7).
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": ", ".join(
        f"{feature}=()"
        for feature in ("camera", "display-capture", "geolocation", "microphone", "payment", "usb")
    ),
}


def security_headers(get_response: Handler) -> Handler:
    """Set each of ``HEADERS`` that an answer does not have."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    return middleware
