"""What an answer is rendered by is chosen as the framework chooses it, and remembered."""

from __future__ import annotations

import pytest
from django.test import Client, RequestFactory
from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request

from api.negotiation import MAX_REMEMBERED, ContentNegotiation, _selected
from api.renderers import JSONRenderer
from browsable.renderers import PageRenderer

ACCEPTS = [
    "*/*",
    "application/json",
    "application/json; indent=4",
    "application/*",
    "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "application/json, text/plain, */*",
    "text/html, application/json",
    "text/html",
]


@pytest.mark.parametrize("accept", ACCEPTS)
def test_the_choice_is_the_frameworks(rf: RequestFactory, accept: str) -> None:
    request = Request(rf.get("/", headers={"Accept": accept}))
    renderers = [JSONRenderer(), PageRenderer()]
    expected = DefaultContentNegotiation().select_renderer(request, renderers)
    for _ in range(2):
        assert ContentNegotiation().select_renderer(request, renderers) == expected


def test_what_is_refused_is_refused_again(rf: RequestFactory) -> None:
    request = Request(rf.get("/", headers={"Accept": "image/png"}))
    for _ in range(2):
        with pytest.raises(NotAcceptable):
            ContentNegotiation().select_renderer(request, [JSONRenderer()])


def test_clients_cannot_fill_the_memory_with_it() -> None:
    client = Client()
    for number in range(MAX_REMEMBERED + 20):
        client.get("/healthz", headers={"Accept": f"application/json; x={number}"})
    assert _selected.cache_info().currsize <= MAX_REMEMBERED
