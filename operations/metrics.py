"""What an operator's Prometheus reads: what was asked, refused and throttled, and the keys' age.

Every worker writes its numbers into files that all of them share, so that whichever is asked
answers for all (https://prometheus.github.io/client_python/multiprocess/).
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from functools import cache
from hmac import compare_digest
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.multiprocess import MultiProcessCollector
from rest_framework.exceptions import NotAuthenticated
from rest_framework.request import Request

from api.requests import Handler, state_of
from api.throttling.throttles import SCOPES
from authn.authentication import REALM, bearer_token
from authn.conf import get_verifier
from operations.health import ProbeView
from operations.request_log import method_of, route_of

# The library's own variable, which ``make serve`` sets.
FOLDER = "PROMETHEUS_MULTIPROC_DIR"
# There are about 90 methods of routes, of which each has 18 numbers in the histogram.
FILE_OCTETS = 1024 * 1024

logger = logging.getLogger(__name__)


class Metrics:
    """Nothing of a client's choice is a label: each has as many values as this project has."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            "todos_http_requests",
            "Requests answered; `code` is why one was refused.",
            ["method", "route", "status", "code"],
            registry=registry,
        )
        self._seconds = Histogram(
            "todos_http_request_duration_seconds",
            "From when a thread has the request to its answer.",
            ["method", "route"],
            registry=registry,
        )
        self._throttled = Counter(
            "todos_throttled_requests",
            "Requests beyond an allowance, which `scope` says.",
            ["scope"],
            registry=registry,
        )
        self._keys_fetched_at = Gauge(
            "todos_key_set_fetched_timestamp_seconds",
            "When the newest key set of any worker was fetched; 0 where there is none.",
            registry=registry,
            multiprocess_mode="max",
        )
        for scope in SCOPES:
            self._throttled.labels(scope)  # zero, not absent, before it happens
        # A kind of metric opens its file for the first value that it has. This is that value
        # here: by the time of a request, somebody may have removed the folder.
        self._seconds.labels("GET", "/healthz")

    def record(self, request: HttpRequest, response: HttpResponseBase, seconds: float) -> None:
        method, route = method_of(request), route_of(request) or ""
        code = state_of(request).problem_code or ""
        self._requests.labels(method, route, str(response.status_code), code).inc()
        self._seconds.labels(method, route).observe(seconds)
        usage = state_of(request).usage
        if usage and usage.exceeded:
            self._throttled.labels(usage.scope).inc()
        age_seconds = get_verifier().key_set_age_seconds()
        if age_seconds is not None:
            self._keys_fetched_at.set(time.time() - age_seconds)


@cache
def get_registry() -> CollectorRegistry:
    return CollectorRegistry()


@cache
def get_metrics() -> Metrics:
    return Metrics(get_registry())


def count_answers(
    get_response: Handler, *, clock: Callable[[], float] = time.perf_counter
) -> Handler:
    """Count every answer, where there is a ``METRICS_TOKEN``. ``clock`` is in seconds.

    Stands where ``operations.request_log`` does, and for the same reason.
    """
    if not settings.METRICS_TOKEN:
        raise MiddlewareNotUsed
    try:
        reserve_files()
        metrics = get_metrics()  # while there is one thread
    except OSError as error:
        logger.error("Nothing is counted: %s", error)  # noqa: TRY400 - it says enough
        raise MiddlewareNotUsed from None

    def middleware(request: HttpRequest) -> HttpResponseBase:
        start = clock()
        response = get_response(request)
        metrics.record(request, response, clock() - start)
        return response

    return middleware


def may_scrape(request: HttpRequest | Request) -> bool:
    """Tell if the request has ``METRICS_TOKEN``, which is the token of no user."""
    token, expected = bearer_token(request) or "", settings.METRICS_TOKEN
    known = compare_digest(token.encode(errors="replace"), expected.encode())
    return bool(expected) and known


class MetricsView(ProbeView):
    """All of it, for whoever has ``METRICS_TOKEN``. Where that is not set there is nothing."""

    def get_authenticate_header(self, request: Request) -> str:
        return f'Bearer realm="{REALM}"'

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:  # noqa: FBT001, FBT002 - the framework's
        return super().perform_content_negotiation(request, force=True)  # there is one type

    def check_target(self) -> None:
        if not settings.METRICS_TOKEN:
            raise Http404
        if not may_scrape(self.request):
            raise NotAuthenticated

    def get(self, request: Request) -> HttpResponse:
        return HttpResponse(exposition(), content_type=CONTENT_TYPE_PLAIN_0_0_4)


def exposition() -> bytes:
    """Everything that was counted, in the text format of Prometheus."""
    if FOLDER not in os.environ:
        return generate_latest(get_registry())
    everybodys = CollectorRegistry()
    MultiProcessCollector(everybodys)  # type: ignore[no-untyped-call]
    return generate_latest(everybodys)


def reserve_files() -> None:
    """Make the files of this process, as large as they will ever be.

    They are mapped into memory: one that had to grow on a full disk would kill the process.
    """
    if FOLDER not in os.environ:
        return
    for kind in ("counter", "histogram", "gauge_max"):
        with Path(os.environ[FOLDER], f"{kind}_{os.getpid()}.db").open("ab") as file:
            os.posix_fallocate(file.fileno(), 0, FILE_OCTETS)
