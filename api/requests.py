from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import get_script_prefix
from rest_framework.request import Request

from authn.users import TokenUser

if TYPE_CHECKING:
    from api.throttling.throttles import Usage

Handler = Callable[[HttpRequest], HttpResponseBase]  # of Django's middleware
STATE = "todos.state"


@dataclass(slots=True)
class RequestState:
    """Facts about one request that middleware, views and the log share."""

    usage: Usage | None = None  # of the allowance that was counted last
    problem_code: str | None = None  # of an error, also where a page shows the error
    is_page: bool = False  # the answer is HTML of this project, not an error page of Django


def state_of(request: HttpRequest | Request) -> RequestState:
    """The state of a request, kept in its WSGI environ."""
    state: RequestState = request.META.setdefault(STATE, RequestState())
    return state


def user_of(request: Request) -> TokenUser:
    """``request.user`` of a view behind ``IsAuthenticated``, with its type."""
    return cast("TokenUser", request.user)


def root_of(request: HttpRequest | Request) -> str:
    """Return the origin that clients call, as ``https://todos.example.com``.

    ``PUBLIC_URL`` names it. Otherwise it is that of the request.
    """
    return settings.PUBLIC_ORIGIN or f"{request.scheme}://{request.get_host()}"


def path_of(request: HttpRequest | Request) -> str:
    """The path that clients call, with its trailing slash: ``/backend/api/todos/``.

    Like ``reverse()``, add the prefix of ``PUBLIC_URL`` that a proxy takes away.
    """
    return f"{get_script_prefix()[:-1]}{request.path_info}"


def route_of(path: str) -> str:
    """Take the prefix of ``PUBLIC_URL`` off a path of ``reverse()``, as OpenAPI has the path."""
    return path.removeprefix(get_script_prefix()[:-1])
