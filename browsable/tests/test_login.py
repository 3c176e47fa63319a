from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any

import pytest
from django.template import Context, Template
from django.test import RequestFactory
from pytest_django import Settings

from authn.testing import SECRET, Clock, Issuer, Mint
from authn.verifier import TokenVerifier
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


class TestToken:
    def test_a_pasted_token_logs_its_user_in(self, browser: Browser, mint: Mint) -> None:
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
    def test_a_token_is_found_in_pasted_text(
        self, browser: Browser, mint: Mint, pasted: str
    ) -> None:
        assert paste(browser, pasted.format(mint())).url == "/api/"

    def test_a_token_pasted_in_two_lines_is_accepted(self, browser: Browser, mint: Mint) -> None:
        token = mint()
        assert paste(browser, f"{token[:60]}\r\n{token[60:]}").url == "/api/"

    def test_the_cookie_is_http_only_and_expires_with_its_token(
        self, browser: Browser, mint: Mint
    ) -> None:
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
    def test_the_cookie_is_not_secure_with_debug(self, browser: Browser, mint: Mint) -> None:
        paste(browser, mint())
        assert cookie(browser)["secure"] == ""

    def test_a_token_of_a_key_set_logs_its_user_in(self, browser: Browser, issuer: Issuer) -> None:
        page = paste(browser, issuer.mint(sub="bob"))
        assert "Logged in as bob" in page.text

    @pytest.mark.parametrize(("length", "kept"), [(4085, True), (4086, False)])
    def test_a_cookie_fits_up_to_4096_octets(self, length: int, *, kept: bool) -> None:
        assert cookies.fits("x" * length) == kept

    def test_a_token_too_long_for_a_cookie_is_refused(self, browser: Browser, mint: Mint) -> None:
        page = paste(browser, mint(image="x" * 3500))
        assert page.status == HTTPStatus.BAD_REQUEST
        assert "more than a browser keeps in a cookie" in page.text
        assert "todos_token" not in browser.client.cookies


