"""The cookie authenticates pages and their forms, and nothing else."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

import pytest
from django.test import Client
from django.urls import get_resolver
from pytest_django import Settings

from api.checks import asks_for_token, iterate_routes, reason_to_be_open
from authn.testing import Bearer, Clock, Mint
from browsable.tests.browser import ACCEPT, FORM, Browser
from todos.models import Todo
from todos.tests.factories import make_todo

pytestmark = pytest.mark.django_db

PAGES = {"/api/login/", "/api/login/forget.css", "/api/logout/", "/api/docs/"}
METADATA = "/.well-known/oauth-protected-resource"
OPEN = {"/", "/api/schema/", METADATA, f"{METADATA}/<path:path>", *PAGES}
UNSAFE = ("POST", "PUT", "PATCH", "DELETE")
JSON_ACCEPTS = ["application/json", "*/*", "", "application/*", "application/problem+json"]


def paths(todo: Todo) -> list[str]:
    routes = (route for route, _ in iterate_routes(get_resolver()) if route not in OPEN)
    return [route.replace("<str:pk>", str(todo.pk)) for route in routes]


@pytest.mark.usefixtures("browser")
def test_every_route_asks_for_a_token_or_says_why_not() -> None:
    for route, callback in iterate_routes(get_resolver()):
        assert asks_for_token(callback) == (route not in OPEN)
        assert bool(reason_to_be_open(callback)) == (route in OPEN)


@pytest.mark.parametrize("accept", JSON_ACCEPTS)
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", *UNSAFE])
def test_the_cookie_authenticates_no_request_for_json(
    alices: Browser, method: str, accept: str
) -> None:
    todo = make_todo(owner_id="alice", title="Private")
    for path in paths(todo):
        answer = alices.client.generic(
            method, path, '{"title": "Changed"}', "application/json", headers={"accept": accept}
        )
        assert answer.status_code in (401, 406)
        assert b"Private" not in answer.content
        if answer.status_code == HTTPStatus.UNAUTHORIZED and method != "HEAD":
            assert answer.json()["code"] == "not_authenticated"
    todo.refresh_from_db()
    assert (Todo.objects.count(), todo.title) == (1, "Private")


@pytest.mark.parametrize("media_type", ["application/json", "text/plain", "multipart/form-data"])
@pytest.mark.parametrize("method", UNSAFE)
def test_the_cookie_authenticates_no_change_without_a_form(
    alices: Browser, method: str, media_type: str
) -> None:
    todo = make_todo(owner_id="alice", title="Private")
    alices.get("/api/me/")  # a page, which brings the CSRF cookie
    csrf = alices.client.cookies["todos_csrftoken"].value
    for path in paths(todo):
        answer = alices.client.generic(
            method, path, '{"title": "x"}', media_type, headers={"x-csrftoken": csrf}
        )
        assert answer.status_code == HTTPStatus.UNAUTHORIZED
    todo.refresh_from_db()
    assert (Todo.objects.count(), todo.title) == (1, "Private")


@pytest.mark.parametrize("method", UNSAFE)
@pytest.mark.parametrize("csrf_token", ["", "x" * 64, "x"])
def test_a_form_without_a_valid_csrf_token_changes_nothing(
    alices: Browser, method: str, csrf_token: str
) -> None:
    todo = make_todo(owner_id="alice", title="Private")
    body = f"title=Changed&_method={method}&csrfmiddlewaretoken={csrf_token}"
    for path in paths(todo):
        answer = alices.client.post(path, body, FORM)
        assert answer.status_code == HTTPStatus.FORBIDDEN
        assert b"csrf_failed" in answer.content
        assert b"Private" not in answer.content
    todo.refresh_from_db()
    assert (Todo.objects.count(), todo.title) == (1, "Private")


def test_a_form_from_another_origin_changes_nothing(alices: Browser) -> None:
    form = alices.get("/api/todos/").form("title")
    token = form.value("csrfmiddlewaretoken")
    for origin in ("https://evil.example", "http://evil.testserver", "null"):
        answer = alices.client.post(
            "/api/todos/",
            f"title=x&csrfmiddlewaretoken={token}",
            FORM,
            headers={"origin": origin},
        )
        assert answer.status_code == HTTPStatus.FORBIDDEN
    assert not Todo.objects.exists()


def test_a_bearer_header_overrides_the_cookie(alices: Browser, mint: Mint) -> None:
    make_todo(owner_id="alice", title="Of Alice")
    make_todo(owner_id="bob", title="Of Bob")
    bob = {"authorization": f"Bearer {mint(sub='bob')}"}
    page = alices.get("/api/todos/", **bob)
    assert "Of Bob" in page.text
    assert "Of Alice" not in page.text
    assert "Logged in as bob" in page.text
    assert "Create" not in page.text  # the cookie would send the form as Alice


@pytest.mark.parametrize("token", ["nonsense", "", "x.y.z"])
def test_the_cookie_does_not_replace_a_refused_bearer_header(alices: Browser, token: str) -> None:
    page = alices.get("/api/todos/", authorization=f"Bearer {token}")
    assert page.status == HTTPStatus.UNAUTHORIZED
    assert "token_malformed" in page.html


def test_a_form_with_a_bearer_header_is_an_unsupported_media_type(
    alices: Browser, mint: Mint
) -> None:
    headers = {"authorization": f"Bearer {mint(sub='bob')}"}
    csrf = alices.get("/api/todos/").form("title").value("csrfmiddlewaretoken")
    body = f"title=x&csrfmiddlewaretoken={csrf}"
    answer = alices.client.post("/api/todos/", body, FORM, headers=headers)
    assert answer.status_code == HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    assert not Todo.objects.exists()


@pytest.mark.parametrize("method", UNSAFE)
def test_a_form_without_the_cookie_is_unauthorized(browser: Browser, method: str) -> None:
    todo = make_todo(owner_id="alice")
    csrf = browser.get("/api/login/").form("token").value("csrfmiddlewaretoken")
    body = f"title=x&_method={method}&csrfmiddlewaretoken={csrf}"
    for path in paths(todo):
        assert browser.client.post(path, body, FORM).status_code == HTTPStatus.UNAUTHORIZED


def test_a_strangers_todo_is_forbidden_on_pages(alices: Browser) -> None:
    todo = make_todo(owner_id="bob", title="Private")
    csrf = alices.get("/api/todos/").form("title").value("csrfmiddlewaretoken")
    for ending in ("", "complete/", "reopen/"):
        path = f"/api/todos/{todo.pk}/{ending}"
        assert alices.get(path).status == HTTPStatus.FORBIDDEN
        for method in UNSAFE:
            body = f"title=x&_method={method}&csrfmiddlewaretoken={csrf}"
            answer = alices.client.post(path, body, FORM)
            assert answer.status_code == HTTPStatus.FORBIDDEN
            assert b"permission_denied" in answer.content
            assert b"Private" not in answer.content
            assert b'<form method="post" action="/api/todos/' not in answer.content
    todo.refresh_from_db()
    assert todo.title == "Private"


@pytest.mark.parametrize("name", ["owner", "owner_id", "user_id"])
def test_a_form_that_names_an_owner_is_refused(alices: Browser, name: str) -> None:
    csrf = alices.get("/api/todos/").form("title").value("csrfmiddlewaretoken")
    body = f"title=x&{name}=bob&csrfmiddlewaretoken={csrf}"
    answer = alices.client.post("/api/todos/", body, FORM)
    assert answer.status_code == HTTPStatus.BAD_REQUEST
    assert not Todo.objects.exists()


def test_an_expired_cookie_links_to_login_and_back(alices: Browser, clock: Clock) -> None:
    clock.advance(931)
    page = alices.get("/api/todos/?completed=true")
    assert page.status == HTTPStatus.UNAUTHORIZED
    assert "The token has expired." in page.text
    assert page.links["Log in"] == "/api/login/?next=%2Fapi%2Ftodos%2F%3Fcompleted%3Dtrue"


def test_a_form_after_expiry_links_to_login_and_back_to_its_page(
    alices: Browser, clock: Clock
) -> None:
    todo = make_todo(owner_id="alice")
    page = alices.get(f"/api/todos/{todo.pk}/")
    clock.advance(931)
    page = page.form_to("/complete/").submit()
    assert page.status == HTTPStatus.UNAUTHORIZED
    assert page.links["Log in"] == f"/api/login/?next=%2Fapi%2Ftodos%2F{todo.pk}%2F"


def test_a_user_with_the_cookie_is_throttled(alices: Browser, settings: Settings) -> None:
    settings.THROTTLE_USER = (2, 3600)
    assert alices.get("/api/todos/").status == HTTPStatus.OK
    assert alices.get("/api/todos/").status == HTTPStatus.OK
    page = alices.get("/api/todos/")
    assert page.status == HTTPStatus.TOO_MANY_REQUESTS
    assert "Too many requests" in page.text


def test_a_remembered_cookie_passes_after_too_many_refusals(
    alices: Browser, browser: Browser, settings: Settings
) -> None:
    settings.THROTTLE_REFUSED = (2, 3600)
    kept = alices.client.cookies["todos_token"].value
    assert alices.get("/api/me/").status == HTTPStatus.OK
    alices.client.cookies["todos_token"] = "x.y.z"
    assert [alices.get("/api/me/").status for _ in range(3)] == [401, 401, 429]
    alices.client.cookies["todos_token"] = kept
    assert alices.get("/api/me/").status == HTTPStatus.OK


def test_refused_cookies_count_as_refused_tokens(
    browser: Browser, mint: Mint, settings: Settings
) -> None:
    settings.THROTTLE_REFUSED = (2, 3600)
    browser.client.cookies["todos_token"] = "x.y.z"
    assert [browser.get("/api/me/").status for _ in range(3)] == [401, 401, 429]
    browser.client.cookies["todos_token"] = mint()
    page = browser.get("/api/me/")
    assert page.status == HTTPStatus.TOO_MANY_REQUESTS
    assert int(page.response["Retry-After"]) > 0
    bearer = {"authorization": f"Bearer {mint()}", "accept": "*/*"}
    answer = browser.client.get("/api/me/", headers=bearer)
    assert answer.status_code == HTTPStatus.TOO_MANY_REQUESTS


class TestWithoutPages:
    def test_without_pages_the_cookie_authenticates_nothing(self, mint: Mint) -> None:
        client = Client(headers={"accept": ACCEPT})
        client.cookies["todos_token"] = mint()
        answer = client.get("/api/todos/")
        assert (answer.status_code, answer["Content-Type"]) == (401, "application/problem+json")

    def test_without_pages_a_form_is_unauthorized(self, mint: Mint) -> None:
        client = Client(headers={"accept": ACCEPT})
        client.cookies["todos_token"] = mint()
        assert client.post("/api/todos/", "title=x", FORM).status_code == HTTPStatus.UNAUTHORIZED

    def test_without_pages_no_cookie_is_read_or_set(self, alice: Client) -> None:
        alice.cookies["todos_csrftoken"] = alice.cookies["csrftoken"] = "x"
        for path in ("/api/todos/", "/healthz", "/nothing"):
            answer: Any = alice.get(path)
            assert not answer.cookies
            assert "Cookie" not in answer["Vary"]

    @pytest.mark.parametrize(
        "path",
        [
            *sorted(PAGES),
            "/api/login",
            "/static/browsable/style.css",
            "/static/drf_spectacular_sidecar/swagger-ui-dist/swagger-ui.css",
        ],
    )
    @pytest.mark.parametrize("method", ["GET", "POST"])
    def test_without_pages_their_addresses_are_not_found(self, method: str, path: str) -> None:
        answer: Any = Client(headers={"accept": ACCEPT}).generic(method, path)
        assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")

    def test_without_pages_a_browser_gets_json(self, alice: Client) -> None:
        todo = make_todo(owner_id="alice")
        for path in ("/", "/api/", f"/api/todos/{todo.pk}/", "/api/todos/?q=x", "/healthz"):
            answer = alice.get(path, headers={"accept": ACCEPT})
            assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
        for path in ("/nothing", "/api/todos/x/", "/api/todos/?x=1"):
            answer = alice.get(path, headers={"accept": ACCEPT})
            assert answer["Content-Type"] == "application/problem+json"

    def test_without_pages_html_alone_is_not_acceptable(self, alice: Client) -> None:
        answer = alice.get("/api/todos/", headers={"accept": "text/html"})
        assert answer.status_code == HTTPStatus.NOT_ACCEPTABLE
        assert json.loads(answer.content)["code"] == "not_acceptable"


def test_pages_change_no_json_response(browser: Browser, bearer: Bearer, mint: Mint) -> None:
    alice = bearer(mint(sub="alice"))
    todo = make_todo(owner_id="alice")
    for path in ("/api/", "/api/me/", "/api/todos/", f"/api/todos/{todo.pk}/"):
        for accept in ("*/*", "application/json"):
            answer = alice.get(path, headers={"accept": accept})
            assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
            assert "Cookie" not in answer["Vary"]
            assert "Set-Cookie" not in answer
