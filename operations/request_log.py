"""Log a line for every request: who asked for what, and the outcome.

Nothing that a client wrote is in it but the subject of a verified token: no path, query, header,
body or token.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from functools import cache

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from api.requests import PROBLEM_CODE, REQUEST_ID, Handler
from operations.health import PROBES

logger = logging.getLogger(__name__)

METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE"})


def request_log(
    get_response: Handler, *, clock: Callable[[], float] = time.perf_counter
) -> Handler:
    """Log each response, also a 500, at INFO, and that to a probe at DEBUG.

    Stands outside every middleware that answers or replaces a response, to log what the client
    gets. ``clock`` is in seconds.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        start = clock()
        response = get_response(request)
        fields = {
            "method": method_of(request),
            "route": route_of(request),
            "status": response.status_code,
            "code": request.META.get(PROBLEM_CODE),
            "duration_ms": round((clock() - start) * 1000, 1),
            # DRF sets an anonymous user before it verifies a token.
            "user_id": getattr(getattr(request, "user", None), "id", None),
            "request_id": request.META[REQUEST_ID],
        }
        level = logging.DEBUG if request.path_info in PROBES else logging.INFO
        logger.log(level, "Answered", extra={"fields": fields})
        return response

    return middleware


def method_of(request: HttpRequest) -> str:
    return request.method if request.method in METHODS else "other"


def route_of(request: HttpRequest) -> str | None:
    """Return ``/api/todos/{id}/``, or ``None`` where no route matched, as for a static file."""
    match = request.resolver_match
    return _template(match.route) if match else None


@cache
def _template(route: str) -> str:
    """Write a route of Django as OpenAPI does."""
    return "/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route).replace("{pk}", "{id}")
