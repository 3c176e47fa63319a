"""What an operator's Prometheus reads: what was asked, refused and throttled, and the keys' age.

Every worker writes its numbers into files that all of them share, so that whichever is asked
answers for all (https://prometheus.github.io/client_python/multiprocess/).
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from functools import cache
from hmac import compare_digest

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.multiprocess import MultiProcessCollector
from rest_framework.exceptions import NotAuthenticated
from rest_framework.request import Request

from api.health import ProbeView
from api.middleware import Handler
from api.problems import code_of
from api.request_log import method_of, route_of
from api.throttling import usage_of
from authn.authentication import REALM, bearer_token
from authn.conf import get_verifier

# The library's own variable, which ``make serve`` sets.
FOLDER = "PROMETHEUS_MULTIPROC_DIR"


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
            "From a whole request to its answer.",
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

    def record(self, request: HttpRequest, response: HttpResponseBase, seconds: float) -> None:
        method, route = method_of(request), route_of(request) or ""
        code = code_of(response) or ""
        self._requests.labels(method, route, str(response.status_code), code).inc()
        self._seconds.labels(method, route).observe(seconds)
        usage = usage_of(request)
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


def metrics(get_response: Handler, *, clock: Callable[[], float] = time.perf_counter) -> Handler:
    """Count every answer, where there is a ``METRICS_TOKEN``. ``clock`` is in seconds.

    Stands where ``api.request_log`` does, and for the same reason.
    """
    if not settings.METRICS_TOKEN:
        raise MiddlewareNotUsed
    counters = get_metrics()  # while there is one thread

    def middleware(request: HttpRequest) -> HttpResponseBase:
        start = clock()
        response = get_response(request)
        counters.record(request, response, clock() - start)
        return response

    return middleware


class MetricsView(ProbeView):
    """All of it, for whoever has ``METRICS_TOKEN``. Where that is not set there is nothing."""

    open_because = "It asks for a token of its own, METRICS_TOKEN, which no user has."

    def get_authenticate_header(self, request: Request) -> str:
        return f'Bearer realm="{REALM}"'

    def get(self, request: Request) -> HttpResponse:
        if not settings.METRICS_TOKEN:
            raise Http404
        token = bearer_token(request) or ""
        if not compare_digest(token.encode(errors="replace"), settings.METRICS_TOKEN.encode()):
            raise NotAuthenticated
        return HttpResponse(exposition(), content_type=CONTENT_TYPE_LATEST)


def exposition() -> bytes:
    """Everything that was counted, in the text format of Prometheus."""
    if FOLDER not in os.environ:
        return generate_latest(get_registry())
    everybodys = CollectorRegistry()
    MultiProcessCollector(everybodys)  # type: ignore[no-untyped-call]
    return generate_latest(everybodys)
