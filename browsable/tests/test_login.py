from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any

import pytest
from django.template import Context, Template
from django.test import RequestFactory
from pytest_django import Settings

from authn.testing import SECRET, Clock, Issuer, Mint
from browsable import cookies
from browsable.tests.browser import Browser, Page

pytestmark = pytest.mark.django_db

LOGIN = "/api/login/"


def paste(browser: Browser, text: str, *, address: str = LOGIN) -> Page:
    return browser.get(address).form("token").submit(token=text)


def cookie(browser: Browser) -> Any:
    return browser.client.cookies["todos_token"]


@pytest.fixture
def _debug(settings: Settings) -> None:
    settings.DEBUG = True


class TestAToken:
    def test_it_signs_its_user_in(self, browser: Browser, mint: Mint) -> None:
        page = paste(browser, mint(sub="alice", name="Alice"))
        assert (page.url, page.status) == ("/api/", 200)
        assert "Logged in as Alice until" in page.text
        assert "(14 minutes left)" in page.text

    @pytest.mark.parametrize(
        "pasted",
        [
            "{}",
            "  {}\n",
            '"{}"',
            "Bearer {}",
            "Authorization: bearer {}",
            '{{"token": "{}"}}',
            '{{"token":"{}","more":1}}\n',
        ],
    )
    def test_it_is_taken_as_people_paste_it(
        self, browser: Browser, mint: Mint, pasted: str
    ) -> None:
        assert paste(browser, pasted.format(mint())).url == "/api/"

    def test_one_that_was_wrapped_is_taken(self, browser: Browser, mint: Mint) -> None:
        token = mint()
        assert paste(browser, f"{token[:60]}\r\n{token[60:]}").url == "/api/"

    def test_it_is_kept_out_of_reach_until_it_ends(self, browser: Browser, mint: Mint) -> None:
        token = mint()
        paste(browser, token)
        morsel = cookie(browser)
        assert morsel.value == token
        assert morsel["httponly"] is True
        assert morsel["secure"] is True
        assert morsel["samesite"] == "Strict"
        assert morsel["path"] == "/api"
        assert morsel["domain"] == ""
        assert 890 <= morsel["max-age"] <= 900

    @pytest.mark.usefixtures("_debug")
    def test_plain_http_does_in_development(self, browser: Browser, mint: Mint) -> None:
        paste(browser, mint())
        assert cookie(browser)["secure"] == ""

    def test_one_of_a_key_set_does_as_well(self, browser: Browser, issuer: Issuer) -> None:
        page = paste(browser, issuer.mint(sub="bob"))
        assert "Logged in as bob" in page.text

    @pytest.mark.parametrize(("length", "kept"), [(4085, True), (4086, False)])
    def test_a_browser_keeps_4096_octets(self, length: int, *, kept: bool) -> None:
        assert cookies.fits("x" * length) == kept

    def test_one_that_no_browser_would_keep_is_refused(self, browser: Browser, mint: Mint) -> None:
        page = paste(browser, mint(image="x" * 3500))
        assert page.status == HTTPStatus.BAD_REQUEST
        assert "more than a browser keeps in a cookie" in page.text
        assert "todos_token" not in browser.client.cookies


