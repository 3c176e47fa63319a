from __future__ import annotations

from typing import cast

from django.http import HttpRequest
from rest_framework.request import Request

from authn.users import TokenUser


def user_of(request: Request) -> TokenUser:
    """``request.user`` with its type: the framework's own hints know Django's users only.

    For views behind ``IsAuthenticated``, which is all of them.
    """
    return cast("TokenUser", request.user)


def note_root(request: HttpRequest) -> None:
    """Raises ``DisallowedHost``."""
    request.root = f"{request.scheme}://{request.get_host()}"  # type: ignore[attr-defined]


def root_of(request: HttpRequest | Request) -> str:
    """``https://todos.example.com``, which the client has called: what is before a path."""
    return request.root  # type: ignore[union-attr, no-any-return]
