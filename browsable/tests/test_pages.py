"""Rules for every page: status, headers, markup, escaping."""

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
from tests.support.security_headers import assert_guarded
from tests.support.settings import run
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


@pytest.fixture(scope="module")
def _visited() -> dict[str, Page]:
    return {}


@pytest.fixture
def visited(_visited: dict[str, Page], request: pytest.FixtureRequest) -> dict[str, Page]:
    """A page of every kind, by its name; loaded once for the tests of this module."""
    if not _visited:
        _visited.update(visit(request.getfixturevalue("alices")))
    return _visited


def visit(alices: Browser) -> dict[str, Page]:
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
        "invalid": form.submit(title=""),
        "completed": alices.get(address).form_to("/complete/").submit(),
        "old version": stale.submit("PATCH", title="x"),
        "deleted": alices.get(address).form("_if_match", button="DELETE").submit("DELETE"),
        "missing": alices.get(address),
        "forbidden": alices.get(f"/api/todos/{strangers.pk}/"),
        "batch": alices.get("/api/todos/batch/"),
        "summary": alices.get(alices.get("/api/todos/").links["Summary…"]),
        "wrong filter": alices.get("/api/todos/?limit=x&tag=&x=1"),
        "unknown path": alices.get("/api/nothing/"),
        "login": alices.get("/api/login/"),
        "refused": alices.get("/api/login/").form("token").submit(token="x"),
        "anonymous": Browser().get("/api/todos/"),
        "docs": alices.get("/api/docs/"),
    }


STATUSES = {
    "created": 201,
    "invalid": 400,
    "old version": 412,
    "missing": 404,
    "forbidden": 403,
    "batch": 405,
    "wrong filter": 400,
    "unknown path": 404,
    "refused": 400,
    "anonymous": 401,
}


def test_pages_have_the_status_of_the_api_and_the_security_headers(
    visited: dict[str, Page],
) -> None:
    for name, page in visited.items():
        policy = POLICY + ("; script-src 'self'; connect-src 'self'" if name == "docs" else "")
        assert_guarded(page.response, status=STATUSES.get(name, 200), policy=policy)
        assert page.response["Content-Type"] == "text/html; charset=utf-8"


def test_only_the_docs_have_scripts(visited: dict[str, Page]) -> None:
    for name, page in visited.items():
        inline = re.findall(r"<script(?![^>]* src=)|\son\w+=|\sstyle=|<style", page.html)
        assert not inline, name
        assert ("<script" in page.html) == (name == "docs")


def test_pages_load_nothing_from_other_hosts(visited: dict[str, Page]) -> None:
    for name, page in visited.items():
        addresses = re.findall(r"""(?:src|href|action)=["']([^"']*)""", page.html)
        assert addresses
        for address in addresses:
            assert re.match(r"/(?!/)|http://testserver/|#", address), (name, address)


def test_pages_are_cached_apart_from_json(visited: dict[str, Page]) -> None:
    for name, page in visited.items():
        assert {"Accept", "Authorization", "Cookie"} <= {*page.response["Vary"].split(", ")}, name
        kept = page.response["Cache-Control"]
        assert kept == ("no-store, " if page.url.startswith("/api/login/") else "") + (
            "private, no-cache"
        )
        assert "ETag" not in page.response


def test_every_page_is_small(visited: dict[str, Page]) -> None:
    sizes = {name: len(page.response.content) for name, page in visited.items()}
    assert max(sizes.values()) < MAX_PAGE_BYTES, sizes


def test_every_page_has_one_heading_and_unique_ids(visited: dict[str, Page]) -> None:
    for name, page in visited.items():
        assert page.html.count("<h1") == (name != "docs"), name
        assert len({*page.ids}) == len(page.ids), name
        assert '<html lang="en">' in page.html


def test_every_label_refers_to_an_input(visited: dict[str, Page]) -> None:
    for name, page in visited.items():
        for target in re.findall(r'(?:<label for|aria-describedby)="([^"]*)"', page.html):
            assert {*target.split()} <= {*page.ids}, (name, target)