class TestARefusal:
    def test_it_says_when_it_expired(self, browser: Browser, mint: Mint, clock: Clock) -> None:
        page = paste(browser, mint(exp=int(clock()) - 180))
        assert page.status == HTTPStatus.BAD_REQUEST
        assert "The token has expired. It expired 3 minutes ago." in page.text
        assert "todos_token" not in browser.client.cookies

    def test_it_says_what_is_expected(
        self, browser: Browser, mint: Mint, settings: Settings
    ) -> None:
        settings.BETTER_AUTH_AUDIENCE = ["todos"]
        page = paste(browser, mint(aud="shop"))
        assert "Its audience is shop; this API expects todos." in page.text
        assert "Check BETTER_AUTH_AUDIENCE" in page.text

    @pytest.mark.parametrize("pasted", ["", "   ", '"', "Bearer "])
    def test_nothing_is_no_token(self, browser: Browser, pasted: str) -> None:
        assert "Paste a token first." in paste(browser, pasted).text

    @pytest.mark.parametrize(
        "pasted",
        [
            "a session token",
            "{",
            "{}",
            "[1]",
            '{"token": 5}',
            '{"token": null}',
            "é" * 999,
            '{"token":' + "[" * 5_000,
        ],
    )
    def test_what_is_no_jwt_is_named(self, browser: Browser, pasted: str) -> None:
        page = paste(browser, pasted)
        assert page.status == HTTPStatus.BAD_REQUEST
        assert "The token is not a well-formed JWT." in page.text

    def test_one_that_is_too_long_is_named_with_its_remedy(
        self, browser: Browser, mint: Mint
    ) -> None:
        page = paste(browser, mint(image="A" * 9000))
        assert page.status == HTTPStatus.BAD_REQUEST
        assert "The token is longer than 8 KiB." in page.text
        assert "definePayload" in page.text

    def test_what_was_pasted_is_still_there(self, browser: Browser) -> None:
        page = paste(browser, "<script>alert(1)</script>")
        assert page.form("token").value("token") == "<script>alert(1)</script>"
        assert "<script>" not in page.html

    def test_an_issuer_that_is_down_is_no_fault_of_the_token(
        self, browser: Browser, issuer: Issuer
    ) -> None:
        issuer.broken = True
        page = paste(browser, issuer.mint())
        assert page.status == HTTPStatus.SERVICE_UNAVAILABLE
        assert int(page.response["Retry-After"]) > 0
        assert f"Try again in {page.response['Retry-After']} seconds." in page.text

    def test_whose_keys_were_asked_for_is_not_for_strangers(
        self, browser: Browser, issuer: Issuer, settings: Settings
    ) -> None:
        issuer.broken = True
        settings.BETTER_AUTH_JWKS_URL = "https://internal.example/jwks?key=hunter2"
        assert "internal" not in paste(browser, issuer.mint()).text
        settings.DEBUG = True
        issuer.clock.advance(60)
        assert "This API asked https://internal.example" in paste(browser, issuer.mint()).text

    def test_one_in_its_leeway_is_of_no_use_to_a_browser(
        self, browser: Browser, mint: Mint, clock: Clock
    ) -> None:
        page = paste(browser, mint(exp=int(clock()) - 10))
        assert page.status == HTTPStatus.BAD_REQUEST
        assert "The token has expired" in page.text

    def test_an_address_cannot_try_tokens_without_end(
        self, browser: Browser, mint: Mint, settings: Settings
    ) -> None:
        settings.THROTTLE_REFUSED = (2, 3600)
        for _ in range(2):
            assert paste(browser, "x.y.z").status == HTTPStatus.BAD_REQUEST
        page = paste(browser, mint())
        assert page.status == HTTPStatus.TOO_MANY_REQUESTS
        assert int(page.response["Retry-After"]) > 0
        assert "todos_token" not in browser.client.cookies

    def test_a_token_never_reaches_the_log(
        self, browser: Browser, mint: Mint, caplog: pytest.LogCaptureFixture
    ) -> None:
        token = mint(exp=1, email="private@example.com")
        paste(browser, token)
        assert token.split(".")[1] not in caplog.text
        assert "private" not in caplog.text


class TestWhatIsMarkedAsWrong:
    @pytest.mark.usefixtures("_debug")
    @pytest.mark.parametrize("name", ["token", "name"])
    def test_it_is_the_field_that_was_sent(self, browser: Browser, name: str) -> None:
        page = browser.get(LOGIN).form(name).submit(**{name: "\x07"})
        marked = re.findall(r'<\w+ id="(\w+)"[^>]*refusal" aria-invalid="true"', page.html)
        assert marked == [name]

    def test_the_page_is_there_while_keys_are_not(self, browser: Browser, issuer: Issuer) -> None:
        browser.client.cookies["todos_token"] = issuer.mint()
        issuer.broken = True
        page = browser.get(LOGIN)
        assert page.status == HTTPStatus.OK
        assert "logged in." not in page.text

    def test_no_cache_keeps_what_was_pasted(self, browser: Browser) -> None:
        assert "no-store" in paste(browser, "x").response["Cache-Control"]


