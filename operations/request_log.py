"""A line in the log for every request: who asked what, and what came of it.

Nothing that a client wrote is in it but the subject of a token that was verified: no path, no
query, no header, no body, no token.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from functools import cache
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from api.requests import Handler, state_of
from operations.health import PROBES

logger = logging.getLogger(__name__)

METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE"})


def request_log(
    get_response: Handler, *, clock: Callable[[], float] = time.perf_counter
) -> Handler:
    """Write the line of a request that was answered, also with a 500: INFO, and DEBUG for a
    probe. ``clock`` is in seconds.

    Stands outside of all that answers or turns an answer into another, so that it tells what
    the client gets.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        level = logging.DEBUG if request.path_info in PROBES else logging.INFO
        start = clock()
        response = get_response(request)
        if logger.isEnabledFor(level):
            fields = _fields(request, response, seconds=clock() - start)
            # What logger.log() does, without looking for who has called it.
            record = logger.makeRecord(logger.name, level, "", 0, "Answered", (), None)
            record.fields = fields
            logger.handle(record)
        return response

    return middleware


def _fields(request: HttpRequest, response: HttpResponseBase, *, seconds: float) -> dict[str, Any]:
    return {
        "method": method_of(request),
        "route": route_of(request),
        "status": response.status_code,
        "code": state_of(request).problem_code,
        "duration_ms": round(seconds * 1000, 1),
        # The framework sets it to nobody before a token is verified, and if it is refused.
        "user_id": getattr(getattr(request, "user", None), "id", None),
        "request_id": request.META["HTTP_X_REQUEST_ID"],
    }


def method_of(request: HttpRequest) -> str:
    return request.method if request.method in METHODS else "other"


def route_of(request: HttpRequest) -> str | None:
    """``/api/todos/{id}/``; ``None`` where no route matched, as for a static file."""
    match = request.resolver_match
    return _template(match.route) if match else None


@cache
def _template(route: str) -> str:
    """As ``openapi.json`` has it. There are as many as there are routes."""
    return "/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route).replace("{pk}", "{id}")