class TestRefusal:
    def test_a_refusal_tells_when_the_token_expired(
        self, browser: Browser, mint: Mint, clock: Clock
    ) -> None:
        page = paste(browser, mint(exp=int(clock()) - 180))
        assert page.status == HTTPStatus.BAD_REQUEST
        assert "The token has expired. It expired 3 minutes ago." in page.text
        assert "todos_token" not in browser.client.cookies

    def test_a_refusal_tells_the_expected_audience(
        self, browser: Browser, mint: Mint, settings: Settings
    ) -> None:
        settings.BETTER_AUTH_AUDIENCE = ["todos"]
        page = paste(browser, mint(aud="shop"))
        assert "Its audience is shop; this API expects todos." in page.text
        assert "Check BETTER_AUTH_AUDIENCE" in page.text

    @pytest.mark.parametrize("pasted", ["", "   ", '"', "Bearer "])
    def test_an_empty_token_is_refused(self, browser: Browser, pasted: str) -> None:
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
    def test_a_malformed_token_is_refused(self, browser: Browser, pasted: str) -> None:
        page = paste(browser, pasted)
        assert page.status == HTTPStatus.BAD_REQUEST
        assert "The token is not a well-formed JWT." in page.text

    def test_a_token_over_8_kib_is_refused_with_advice(self, browser: Browser, mint: Mint) -> None:
        page = paste(browser, mint(image="A" * 9000))
        assert page.status == HTTPStatus.BAD_REQUEST
        assert "The token is longer than 8 KiB." in page.text
        assert "definePayload" in page.text

    def test_the_login_page_keeps_the_pasted_text(self, browser: Browser) -> None:
        page = paste(browser, "<script>alert(1)</script>")
        assert page.form("token").value("token") == "<script>alert(1)</script>"
        assert "<script>" not in page.html

    def test_login_is_unavailable_while_the_issuer_is_down(
        self, browser: Browser, issuer: Issuer
    ) -> None:
        issuer.broken = True
        page = paste(browser, issuer.mint())
        assert page.status == HTTPStatus.SERVICE_UNAVAILABLE
        assert int(page.response["Retry-After"]) > 0
        assert f"Try again in {page.response['Retry-After']} seconds." in page.text

    def test_the_key_set_url_is_shown_with_debug_only(
        self, browser: Browser, issuer: Issuer, settings: Settings
    ) -> None:
        issuer.broken = True
        settings.BETTER_AUTH_JWKS_URL = "https://internal.example/jwks?key=hunter2"
        assert "internal" not in paste(browser, issuer.mint()).text
        settings.DEBUG = True
        issuer.clock.advance(60)
        assert "This API asked https://internal.example" in paste(browser, issuer.mint()).text

    def test_an_expired_token_within_the_leeway_is_refused(
        self, browser: Browser, mint: Mint, clock: Clock
    ) -> None:
        page = paste(browser, mint(exp=int(clock()) - 10))
        assert page.status == HTTPStatus.BAD_REQUEST
        assert "The token has expired" in page.text

    def test_an_address_is_throttled_after_refused_logins(
        self, browser: Browser, mint: Mint, settings: Settings
    ) -> None:
        settings.THROTTLE_REFUSED = (2, 3600)
        for _ in range(2):
            assert paste(browser, "x.y.z").status == HTTPStatus.BAD_REQUEST
        page = paste(browser, mint())
        assert page.status == HTTPStatus.TOO_MANY_REQUESTS
        assert int(page.response["Retry-After"]) > 0
        assert "todos_token" not in browser.client.cookies

    def test_the_cookie_of_an_address_without_refusals_left_is_not_verified(
        self, browser: Browser, mint: Mint, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.THROTTLE_REFUSED = (0, 3600)
        monkeypatch.setattr(TokenVerifier, "_verify_anew", pytest.fail)
        browser.client.cookies[cookies.NAME] = mint()
        assert browser.get(LOGIN).status == HTTPStatus.OK

    def test_no_part_of_a_refused_token_is_logged(
        self, browser: Browser, mint: Mint, caplog: pytest.LogCaptureFixture
    ) -> None:
        token = mint(exp=1, email="private@example.com")
        paste(browser, token)
        assert token.split(".")[1] not in caplog.text
        assert "private" not in caplog.text


class TestPage:
    @pytest.mark.usefixtures("_debug")
    @pytest.mark.parametrize("name", ["token", "name"])
    def test_the_refused_field_is_marked_invalid(self, browser: Browser, name: str) -> None:
        page = browser.get(LOGIN).form(name).submit(**{name: "\x07"})
        marked = re.findall(r'<\w+ id="(\w+)"[^>]*refusal" aria-invalid="true"', page.html)
        assert marked == [name]

    def test_the_login_page_works_without_signing_keys(
        self, browser: Browser, issuer: Issuer
    ) -> None:
        browser.client.cookies["todos_token"] = issuer.mint()
        issuer.broken = True
        page = browser.get(LOGIN)
        assert page.status == HTTPStatus.OK
        assert "logged in." not in page.text

    def test_a_refused_login_is_not_cached(self, browser: Browser) -> None:
        assert "no-store" in paste(browser, "x").response["Cache-Control"]


class TestName:
    @pytest.mark.usefixtures("_debug")
    def test_any_user_logs_in_by_name_with_debug(self, browser: Browser) -> None:
        form = browser.get(LOGIN).form("name")
        assert form.value("name") == "demo"
        page = form.submit()
        assert "Logged in as demo" in page.text
        assert "(11 hours, 59 minutes left)" in page.text
        assert "Logged in as carol" in browser.get(LOGIN).form("name").submit(name="carol").text

    @pytest.mark.usefixtures("_debug")
    @pytest.mark.parametrize("name", ["", " ", "x" * 256, "\x07"])
    def test_a_name_that_is_no_user_id_is_refused(self, browser: Browser, name: str) -> None:
        page = browser.get(LOGIN).form("name").submit(name=name)
        assert page.status == HTTPStatus.BAD_REQUEST
        assert "A user id has 1 to 255 characters" in page.text

    def test_login_by_name_is_off_without_debug(self, browser: Browser) -> None:
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
    def test_login_by_name_is_off_for_other_machines_and_proxies(
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
    def test_login_by_name_works_on_this_machine(self, browser: Browser, peer: str) -> None:
        browser.client.defaults["REMOTE_ADDR"] = peer
        assert "Logged in as demo" in browser.get(LOGIN).form("name").submit().text

    @pytest.mark.usefixtures("_debug")
    def test_login_by_name_is_off_without_a_secret(
        self, browser: Browser, settings: Settings
    ) -> None:
        settings.BETTER_AUTH_URL, settings.BETTER_AUTH_SECRET = "https://app.example.com", ""
        assert "Log in as" not in browser.get(LOGIN).text


class TestNext:
    def test_login_returns_to_the_page_that_asked_for_it(
        self, browser: Browser, mint: Mint
    ) -> None:
        page = browser.get("/api/todos/?completed=false")
        assert page.status == HTTPStatus.UNAUTHORIZED
        page = browser.get(page.links["Log in"]).form("token").submit(token=mint())
        assert (page.url, page.status) == ("/api/todos/?completed=false", 200)

    def test_a_refused_login_keeps_the_page_to_return_to(
        self, browser: Browser, mint: Mint
    ) -> None:
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
    def test_login_never_redirects_to_another_host(
        self, browser: Browser, mint: Mint, elsewhere: str
    ) -> None:
        form = browser.get(LOGIN).form("token")
        values = {"csrfmiddlewaretoken": form.value("csrfmiddlewaretoken")}
        values |= {"token": mint(), "next": elsewhere}
        response = browser.client.post(LOGIN, values)
        assert response["Location"] == "/api/"

    def test_a_logged_in_user_can_return_without_a_token(self, alices: Browser) -> None:
        page = alices.get(f"{LOGIN}?next=/api/me/")
        assert "You are logged in." in page.text
        assert page.links["back to the previous page"] == "/api/me/"


class TestLogout:
    def test_logout_removes_the_cookie(self, alices: Browser) -> None:
        page = alices.get("/api/todos/").form_to("/api/logout/").submit()
        assert page.url == LOGIN
        assert cookie(alices).value == ""
        assert cookie(alices)["max-age"] == 0
        assert cookie(alices)["path"] == "/api"
        assert alices.get("/api/todos/").status == HTTPStatus.UNAUTHORIZED

    def test_logout_clears_the_browser_cache(self, alices: Browser) -> None:
        address = f"{LOGIN}forget.css"
        assert address not in alices.get(LOGIN).html
        page = alices.get("/api/todos/").form_to("/api/logout/").submit()
        assert f'<link rel="stylesheet" href="{address}">' in page.html
        answer = alices.client.get(address)
        assert (answer.status_code, answer["Content-Type"]) == (200, "text/css")
        assert answer["Clear-Site-Data"] == '"cache"'

    def test_logout_needs_a_csrf_token(self, alices: Browser) -> None:
        response = alices.client.post("/api/logout/")
        assert response.status_code == HTTPStatus.FORBIDDEN
        assert cookie(alices).value

    def test_logout_by_get_is_not_allowed(self, alices: Browser) -> None:
        response: Any = alices.client.get("/api/logout/")
        assert response.status_code == HTTPStatus.METHOD_NOT_ALLOWED
        assert response["Allow"] == "POST"


class TestForgery:
    def test_login_needs_a_csrf_token(self, browser: Browser, mint: Mint) -> None:
        response = browser.client.post(LOGIN, {"token": mint()})
        assert response.status_code == HTTPStatus.FORBIDDEN
        assert b"This form is not from a page of this API" in response.content
        headers = {"accept": "application/json"}
        response = browser.client.post(LOGIN, {"token": mint()}, headers=headers)
        assert response.status_code == HTTPStatus.FORBIDDEN
        assert response["Content-Type"] == "application/problem+json"
        assert "todos_token" not in browser.client.cookies

    def test_login_from_another_origin_is_refused(self, browser: Browser, mint: Mint) -> None:
        form = browser.get(LOGIN).form("token")
        values = {"token": mint(), "csrfmiddlewaretoken": form.value("csrfmiddlewaretoken")}
        headers = {"origin": "https://evil.example"}
        response = browser.client.post(LOGIN, values, headers=headers)
        assert response.status_code == HTTPStatus.FORBIDDEN
        assert "todos_token" not in browser.client.cookies


def test_drfs_login_link_leads_to_the_login_page(browser: Browser) -> None:
    template = Template("{% load rest_framework %}{% optional_login request %}")
    html = template.render(Context({"request": RequestFactory().get("/api/todos/")}))
    assert 'href="/api/login/?next=/api/todos/"' in html.replace("'", '"')


def test_the_login_page_warns_about_plain_http(browser: Browser) -> None:
    assert "your browser may not keep a token" in browser.get(LOGIN).text
    headers = {"x-forwarded-proto": "https"}
    assert "your browser may not keep a token" not in browser.get(LOGIN, **headers).text


def test_the_login_page_does_not_show_the_secret(browser: Browser) -> None:
    assert SECRET not in browser.get(LOGIN).html
