"""What every page has, and what none has."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from authn.testing import Bearer, Issuer, Mint
from browsable.tests.browser import ACCEPT, Browser, Page
from tests.support.documented import OPENAPI
from todos.tests.factories import make_todo

pytestmark = pytest.mark.django_db

MAX_PAGE_BYTES = 100_000
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
HOSTILE = [
    "<script>alert(1)</script>",
    "</pre></textarea></title><script>alert(1)</script>",
    '" onfocus=alert(1) autofocus x="',
    "' onfocus=alert(1) x='",
    "<img src=x onerror=alert(1)>",
    "{{ settings.SECRET_KEY }}{% debug %}",
    "javascript:alert(1)",
    "http://testserver/javascript:alert(1)",
    "&lt;script&gt;",
    "\u202e txet desrever",
]


@pytest.fixture
def visited(alices: Browser) -> dict[str, Page]:
    """A page of every kind, by its name."""
    todo = make_todo(owner_id="alice", title="Buy milk", tags=["home"])
    strangers = make_todo(owner_id="bob")
    address = f"/api/todos/{todo.pk}/"
    form = alices.get("/api/todos/").form("title")
    stale = alices.get(address).form("title", button="PATCH")
    return {
        "root": alices.get("/"),
        "me": alices.get("/api/me/"),
        "list": alices.get("/api/todos/?limit=1&q=milk"),
        "todo": alices.get(address),
        "created": form.submit(title="Buy bread"),
        "mistaken": form.submit(title=""),  # after Back
        "completed": alices.get(address).form_to("/complete/").submit(),
        "stale": stale.submit("PATCH", title="x"),
        "deleted": alices.get(address).form("_if_match", button="DELETE").submit("DELETE"),
        "missing": alices.get(address),
        "forbidden": alices.get(f"/api/todos/{strangers.pk}/"),
        "batch": alices.get("/api/todos/batch/"),
        "wrong filter": alices.get("/api/todos/?limit=x&tag=&x=1"),
        "no such path": alices.get("/api/nothing/"),
        "login": alices.get("/api/login/"),
        "refused": alices.get("/api/login/").form("token").submit(token="x"),
        "nobody": Browser().get("/api/todos/"),
        "docs": alices.get("/api/docs/"),
    }


STATUSES = {
    "created": 201,
    "mistaken": 400,
    "stale": 412,
    "missing": 404,
    "forbidden": 403,
    "batch": 405,
    "wrong filter": 400,
    "no such path": 404,
    "refused": 400,
    "nobody": 401,
}


def test_they_answer_what_the_api_answers(visited: dict[str, Page]) -> None:
    found = {name: page.status for name, page in visited.items()}
    assert found == {name: STATUSES.get(name, 200) for name in visited}


def test_none_can_run_a_script(visited: dict[str, Page]) -> None:
    for name, page in visited.items():
        own_script = "; script-src 'self'; connect-src 'self'" if name == "docs" else ""
        assert page.response["Content-Security-Policy"] == POLICY + own_script
        inline = re.findall(r"<script(?![^>]* src=)|\son\w+=|\sstyle=|<style", page.html)
        assert not inline, name
        assert ("<script" in page.html) == (name == "docs")


def test_none_has_anything_of_another_host(visited: dict[str, Page]) -> None:
    for name, page in visited.items():
        addresses = re.findall(r"""(?:src|href|action)=["']([^"']*)""", page.html)
        assert addresses
        for address in addresses:
            assert re.match(r"/(?!/)|http://testserver/|#", address), (name, address)


def test_none_is_shown_in_a_frame_or_as_something_else(visited: dict[str, Page]) -> None:
    for page in visited.values():
        assert page.response["X-Frame-Options"] == "DENY"
        assert "frame-ancestors 'none'" in page.response["Content-Security-Policy"]
        assert page.response["X-Content-Type-Options"] == "nosniff"
        assert page.response["Content-Type"] == "text/html; charset=utf-8"


def test_none_is_mistaken_for_the_json_of_the_same_address(visited: dict[str, Page]) -> None:
    for name, page in visited.items():
        assert {"Accept", "Authorization", "Cookie"} <= {*page.response["Vary"].split(", ")}, name
        kept = page.response["Cache-Control"]
        assert kept == ("no-store, " if page.url.startswith("/api/login/") else "") + (
            "private, no-cache"
        )
        assert "ETag" not in page.response


def test_each_is_small(visited: dict[str, Page]) -> None:
    sizes = {name: len(page.response.content) for name, page in visited.items()}
    assert max(sizes.values()) < MAX_PAGE_BYTES, sizes


def test_each_has_one_heading_and_no_id_twice(visited: dict[str, Page]) -> None:
    for name, page in visited.items():
        assert page.html.count("<h1") == (name != "docs"), name
        assert len({*page.ids}) == len(page.ids), name
        assert '<html lang="en">' in page.html


def test_every_label_has_its_input(visited: dict[str, Page]) -> None:
    for name, page in visited.items():
        for target in re.findall(r'(?:<label for|aria-describedby)="([^"]*)"', page.html):
            assert {*target.split()} <= {*page.ids}, (name, target)


def test_every_answer_says_who_is_signed_in_and_for_how_long(visited: dict[str, Page]) -> None:
    for name, page in visited.items():
        expected = name not in ("nobody", "docs", "no such path")
        assert ("Logged in as Alice until 20" in page.text) == expected, name
        assert ("Log in" in page.links) == (name == "nobody"), name


@pytest.mark.parametrize("text", HOSTILE)
def test_what_somebody_wrote_is_text(alices: Browser, text: str) -> None:
    todo = make_todo(owner_id="alice", title=text, description=text, tags=[text[:50]])
    pages = [
        alices.get("/api/todos/"),
        alices.get(f"/api/todos/{todo.pk}/"),
        alices.get("/api/todos/").form("title").submit(title=text, due_time=text),
        alices.get("/api/todos/").form("_raw").submit(_raw=text),
        alices.get("/api/todos/").form("_filters").submit(q=text, tz=text),
        alices.get("/api/login/").form("token").submit(token=text),
        alices.get(f"/api/login/?next={text}"),
    ]
    for page in pages:
        assert "<script" not in page.html
        assert "<img" not in page.html
        assert not [name for name in page.attributes if name.startswith("on")]
        assert 'href="javascript:' not in page.html
        assert "SECRET_KEY }}" in page.html or "SECRET_KEY" not in text
    form = pages[1].form("title", button="PATCH")
    assert (form.value("title"), form.value("description")) == (text, text)


def test_a_name_that_somebody_gave_themselves_is_text(browser: Browser, mint: Any) -> None:
    token = mint(name="<script>alert(1)</script>", sub="\u202e<b>")
    page = browser.get("/api/login/").form("token").submit(token=token)
    assert "Logged in as <script>alert(1)</script> until" in page.text
    assert "<script" not in page.html


def test_it_shows_what_another_client_would_get(alices: Browser, alice: Client) -> None:
    todo = make_todo(owner_id="alice", title="Buy milk")
    address = f"/api/todos/{todo.pk}/"
    page, answer = alices.get(address), alice.get(address)
    assert "Content-Type: application/json" in page.text
    assert f"ETag: {answer['ETag']}" in page.text
    for name, value in answer.json().items():
        if isinstance(value, str):
            assert f'"{name}": "' in page.text
            assert value.replace('"', '\\"') in page.text
    assert "Content-Type: application/problem+json" in alices.get("/api/todos/?x=1").text


def test_the_line_for_a_terminal_can_be_pasted(alices: Browser) -> None:
    page = alices.get("/api/todos/").form("title").submit(title="It's $HOME; `ls`")
    line = page.text.partition("As a curl command")[2]
    assert """--data-raw '{"title": "It'"'"'s $HOME; `ls`"}'""" in line
    assert "-X POST" in line
    assert '-H "Authorization: Bearer $TOKEN"' in line


def test_keys_that_cannot_be_had_are_said_to_be_that(
    browser: Browser, issuer: Issuer, settings: Settings
) -> None:
    browser.get("/api/login/").form("token").submit(token=issuer.mint())
    issuer.url, settings.BETTER_AUTH_URL = "https://other.example", "https://other.example"
    issuer.broken = True
    page = browser.get("/api/todos/")
    assert page.status == HTTPStatus.SERVICE_UNAVAILABLE
    assert "The signing keys are unavailable." in page.text
    assert int(page.response["Retry-After"]) > 0


def test_a_page_is_not_what_somebody_has_cached_as_json(alices: Browser) -> None:
    todo = make_todo(owner_id="alice")
    page = alices.get(f"/api/todos/{todo.pk}/", **{"if-none-match": todo.etag})
    assert page.status == HTTPStatus.OK
    assert "Todo" in page.text


def test_a_page_costs_no_query_more_than_its_json(
    alices: Browser, alice: Client, django_assert_num_queries: Any
) -> None:
    todo = make_todo(owner_id="alice")
    for path, count in (("/api/todos/", 1), (f"/api/todos/{todo.pk}/", 1), ("/api/me/", 0)):
        with django_assert_num_queries(count):
            alices.get(path)
        with django_assert_num_queries(count):
            alice.get(path)


@pytest.mark.parametrize("accept", ["*/*", "application/json, text/html;q=0.1", "text/html;q=0"])
def test_an_error_is_a_page_for_who_likes_pages_best(browser: Browser, accept: str) -> None:
    answer = browser.client.get("/api/nothing/", headers={"accept": accept})
    assert answer["Content-Type"] == "application/problem+json"


def test_an_address_that_asks_too_much_is_told_on_a_page(
    browser: Browser, settings: Settings
) -> None:
    settings.THROTTLE_ANON = (1, 3600)
    browser.get("/api/login/")
    page = browser.get("/api/login/")
    assert page.status == HTTPStatus.TOO_MANY_REQUESTS
    assert "Too many requests" in page.text
    assert int(page.response["Retry-After"]) > 0
    assert page.response["RateLimit"]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "GET"])
