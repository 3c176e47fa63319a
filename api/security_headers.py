from __future__ import annotations

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from api.requests import Handler

# Django sends others itself, which config/settings.py sets.
HEADERS = {
    # JSON loads and embeds nothing. Each page sets a policy of its own.
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    # No other site may embed an answer. CORS decides about fetches of other origins, which this
    # field does not concern (https://fetch.spec.whatwg.org, section 3.7).
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": (
        "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"
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