class TestAName:
    @pytest.mark.usefixtures("_debug")
    def test_anybody_can_be_signed_in_for_development(self, browser: Browser) -> None:
        form = browser.get(LOGIN).form("name")
        assert form.value("name") == "demo"
        page = form.submit()
        assert "Logged in as demo" in page.text
        assert "(11 hours, 59 minutes left)" in page.text
        assert "Logged in as carol" in browser.get(LOGIN).form("name").submit(name="carol").text

    @pytest.mark.usefixtures("_debug")
    @pytest.mark.parametrize("name", ["", " ", "x" * 256, "\x07"])
    def test_what_is_no_identity_is_refused(self, browser: Browser, name: str) -> None:
        page = browser.get(LOGIN).form("name").submit(name=name)
        assert page.status == HTTPStatus.BAD_REQUEST
        assert "A user id has 1 to 255 characters" in page.text

    def test_nobody_is_made_up_in_production(self, browser: Browser) -> None:
        page = browser.get(LOGIN)
        assert "Log in as" not in page.text
        form = page.form("token")
        page = browser.send(form, [*form.fields, ("name", "alice")])
        assert page.status == HTTPStatus.BAD_REQUEST
        assert "todos_token" not in browser.client.cookies

    @pytest.mark.usefixtures("_debug")
    @pytest.mark.parametrize(
        "environ",
        [
            {"REMOTE_ADDR": "192.168.1.5"},
            {"REMOTE_ADDR": "2001:db8::1"},
            {"REMOTE_ADDR": "::ffff:192.168.1.5"},
            {"REMOTE_ADDR": ""},
            {"HTTP_X_FORWARDED_FOR": "127.0.0.1"},
            {"HTTP_X_FORWARDED_PROTO": "http"},
            {"HTTP_X_FORWARDED_HOST": "localhost"},
            {"HTTP_FORWARDED": "for=127.0.0.1"},
            {"HTTP_X_REAL_IP": "127.0.0.1"},
            {"HTTP_VIA": "1.1 proxy"},
        ],
        ids=repr,
    )
    def test_a_name_is_not_enough_from_elsewhere(
        self, browser: Browser, environ: dict[str, str]
    ) -> None:
        form = browser.get(LOGIN).form("name")
        browser.client.defaults.update(environ)
        assert "Log in as" not in browser.get(LOGIN).text
        page = browser.send(form, [*form.fields, ("name", "alice")])
        assert page.status == HTTPStatus.BAD_REQUEST
        assert "todos_token" not in browser.client.cookies

    @pytest.mark.usefixtures("_debug")
    @pytest.mark.parametrize("peer", ["127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1"])
    def test_a_name_is_enough_on_this_machine(self, browser: Browser, peer: str) -> None:
        browser.client.defaults["REMOTE_ADDR"] = peer
        assert "Logged in as demo" in browser.get(LOGIN).form("name").submit().text

    @pytest.mark.usefixtures("_debug")
    def test_nor_where_only_an_issuer_can_sign(self, browser: Browser, settings: Settings) -> None:
        settings.BETTER_AUTH_URL, settings.BETTER_AUTH_SECRET = "https://app.example.com", ""
        assert "Log in as" not in browser.get(LOGIN).text