@pytest.mark.parametrize("media_type", ["application/json", "text/plain"])
def test_a_large_body_is_answered_as_without_pages(
    browser: Browser, bearer: Bearer, mint: Mint, method: str, media_type: str
) -> None:
    statuses = []
    for accept in (ACCEPT, "*/*"):
        todo = make_todo(owner_id="alice")
        client, body = bearer(mint(sub="alice")), "x" * 300_000
        for each in (client, browser.client):
            answer = each.generic(
                method, f"/api/todos/{todo.pk}/", body, media_type, headers={"accept": accept}
            )
            statuses.append((accept, answer.status_code))
    assert [each[1] for each in statuses[:2]] == [each[1] for each in statuses[2:]]


def test_only_a_form_of_a_page_is_told_200_for_204(
    browser: Browser, bearer: Bearer, mint: Mint
) -> None:
    todo = make_todo(owner_id="alice")
    client = bearer(mint(sub="alice"))
    answer = client.delete(f"/api/todos/{todo.pk}/", headers={"accept": ACCEPT})
    assert answer.status_code == HTTPStatus.NO_CONTENT


def test_the_document_is_no_page(alices: Browser) -> None:
    assert alices.client.get("/api/schema/")["Content-Type"] == "application/json"


def test_an_answer_that_is_very_long_is_not_coloured(alices: Browser) -> None:
    for _ in range(2):
        make_todo(owner_id="alice", description='"' * 10_000)
    assert '<span class="key">&quot;results' in alices.get("/api/todos/").html
    for _ in range(40):
        make_todo(owner_id="alice", description='"' * 10_000)
    page = alices.get("/api/todos/")
    assert '<span class="key">&quot;results' not in page.html
    assert '"results": [' in page.text


