"""Remembering how an ``Accept`` is answered changes no answer, and fills no memory."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client, RequestFactory
from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from api.bodies import negotiation as module
from api.bodies.negotiation import ContentNegotiation
from api.bodies.renderers import JSONRenderer


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


@pytest.mark.parametrize(
    "accept",
    [
        "application/problem+json",
        "Application/Problem+JSON; charset=utf-8",
        "application/problem+json;q=0.5, application/xml",
        "text/plain, application/problem+json",
    ],
)
@pytest.mark.parametrize("renderers", [(JSON,), (JSON, PAGE), (PAGE, JSON)])
def test_who_takes_problems_takes_json(
    accept: str, renderers: tuple[type[BaseRenderer], ...]
) -> None:
    for _ in range(2):
        found = selected(ContentNegotiation(), accept, *renderers)
        assert found == (JSON, "application/json")


def test_a_page_is_preferred_where_a_browser_asks_for_both() -> None:
    accept = "application/problem+json, text/html"
    assert selected(ContentNegotiation(), accept, JSON, PAGE) == (PAGE, "text/html")
    assert selected(ContentNegotiation(), accept, JSON) == (JSON, "application/json")


@pytest.mark.parametrize(
    "accept",
    [
        "application/xml",
        "application/problem+xml",
        "application/merge-patch+json",
        "application/vnd.api+json",
        "application/problem",
        "text/*",
        "problem+json",
    ],
)
def test_what_admits_no_json_and_no_problem_is_refused(accept: str) -> None:
    with pytest.raises(NotAcceptable):
        selected(ContentNegotiation(), accept, JSON)


def test_what_makes_no_json_does_not_answer_who_takes_problems() -> None:
    with pytest.raises(NotAcceptable):
        selected(ContentNegotiation(), "application/problem+json", PAGE)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "accept", ["application/problem+json", "application/*", "application/json", "*/*"]
)
def test_every_method_meets_an_accept_of_json_or_problems(alice: Client, accept: str) -> None:
    headers = {"accept": accept}

    def ask(method: str, path: str, body: str = "", **more: str) -> tuple[int, str]:
        answer = alice.generic(method, path, body, "application/json", headers=headers | more)
        return answer.status_code, answer.headers.get("Content-Type", "")

    path = alice.post("/api/todos/", '{"title": "x"}', "application/json").headers["Location"]
    changed = '{"title": "y"}'
    for method, body in (("GET", ""), ("HEAD", ""), ("PUT", changed), ("PATCH", changed)):
        assert ask(method, path, body) == (200, "application/json")
    assert ask("POST", f"{path}complete/") == (200, "application/json")
    assert ask("POST", "/api/todos/", changed) == (201, "application/json")
    assert ask("PATCH", path, "{}", **{"if-match": '"x"'}) == (412, "application/problem+json")
    assert ask("DELETE", path) == (204, "")
    assert ask("GET", path) == (404, "application/problem+json")


def test_made_up_values_fill_no_memory(alice: Client) -> None:
    for number in range(2 * module.MAX_REMEMBERED):
        headers = {"Accept": f"application/json; indent=1; x={number}"}
        assert alice.get("/api/me/", headers=headers).status_code == 200
    assert module._selected.cache_info().currsize == module.MAX_REMEMBERED
