from __future__ import annotations

import json

import pytest
from django.test import Client, RequestFactory
from rest_framework.exceptions import NotAcceptable
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from api.bodies.renderers import ContentNegotiation, JSONRenderer
from api.owned.registry import Resource
from tests.support.routes import every_resource, paths_of
from tests.support.rows import make_row


class PageRenderer(BaseRenderer):
    media_type = "text/html"
    format = "html"


JSON, PAGE = JSONRenderer, PageRenderer


def selected(accept: str, *renderer_classes: type[BaseRenderer]) -> tuple[type[BaseRenderer], str]:
    request = Request(RequestFactory().get("/", headers={"Accept": accept}))
    renderers = [renderer_class() for renderer_class in renderer_classes]
    renderer, media_type = ContentNegotiation().select_renderer(request, renderers)
    return type(renderer), media_type


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
def test_an_accept_of_problems_admits_json(
    accept: str, renderers: tuple[type[BaseRenderer], ...]
) -> None:
    assert selected(accept, *renderers) == (JSON, "application/json")


def test_a_page_is_preferred_where_a_browser_asks_for_both() -> None:
    accept = "application/problem+json, text/html"
    assert selected(accept, JSON, PAGE) == (PAGE, "text/html")
    assert selected(accept, JSON) == (JSON, "application/json")


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
        "application/problem+json;q=0",
        "application/problem+json; q=0.000, text/plain",
    ],
)
def test_an_accept_without_json_and_problems_is_refused(accept: str) -> None:
    with pytest.raises(NotAcceptable):
        selected(accept, JSON)


def test_a_view_without_json_refuses_an_accept_of_problems() -> None:
    with pytest.raises(NotAcceptable):
        selected("application/problem+json", PAGE)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "accept", ["application/problem+json", "application/*", "application/json", "*/*"]
)
@every_resource
def test_every_method_meets_an_accept_of_json_or_problems(
    alice: Client, resource: Resource, accept: str
) -> None:
    headers = {"accept": accept}

    def ask(method: str, path: str, body: str = "", **more: str) -> tuple[int, str]:
        answer = alice.generic(method, path, body, "application/json", headers=headers | more)
        return answer.status_code, answer.headers.get("Content-Type", "")

    example = json.dumps(resource.view.serializer_class.example)
    path, *actions = paths_of(resource, make_row(resource.view.model).pk)
    for method, body in (("GET", ""), ("HEAD", ""), ("PUT", example), ("PATCH", example)):
        assert ask(method, path, body) == (200, "application/json")
    for action in actions:
        assert ask("POST", action) == (200, "application/json")
    assert ask("POST", resource.path, example) == (201, "application/json")
    assert ask("PATCH", path, "{}", **{"if-match": '"x"'}) == (412, "application/problem+json")
    assert ask("DELETE", path) == (204, "")
    assert ask("GET", path) == (404, "application/problem+json")
