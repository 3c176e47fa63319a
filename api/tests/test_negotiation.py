"""Remembering how an ``Accept`` is answered changes no answer, and fills no memory."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client, RequestFactory
from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from api import negotiation as module
from api.negotiation import ContentNegotiation
from api.renderers import JSONRenderer


class PageRenderer(BaseRenderer):
    media_type = "text/html"
    format = "html"


JSON, PAGE = JSONRenderer, PageRenderer


@pytest.fixture(autouse=True)
def _nothing_is_remembered() -> Iterator[None]:
    module._selected.cache_clear()
    yield
    module._selected.cache_clear()


def selected(
    negotiation: DefaultContentNegotiation,
    accept: str | None,
    *renderer_classes: type[BaseRenderer],
) -> tuple[type[BaseRenderer], str]:
    headers = {} if accept is None else {"Accept": accept}
    request = Request(RequestFactory().get("/", headers=headers))
    renderers = [renderer_class() for renderer_class in renderer_classes]
    renderer, media_type = negotiation.select_renderer(request, renderers)
    assert renderer in renderers  # and not one that was made for another request
    return type(renderer), media_type


@pytest.mark.parametrize("renderers", [(JSON,), (JSON, PAGE), (PAGE, JSON)])
@pytest.mark.parametrize(
    "accept",
    [
        None,
        "*/*",
        "application/json",
        "application/*",
        "APPLICATION/JSON, text/html",
        "application/json; indent=4",
        "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        "application/json, text/plain, */*",
        "nonsense, */*;q=0.1",
    ],
)
def test_it_is_the_outcome_of_the_framework(
    accept: str | None, renderers: tuple[type[BaseRenderer], ...]
) -> None:
    expected = selected(DefaultContentNegotiation(), accept, *renderers)
    for _ in range(2):
        assert selected(ContentNegotiation(), accept, *renderers) == expected
    assert module._selected.cache_info().hits == 1


def test_a_view_that_makes_other_types_has_an_outcome_of_its_own() -> None:
    for _ in range(2):
        assert selected(ContentNegotiation(), "text/html, */*", JSON) == (JSON, "application/json")
        assert selected(ContentNegotiation(), "text/html, */*", JSON, PAGE) == (PAGE, "text/html")


def test_what_nothing_can_be_made_for_is_refused_each_time() -> None:
    for _ in range(2):
        with pytest.raises(NotAcceptable):
            selected(ContentNegotiation(), "image/png", JSON)


def test_made_up_values_fill_no_memory(alice: Client) -> None:
    for number in range(2 * module.MAX_REMEMBERED):
        headers = {"Accept": f"application/json; indent=1; x={number}"}
        assert alice.get("/api/me/", headers=headers).status_code == 200
    assert module._selected.cache_info().currsize == module.MAX_REMEMBERED
