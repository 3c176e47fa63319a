"""Count for an operator's Prometheus: requests, refusals, throttling and the age of the keys.

Every worker counts in files that all workers share, so that each can answer for all
(https://prometheus.github.io/client_python/multiprocess/).
"""

from __future__ import annotations

import logging
import os
import time
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

from api.requests import PROBLEM_CODE, USAGE, Handler
from api.throttling.throttles import SCOPES, Usage, require_refusals_left
from authn.authentication import bearer_token
from authn.conf import AuthnConfig, get_verifier
from operations.health import ProbeView
from operations.request_log import method_of, route_of

FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # prometheus_client reads it, and make serve sets it
# Enough for the histogram: 18 numbers for each of about 90 methods of routes.
FILE_OCTETS = 1024 * 1024

logger = logging.getLogger(__name__)


class Metrics:
    """Use no text of a client as a label."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self._requests = Counter(
            "todos_http_requests",
            "Requests answered. `code` says why one was refused.",
            ["method", "route", "status", "code"],
            registry=registry,
        )
        self._seconds = Histogram(
            "todos_http_request_duration_seconds",
            "Seconds from the start of a thread's work to the answer.",
            ["method", "route"],
            registry=registry,
        )
        self._throttled = Counter(
            "todos_throttled_requests",
            "Requests beyond the allowance of `scope`.",
            ["scope"],
            registry=registry,
        )
        self._keys_fetched_at = Gauge(
            "todos_key_set_fetched_timestamp_seconds",
            "Time of the newest key set of any worker, 0 without one.",
            registry=registry,
            multiprocess_mode="max",
        )
        for scope in SCOPES:
            self._throttled.labels(scope)  # counts from 0, not from absent
        # Open the file of the histogram before the folder can be removed.
        self._seconds.labels("GET", "/healthz")

    def record(self, request: HttpRequest, response: HttpResponseBase, seconds: float) -> None:
        method, route = method_of(request), route_of(request) or ""
        code = request.META.get(PROBLEM_CODE, "")
        self._requests.labels(method, route, str(response.status_code), code).inc()
        self._seconds.labels(method, route).observe(seconds)
        usage: Usage | None = request.META.get(USAGE)
        if usage and usage.exceeded:
            self._throttled.labels(usage.scope).inc()
        age_seconds = get_verifier().key_set_age_seconds()
        if age_seconds is not None:
            self._keys_fetched_at.set(time.time() - age_seconds)


@cache
def get_metrics() -> Metrics:
    return Metrics()


def count_answers(get_response: Handler) -> Handler:
    """Count every response if ``METRICS_TOKEN`` is set.

    Stands beside ``operations.request_log``, for the same reason.
    """
    if not settings.METRICS_TOKEN:
        raise MiddlewareNotUsed
    try:
        reserve_files()
        metrics = get_metrics()
    except OSError as error:
        logger.error("Nothing is counted: %s", error)  # noqa: TRY400
        raise MiddlewareNotUsed from None

    def middleware(request: HttpRequest) -> HttpResponseBase:
        start = time.perf_counter()
        response = get_response(request)
        metrics.record(request, response, time.perf_counter() - start)
        return response

    return middleware


def may_scrape(request: HttpRequest | Request) -> bool:
    """Tell if the request has ``METRICS_TOKEN``, which is the token of no user."""
    token, expected = bearer_token(request) or "", settings.METRICS_TOKEN
    known = compare_digest(token.encode(errors="replace"), expected.encode())
    return bool(expected) and known


class MetricsView(ProbeView):
    """Show the metrics to requests with ``METRICS_TOKEN``. Without that setting answer 404."""

    def get_authenticate_header(self, request: Request) -> str:
        return f'Bearer realm="{AuthnConfig().realm}"'

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:  # noqa: FBT001, FBT002 - DRF's
        return super().perform_content_negotiation(request, force=True)  # there is one type

    def check_target(self) -> None:
        if not settings.METRICS_TOKEN:
            raise Http404
        if not may_scrape(self.request):
            if bearer_token(self.request):
                require_refusals_left(self.request)
            raise NotAuthenticated

    def get(self, request: Request) -> HttpResponse:
        if FOLDER in os.environ:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        else:
            registry = get_metrics().registry
        return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_PLAIN_0_0_4)


def reserve_files() -> None:
    """Reserve the disk space that this process counts in.

    The files are mapped into memory: to use space that a full disk lacks would kill the process.
    """
    if FOLDER not in os.environ:
        return
    for kind in ("counter", "histogram", "gauge_max"):
        with Path(os.environ[FOLDER], f"{kind}_{os.getpid()}.db").open("ab") as file:
            os.posix_fallocate(file.fileno(), 0, FILE_OCTETS)
