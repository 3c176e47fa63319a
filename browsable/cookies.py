"""The cookie in which a browser keeps the user's token."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.http import HttpResponse
from django.utils import timezone

NAME = "todos_token"
# A browser silently drops a cookie whose name and value are longer (RFC 6265bis section 5.7).
MAX_OCTETS = 4096


def fits(token: str) -> bool:
    return len(NAME) + len(token) <= MAX_OCTETS


def keep(response: HttpResponse, token: str, *, until: datetime) -> None:
    """Keep the token until it expires, out of reach of scripts and of other sites."""
    response.set_cookie(
        NAME,
        token,
        max_age=until - timezone.now(),
        path=settings.CSRF_COOKIE_PATH,
        httponly=True,
        samesite="Strict",
        secure=not settings.DEBUG,
    )


def forget(response: HttpResponse) -> None:
    response.delete_cookie(NAME, path=settings.CSRF_COOKIE_PATH, samesite="Strict")
