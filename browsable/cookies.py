"""Where a browser keeps the token of whoever is signed in."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

NAME = "todos_token"
# Of a name and its value together: what is longer, a browser drops without a word
# (RFC 6265bis section 5.7).
MAX_OCTETS = 4096


def fits(token: str) -> bool:
    return len(NAME) + len(token) <= MAX_OCTETS


def token_in(request: HttpRequest) -> str | None:
    return request.COOKIES.get(NAME)


def keep(response: HttpResponse, token: str, *, until: datetime) -> None:
    """No longer than the token is good for."""
    _write(response, token, max_age=until - timezone.now())


def forget(response: HttpResponse) -> None:
    _write(response, "", max_age=timedelta(0))


def _write(response: HttpResponse, value: str, *, max_age: timedelta) -> None:
    """Out of reach of scripts and of other sites."""
    response.set_cookie(
        NAME,
        value,
        max_age=max_age,
        path=settings.CSRF_COOKIE_PATH,
        httponly=True,
        samesite="Strict",
        secure=not settings.DEBUG,
    )