def test_pages_show_the_user_and_the_time_left(visited: dict[str, Page]) -> None:
    for name, page in visited.items():
        expected = name not in ("anonymous", "docs", "unknown path")
        assert ("Logged in as Alice until 20" in page.text) == expected, name
        assert ("Log in" in page.links) == (name == "anonymous"), name


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_escaped(alices: Browser, text: str) -> None:
    todo = make_todo(owner_id="alice", title=text, description=text, tags=[text[:50]])
    listing = alices.get("/api/todos/")
    pages = [
        listing,
        alices.get(f"/api/todos/{todo.pk}/"),
        listing.form("title").submit(title=text, due_time=text),
        listing.form("_raw").submit(_raw=text),
        listing.form("_filters").submit(q=text, tz=text),
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


def test_a_hostile_user_name_is_escaped(browser: Browser, mint: Any) -> None:
    token = mint(name="<script>alert(1)</script>", sub="\u202e<b>")
    page = browser.get("/api/login/").form("token").submit(token=token)
    assert "Logged in as <script>alert(1)</script> until" in page.text
    assert "<script" not in page.html


def test_a_page_shows_the_json_response(alices: Browser, alice: Client) -> None:
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


def test_the_curl_command_is_quoted_for_a_shell(alices: Browser) -> None:
    page = alices.get("/api/todos/").form("title").submit(title="It's $HOME; `ls`")
    line = page.text.partition("As a curl command")[2]
    assert """--data-raw '{"title": "It'"'"'s $HOME; `ls`"}'""" in line
    assert "-X POST" in line
    assert '-H "Authorization: Bearer $TOKEN"' in line


def test_a_page_without_signing_keys_is_unavailable(
    browser: Browser, issuer: Issuer, settings: Settings
) -> None:
    browser.get("/api/login/").form("token").submit(token=issuer.mint())
    issuer.url, settings.BETTER_AUTH_URL = "https://other.example", "https://other.example"
    issuer.broken = True
    page = browser.get("/api/todos/")
    assert page.status == HTTPStatus.SERVICE_UNAVAILABLE
    assert "The signing keys are unavailable." in page.text
    assert int(page.response["Retry-After"]) > 0


def test_a_page_ignores_if_none_match(alices: Browser) -> None:
    todo = make_todo(owner_id="alice")
    page = alices.get(f"/api/todos/{todo.pk}/", **{"if-none-match": todo.etag})
    assert page.status == HTTPStatus.OK
    assert "Todo" in page.text


def test_a_page_costs_the_queries_of_its_json(
    alices: Browser, alice: Client, django_assert_num_queries: Any
) -> None:
    todo = make_todo(owner_id="alice")
    for path, count in (("/api/todos/", 1), (f"/api/todos/{todo.pk}/", 1), ("/api/me/", 0)):
        with django_assert_num_queries(count):
            alices.get(path)
        with django_assert_num_queries(count):
            alice.get(path)


@pytest.mark.parametrize("accept", ["*/*", "application/json, text/html;q=0.1", "text/html;q=0"])
def test_errors_are_json_unless_html_is_preferred(browser: Browser, accept: str) -> None:
    answer = browser.client.get("/api/nothing/", headers={"accept": accept})
    assert answer["Content-Type"] == "application/problem+json"


def test_a_throttled_browser_gets_a_page(browser: Browser, settings: Settings) -> None:
    settings.THROTTLE_ANON = (1, 3600)
    browser.get("/api/login/")
    page = browser.get("/api/login/")
    assert page.status == HTTPStatus.TOO_MANY_REQUESTS
    assert "Too many requests" in page.text
    assert int(page.response["Retry-After"]) > 0
    assert page.response["RateLimit"]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "GET"])
@pytest.mark.parametrize("media_type", ["application/json", "text/plain"])
def test_a_large_body_has_the_same_status_for_html_and_json(
    browser: Browser, bearer: Bearer, mint: Mint, method: str, media_type: str
) -> None:
    client, body = bearer(mint(sub="alice")), "x" * 300_000
    for each in (client, browser.client):
        statuses = []
        for accept in (ACCEPT, "*/*"):
            path = f"/api/todos/{make_todo(owner_id='alice').pk}/"
            answer = each.generic(method, path, body, media_type, headers={"accept": accept})
            statuses.append(answer.status_code)
        assert statuses[0] == statuses[1]


def test_a_delete_by_a_bearer_client_is_204_for_html(
    browser: Browser, bearer: Bearer, mint: Mint
) -> None:
    todo = make_todo(owner_id="alice")
    client = bearer(mint(sub="alice"))
    answer = client.delete(f"/api/todos/{todo.pk}/", headers={"accept": ACCEPT})
    assert answer.status_code == HTTPStatus.NO_CONTENT


def test_the_openapi_document_has_no_page(alices: Browser) -> None:
    assert alices.client.get("/api/schema/")["Content-Type"] == "application/json"


def test_a_very_long_response_is_not_coloured(alices: Browser) -> None:
    for _ in range(2):
        make_todo(owner_id="alice", description='"' * 10_000)
    assert '<span class="key">&quot;results' in alices.get("/api/todos/").html
    for _ in range(40):
        make_todo(owner_id="alice", description='"' * 10_000)
    page = alices.get("/api/todos/")
    assert '<span class="key">&quot;results' not in page.html
    assert '"results": [' in page.text


class TestIndex:
    def test_the_index_redirects_a_browser_to_the_api(self, browser: Browser) -> None:
        assert browser.get("/").url == "http://testserver/api/"

    def test_the_index_lists_addresses_as_json(self, browser: Browser) -> None:
        answer = browser.client.get("/", headers={"accept": "*/*"})
        assert answer.json() == {
            "api": "http://testserver/api/",
            "schema": "http://testserver/api/schema/",
            "docs": "http://testserver/api/docs/",
        }

    def test_without_pages_the_index_lists_no_docs(self, anonymous: Client) -> None:
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
    def test_static_files_are_served(self, browser: Browser, path: str) -> None:
        answer: Any = browser.client.get(f"/static/{path}")
        assert answer.status_code == HTTPStatus.OK
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert "max-age" in answer["Cache-Control"]
        answer.close()

    @pytest.mark.parametrize("path", ["browsable/../../settings.py", "%2e%2e/manage.py", "x", ""])
    def test_no_other_file_is_served_as_static(self, browser: Browser, path: str) -> None:
        assert browser.client.get(f"/static/{path}").status_code == HTTPStatus.NOT_FOUND


def test_a_process_starts_with_pages() -> None:
    """DRF imports the authentication of pages before most of the project can be imported."""
    result = run("import django; django.setup(); import config.urls", BROWSABLE_API="true")
    assert (result.returncode, result.stderr) == (0, "")


def test_pages_do_not_change_the_openapi_document(browser: Browser) -> None:
    from api.views import openapi_document

    openapi_document.cache_clear()
    answer = browser.client.get("/api/schema/", headers={"accept": "application/json"})
    openapi_document.cache_clear()
    assert answer.json() == OPENAPI