class TestTheStart:
    def test_a_browser_is_led_to_the_api(self, browser: Browser) -> None:
        assert browser.get("/").url == "http://testserver/api/"

    def test_a_terminal_is_told_where_things_are(self, browser: Browser) -> None:
        answer = browser.client.get("/", headers={"accept": "*/*"})
        assert answer.json() == {
            "api": "http://testserver/api/",
            "schema": "http://testserver/api/schema/",
            "docs": "http://testserver/api/docs/",
        }

    def test_without_pages_it_names_none(self, anonymous: Client) -> None:
        answer = anonymous.get("/", headers={"accept": ACCEPT})
        assert answer.json() == {
            "api": "http://testserver/api/",
            "schema": "http://testserver/api/schema/",
        }


class TestStaticFiles:
    @pytest.mark.parametrize(
        "path",
        [
            "browsable/style.css",
            "browsable/icon.svg",
            "browsable/docs.js",
            "drf_spectacular_sidecar/swagger-ui-dist/swagger-ui-bundle.js",
        ],
    )
    def test_they_are_served_without_another_server(self, browser: Browser, path: str) -> None:
        answer: Any = browser.client.get(f"/static/{path}")
        assert answer.status_code == HTTPStatus.OK
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert "max-age" in answer["Cache-Control"]
        answer.close()

    @pytest.mark.parametrize("path", ["browsable/../../settings.py", "%2e%2e/manage.py", "x", ""])
    def test_nothing_else_is(self, browser: Browser, path: str) -> None:
        assert browser.client.get(f"/static/{path}").status_code == HTTPStatus.NOT_FOUND


def test_the_document_is_the_same_with_and_without_pages(browser: Browser) -> None:
    from api.views import openapi_document

    openapi_document.cache_clear()
    answer = browser.client.get("/api/schema/", headers={"accept": "application/json"})
    openapi_document.cache_clear()
    assert answer.json() == OPENAPI
