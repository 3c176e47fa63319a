"""Answer probes and scrapes before hosts, allowances and routes are looked at."""

from __future__ import annotations

from django.http import HttpRequest
from django.http.response import HttpResponse, HttpResponseBase
from django.template.response import SimpleTemplateResponse
from django.urls import ResolverMatch

from api.errors.middleware import refusals
from api.requests import Handler
from api.throttling.middleware import address_allowances
from operations.health import PROBES
from operations.metrics import MetricsView, may_scrape

METRICS = "/metrics"
VIEWS = {**PROBES, METRICS: MetricsView}


def operations(get_response: Handler) -> Handler:
    """Answer the paths of ``VIEWS``, whatever the ``Host`` and however busy the address.

    A request for the metrics without ``METRICS_TOKEN`` still counts for its address.
    """
    answers = {path: refusals(view.as_view()) for path, view in VIEWS.items()}
    refuse_scrape = address_allowances(answers[METRICS])

    def middleware(request: HttpRequest) -> HttpResponseBase:
        path = request.path_info
        if (answer := answers.get(path)) is None:
            return get_response(request)
        request.resolver_match = ResolverMatch(answer, (), {}, route=path[1:])
        if path == METRICS and not may_scrape(request):
            answer = refuse_scrape
        response = answer(request)
        if isinstance(response, SimpleTemplateResponse):
            response = response.render()
        if isinstance(response, HttpResponse):
            response["Content-Length"] = str(len(response.content))
        return response

    return middleware
