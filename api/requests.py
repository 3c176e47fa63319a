from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import get_script_prefix
from rest_framework.request import Request

Handler = Callable[[HttpRequest], HttpResponseBase]  # of Django's middleware
# Facts about a request in its ``META``, which middleware, views and the log share.
REQUEST_ID = "HTTP_X_REQUEST_ID"  # of a trusted proxy, or else random
USAGE = "todos.usage"  # Usage: the last allowance that the request was counted in
PROBLEM_CODE = "todos.problem_code"  # of an error, also where a page shows the error
IS_PAGE = "todos.is_page"  # True for HTML of this project, which is no error page of Django


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
