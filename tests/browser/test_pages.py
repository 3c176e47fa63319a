"""Users log in, work with todos and lists, and log out in Chromium.

A complaint of the visitor fails the test at its end (``Visitor.complaints``). Needs Chromium; run
with ``pytest -m browser``.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import Locator, Route

from browsable.cookies import NAME as COOKIE
from tests.browser.chromium import DESKTOP, PHONE, Site, Visitor

pytestmark = pytest.mark.browser

TODOS = "/api/todos/"
LISTS = "/api/lists/"
SOON_SECONDS = 10
ENOUGH_TABS = 60


@pytest.fixture
def visitor(site: Site) -> Iterator[Visitor]:
    with site.visitor() as visitor:
        yield visitor


@pytest.fixture
def alices_token(site: Site) -> str:
    """The token of a user without todos."""
    return site.mint(sub=str(uuid.uuid4()), name="Alice")


@pytest.fixture
def alice(visitor: Visitor, alices_token: str) -> Visitor:
    visitor.sign_in(alices_token)
    return visitor


def test_a_todo_is_created_and_completed_with_the_mouse_only(visitor: Visitor) -> None:
    visitor.open("/api/", status=401)
    visitor.click(in_main(visitor, "Log in"))
    visitor.press("Log in as this user")
    visitor.follow("Todos")
    visitor.page.get_by_text("Write the JSON by hand").click()
    visitor.press("POST this JSON", status=201)
    visitor.press("Complete")
    assert visitor.answer["completed"] is True


def in_main(visitor: Visitor, link: str) -> Locator:
    return visitor.page.get_by_role("main").get_by_role("link", name=link, exact=True)


class TestCookie:
    def test_no_script_reads_the_cookie(self, site: Site, visitor: Visitor) -> None:
        expires_at = int(time.time()) + 900
        visitor.sign_in(site.mint(exp=expires_at))
        cookie = visitor.cookies[COOKIE]
        assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Strict", "/api")
        assert cookie["expires"] == pytest.approx(expires_at, abs=2)
        for path in ("/api/", "/api/docs/"):
            visitor.open(path)
            assert visitor.page.evaluate("document.cookie") == ""

    def test_an_expired_cookie_leads_to_login_and_back(self, site: Site, visitor: Visitor) -> None:
        expires_at = int(time.time()) + SOON_SECONDS
        visitor.sign_in(site.mint(exp=expires_at))
        visitor.follow("Todos")
        wait_until(expires_at)
        visitor.follow("Me", status=401)
        visitor.click(in_main(visitor, "Log in"))
        visitor.paste(site.mint(sub="alice"))
        assert visitor.path == "/api/me/"

    def test_a_form_after_expiry_leads_to_login_and_back(
        self, site: Site, visitor: Visitor
    ) -> None:
        expires_at = int(time.time()) + SOON_SECONDS
        visitor.sign_in(site.mint(exp=expires_at))
        visitor.follow("Todos")
        visitor.fill("POST", title="Buy milk")
        wait_until(expires_at)
        visitor.press("POST", status=401)
        visitor.click(in_main(visitor, "Log in"))
        visitor.paste(site.mint())
        assert visitor.path == TODOS

    def test_logout_removes_the_cookie(self, alice: Visitor) -> None:
        alice.press("Log out")
        assert COOKIE not in alice.cookies
        alice.open(TODOS, status=401)

    def test_back_shows_no_todo_after_logout(self, alice: Visitor, alices_token: str) -> None:
        alice.api.post(TODOS, alices_token, {"title": "A secret"})
        alice.follow("Todos")
        assert "A secret" in alice.text
        alice.press("Log out")
        alice.expect(alice.page.go_back(wait_until="commit"), 401)
        assert "A secret" not in alice.text

    def test_the_cookie_is_secure_in_production(self, site: Site) -> None:
        with site.visitor(site.production) as visitor:
            visitor.open("/api/login/")
            assert "Log in as any user" not in visitor.text
            visitor.paste(site.mint(sub="alice"))
            assert visitor.cookies[COOKIE]["secure"] is True


def wait_until(second: int) -> None:
    time.sleep(max(0.0, second + 0.1 - time.time()))


class TestTodos:
    def test_a_todo_is_created_changed_completed_and_deleted(self, alice: Visitor) -> None:
        alice.follow("Todos")
        alice.fill("POST", title="Buy <milk>", tags="home\nshop", due_date="2026-12-24")
        alice.page.get_by_label("Priority").select_option("high")
        alice.press("POST", status=201)
        created = {"title": "Buy <milk>", "due_date": "2026-12-24", "priority": "high"}
        assert alice.answer == {**alice.answer, **created, "tags": ["home", "shop"]}
        alice.fill("PATCH", description="Two\nlitres")
        alice.press("PATCH")
        assert alice.answer == {**alice.answer, **created, "description": "Two\nlitres"}
        alice.press("Complete")
        assert alice.answer["completed"] is True
        alice.press("Reopen")
        assert alice.answer["completed"] is False
        alice.page.get_by_text("Delete…").click()
        alice.press("Delete")
        alice.follow("Todos")
        assert alice.answer["results"] == []

    def test_a_list_is_filtered_and_paged(self, alice: Visitor, alices_token: str) -> None:
        for title, priority in [("a", "high"), ("b", "low"), ("c", "high")]:
            alice.api.post(TODOS, alices_token, {"title": title, "priority": priority})
        alice.open(TODOS)
        alice.page.get_by_text("Filter and order").click()
        alice.page.get_by_label("high").check()
        alice.page.get_by_label("ordering").select_option("title")
        alice.page.get_by_label("limit").fill("1")
        alice.press("Apply")
        assert alice.path == f"{TODOS}?priority=high&ordering=title&limit=1"
        assert titles_in(alice) == ["a"]
        alice.follow("Next page →")
        assert titles_in(alice) == ["c"]
        alice.follow("← Previous page")
        assert titles_in(alice) == ["a"]
        alice.follow("Remove all filters")
        assert alice.path == TODOS
        assert len(titles_in(alice)) == 3

    def test_a_button_pressed_twice_creates_one_todo(
        self, alice: Visitor, alices_token: str
    ) -> None:
        sent: list[Route] = []

        def answer_the_second_alone(route: Route) -> None:
            sent.append(route)
            response = route.fetch()
            if route is not sent[0]:
                route.fulfill(response=response)

        alice.open(TODOS)
        alice.fill("POST", title="Buy milk")
        alice.page.get_by_role("button", name="POST", exact=True).focus()
        url = f"{alice.api.url}{TODOS}"
        alice.context.route(url, answer_the_second_alone)
        for _ in range(2):
            with alice.page.expect_request(url):
                alice.page.keyboard.press("Space")
        alice.page.get_by_role("button", name="Complete").wait_for()
        assert len(sent) == 2
        assert len(alice.api.get(TODOS, alices_token).data["results"]) == 1

    def test_reloading_after_a_create_creates_no_second_todo(
        self, alice: Visitor, alices_token: str
    ) -> None:
        alice.open(TODOS)
        alice.fill("POST", title="Buy milk")
        alice.press("POST", status=201)
        first = alice.answer["id"]
        alice.expect(alice.page.reload(), 201)
        assert alice.answer["id"] == first
        assert len(alice.api.get(TODOS, alices_token).data["results"]) == 1

    def test_a_todo_is_created_with_the_keyboard_only(self, alice: Visitor) -> None:
        alice.open(TODOS)
        alice.page.keyboard.press("Tab")
        assert alice.focused.inner_text() == "Skip to the content"
        assert alice.focused.bounding_box()["x"] >= 0  # type: ignore[index]
        alice.page.keyboard.press("Enter")
        assert alice.focused.get_attribute("id") == "main"
        tab_to(alice, "title")
        alice.page.keyboard.type("Buy milk")
        with alice.page.expect_navigation() as navigation:
            alice.page.keyboard.press("Enter")
        alice.expect(navigation.value, 201)
        assert alice.answer["title"] == "Buy milk"


def titles_in(visitor: Visitor) -> list[str]:
    return [todo["title"] for todo in visitor.answer["results"]]


def tab_to(visitor: Visitor, name: str) -> None:
    """Press Tab until the input has the focus. Each stop has a visible outline."""
    for _ in range(ENOUGH_TABS):
        visitor.page.keyboard.press("Tab")
        outline = "element => getComputedStyle(element).outlineStyle"
        assert visitor.focused.evaluate(outline) == "solid"
        if visitor.focused.get_attribute("name") == name:
            return
    raise AssertionError(f"no {name} within {ENOUGH_TABS} stops")


@pytest.mark.parametrize("device", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_list_is_created_renamed_filled_and_deleted(
    site: Site, alices_token: str, device: dict[str, Any]
) -> None:
    with site.visitor(**device) as alice:
        alice.sign_in(alices_token)
        alice.follow("Lists")
        alice.fill("POST", name="Home", color="#ff8800")
        alice.press("POST", status=201)
        home = alice.answer["id"]
        alice.fill("PATCH", name="At <home>")
        alice.press("PATCH")
        assert (alice.answer["name"], alice.answer["color"]) == ("At <home>", "#ff8800")
        alice.follow("Todos")
        alice.fill("POST", title="Sweep", list_id=home)
        alice.press("POST", status=201)
        todo = alice.answer["id"]
        alice.open(f"{TODOS}?list={home}")
        assert titles_in(alice) == ["Sweep"]
        alice.follow("Lists")
        alice.follow(f'"{home}"')
        assert alice.path == f"{LISTS}{home}/"
        alice.page.get_by_text("Delete…").click()
        alice.press("Delete")
        alice.follow("Back to the list")
        assert (alice.path, alice.answer["results"]) == (LISTS, [])
        alice.open(f"{TODOS}{todo}/")
        assert alice.answer["list_id"] is None


class TestForgery:
    @pytest.mark.parametrize(
        ("origin", "status"), [("http://evil.example", 401), ("http://127.0.0.1:1", 403)]
    )
    def test_a_form_on_another_page_changes_nothing(
        self, alice: Visitor, alices_token: str, origin: str, status: int
    ) -> None:
        """A browser sends no cookie for another site. Another port of one host is the same site."""
        csrf_token = alice.cookies[settings.CSRF_COOKIE_NAME]["value"]
        form = (
            f'<form method="post" action="{alice.api.url}{TODOS}">'
            f'<input name="csrfmiddlewaretoken" value="{csrf_token}">'
            '<input name="title" value="Forged"><button>Win</button></form>'
        )

        def answer(route: Route) -> None:
            route.fulfill(content_type="text/html", body=form)

        alice.context.route(f"{origin}/**", answer)
        alice.hosts.add(origin.removeprefix("http://"))
        alice.page.goto(f"{origin}/")
        alice.press("Win", status=status)
        assert alice.api.get(TODOS, alices_token).data["results"] == []


class TestDocs:
    def test_swagger_ui_calls_the_api_and_keeps_the_token(
        self, visitor: Visitor, alices_token: str
    ) -> None:
        visitor.api.post(TODOS, alices_token, {"title": "Buy milk"})
        visitor.open("/api/docs/")
        page = visitor.page
        page.get_by_role("button", name="Authorize").first.click()
        page.get_by_label("Value").fill(alices_token)
        page.get_by_label("Apply credentials").click()
        page.get_by_role("button", name="Close").last.click()
        page.get_by_role("button", name="GET /api/todos/ List your todos").click()
        try_out(visitor)
        page.reload()  # the operation stays open
        try_out(visitor)


def try_out(visitor: Visitor) -> None:
    operation = visitor.page.locator("#operations-todos-listTodos")
    with visitor.page.expect_response(f"{visitor.api.url}{TODOS}*") as listed:
        operation.get_by_role("button", name="Execute").click()
    assert listed.value.status == 200
    assert '"title": "Buy milk"' in operation.locator(".live-responses-table").inner_text()
