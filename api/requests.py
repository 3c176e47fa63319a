from __future__ import annotations

from typing import cast

from django.conf import settings
from django.http import HttpRequest
from django.urls import get_script_prefix
from rest_framework.request import Request

from authn.users import TokenUser


def user_of(request: Request) -> TokenUser:
    """``request.user`` with its type: the framework's own hints know Django's users only.

    For views behind ``IsAuthenticated``, which is all of them.
    """
    return cast("TokenUser", request.user)


def root_of(request: HttpRequest | Request) -> str:
    """Return the origin that clients call, as ``https://todos.example.com``.

    ``PUBLIC_URL`` names it. Otherwise it is that of the request.
    """
    return settings.PUBLIC_ORIGIN or f"{request.scheme}://{request.get_host()}"


def path_of(request: HttpRequest | Request) -> str:
    """The path that clients call, with its trailing slash: ``/backend/api/todos/``.

    As ``reverse()`` has it, with the prefix of ``PUBLIC_URL`` that a proxy takes away.
    """
    return f"{get_script_prefix()[:-1]}{request.path_info}"


def route_of(path: str) -> str:
    """A path of ``reverse()`` as the routes and the OpenAPI document know it, without a prefix."""
    return path.removeprefix(get_script_prefix()[:-1])