class TestTheWayBack:
    def test_it_leads_to_where_somebody_was(self, browser: Browser, mint: Mint) -> None:
        page = browser.get("/api/todos/?completed=false")
        assert page.status == HTTPStatus.UNAUTHORIZED
        page = browser.get(page.links["Log in"]).form("token").submit(token=mint())
        assert (page.url, page.status) == ("/api/todos/?completed=false", 200)

    def test_a_mistake_does_not_lose_it(self, browser: Browser, mint: Mint) -> None:
        page = paste(browser, "nonsense", address=f"{LOGIN}?next=/api/me/")
        assert page.form("token").submit(token=mint()).url == "/api/me/"

    @pytest.mark.parametrize(
        "elsewhere",
        [
            "https://evil.example/",
            "//evil.example/",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "javascript:alert(1)",
            "data:text/html,x",
            "http:evil.example",
            " //evil.example",
            "/\t/evil.example",
            "api/todos/",
            "\x00//evil.example",
            "//",
            "https://testserver@evil.example/",
        ],
    )
    def test_it_never_leaves_this_host(self, browser: Browser, mint: Mint, elsewhere: str) -> None:
        form = browser.get(LOGIN).form("token")
        values = {"csrfmiddlewaretoken": form.value("csrfmiddlewaretoken")}
        values |= {"token": mint(), "next": elsewhere}
        response = browser.client.post(LOGIN, values)
        assert response["Location"] == "/api/"

    def test_who_is_signed_in_can_go_back_as_they_are(self, alices: Browser) -> None:
        page = alices.get(f"{LOGIN}?next=/api/me/")
        assert "You are logged in." in page.text
        assert page.links["back to the previous page"] == "/api/me/"


class TestLoggingOut:
    def test_it_forgets_the_token(self, alices: Browser) -> None:
        page = alices.get("/api/todos/").form_to("/api/logout/").submit()
        assert page.url == LOGIN
        assert cookie(alices).value == ""
        assert cookie(alices)["max-age"] == 0
        assert cookie(alices)["path"] == "/api"
        assert alices.get("/api/todos/").status == HTTPStatus.UNAUTHORIZED

    def test_a_browser_forgets_the_pages_too(self, alices: Browser) -> None:
        address = f"{LOGIN}forget.css"
        assert address not in alices.get(LOGIN).html
        page = alices.get("/api/todos/").form_to("/api/logout/").submit()
        assert f'<link rel="stylesheet" href="{address}">' in page.html
        answer = alices.client.get(address)
        assert (answer.status_code, answer["Content-Type"]) == (200, "text/css")
        assert answer["Clear-Site-Data"] == '"cache"'

    def test_another_site_cannot_do_it(self, alices: Browser) -> None:
        response = alices.client.post("/api/logout/")
        assert response.status_code == HTTPStatus.FORBIDDEN
        assert cookie(alices).value

    def test_a_link_cannot_do_it(self, alices: Browser) -> None:
        response: Any = alices.client.get("/api/logout/")
        assert response.status_code == HTTPStatus.METHOD_NOT_ALLOWED
        assert response["Allow"] == "POST"


class TestForgery:
    def test_another_site_cannot_sign_somebody_in(self, browser: Browser, mint: Mint) -> None:
        response = browser.client.post(LOGIN, {"token": mint()})
        assert response.status_code == HTTPStatus.FORBIDDEN
        assert b"This form is not from a page of this API" in response.content
        headers = {"accept": "application/json"}
        response = browser.client.post(LOGIN, {"token": mint()}, headers=headers)
        assert response.status_code == HTTPStatus.FORBIDDEN
        assert response["Content-Type"] == "application/problem+json"
        assert "todos_token" not in browser.client.cookies

    def test_nor_with_a_csrf_token_of_its_own(self, browser: Browser, mint: Mint) -> None:
        form = browser.get(LOGIN).form("token")
        values = {"token": mint(), "csrfmiddlewaretoken": form.value("csrfmiddlewaretoken")}
        headers = {"origin": "https://evil.example"}
        response = browser.client.post(LOGIN, values, headers=headers)
        assert response.status_code == HTTPStatus.FORBIDDEN
        assert "todos_token" not in browser.client.cookies


def test_the_frameworks_own_links_lead_here(browser: Browser) -> None:
    template = Template("{% load rest_framework %}{% optional_login request %}")
    html = template.render(Context({"request": RequestFactory().get("/api/todos/")}))
    assert 'href="/api/login/?next=/api/todos/"' in html.replace("'", '"')


def test_it_tells_why_plain_http_will_not_do(browser: Browser) -> None:
    assert "your browser may not keep a token" in browser.get(LOGIN).text
    headers = {"x-forwarded-proto": "https"}
    assert "your browser may not keep a token" not in browser.get(LOGIN, **headers).text


def test_the_secret_is_on_no_page(browser: Browser) -> None:
    assert SECRET not in browser.get(LOGIN).html
