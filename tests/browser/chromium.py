"""Debian's Chromium, with visitors who notice what no page may do."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Locator,
    Request,
    Response,
    sync_playwright,
)

from authn.testing import Clock, SecretIssuer
from browsable.cookies import NAME as COOKIE
from tests.support.processes import Api, Servers, migrate

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# Playwright switches it off, and with it what Back may bring up after a user has logged out.
BACK_FORWARD_CACHE = "--disable-back-forward-cache"
# What the browser gives up itself, because the next page was asked for already.
GONE_ON = "net::ERR_ABORTED"
PATIENCE_MILLISECONDS = 10_000
SECRET = "the secret that a browser's tokens are signed with"
# So that none of them is told to wait, nor forgiven a token that is over.
PATIENT: dict[str, Any] = {"THROTTLE_ANON": "1000000/min", "BETTER_AUTH_LEEWAY": "0"}
AXE = Axe()
AXE_RUN = """options => axe.run(options).then(found => found.violations.flatMap(
    rule => rule.nodes.map(node => `${rule.id}: ${node.html}`)))"""
# The rule is off unless it is asked for (WCAG 2.2 section 2.5.8).
AXE_OPTIONS = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}

DESKTOP: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}, "reduced_motion": "reduce"}
PHONE: dict[str, Any] = {
    "viewport": {"width": 360, "height": 740},
    "is_mobile": True,
    "has_touch": True,
    "reduced_motion": "reduce",
}


class Visitor:
    """Somebody at a browser of their own, on one page of this API.

    ``complaints`` is what went wrong on the way: an error in the console, which is also where
    a breach of the policy shows, a request that failed or went to another host. A status from
    400 on is one, too, where it was not expected. ``response`` is what the page came with.
    """

    response: Response

    def __init__(self, context: BrowserContext, api: Api) -> None:
        context.set_default_timeout(PATIENCE_MILLISECONDS)
        self.api = api
        self.context = context
        self.page = context.new_page()
        self.hosts = {urlsplit(api.url).netloc}
        self.requests: list[Request] = []
        self._complaints: list[str] = []
        self._errors: list[ConsoleMessage] = []
        self._refused: set[tuple[str, int]] = set()
        context.on("console", self._heard)
        context.on("weberror", lambda error: self._complaints.append(str(error.error)))
        context.on("request", self._sent)
        context.on("requestfailed", self._failed)

    @property
    def complaints(self) -> list[str]:
        errors = [error.text for error in self._errors if not self._is_expected(error)]
        return [*self._complaints, *errors]

    def open(self, path: str, *, status: int = 200) -> None:
        self.expect(self.page.goto(f"{self.api.url}{path}"), status)

    def follow(self, link: str, *, status: int = 200) -> None:
        self.click(self.page.get_by_role("link", name=link, exact=True), status=status)

    def press(self, button: str, *, status: int = 200) -> None:
        """The first button of this name, which brings another page."""
        self.click(self.page.get_by_role("button", name=button, exact=True).first, status=status)

    def click(self, target: Locator, *, status: int = 200) -> None:
        with self.page.expect_navigation() as navigation:
            target.click()
        self.expect(navigation.value, status)

    def expect(self, response: Response | None, status: int) -> None:
        assert response, "the browser stayed where it was"
        assert response.status == status, f"{response.status} instead of {status}: {self.page.url}"
        self.response = response
        self._refused.add((response.url, status))

    def bring(self, token: str) -> None:
        """Be logged in.."""
        url = f"{self.api.url}/api/"
        self.context.add_cookies([{"name": COOKIE, "value": token, "url": url}])

    def sign_in(self, token: str) -> None:
        self.open("/api/login/")
        self.paste(token)

    def paste(self, token: str, *, status: int = 200) -> None:
        self.page.get_by_role("textbox", name="Token").fill(token)
        self.press("Log in", status=status)

    def fill(self, button: str, **texts: str) -> None:
        """The inputs of the form with this button, by their names."""
        named = self.page.get_by_role("button", name=button, exact=True)
        form = self.page.locator("form", has=named).first
        for name, text in texts.items():
            form.locator(f"[name={name}]").fill(text)

    @property
    def path(self) -> str:
        """With its query."""
        return self.page.url.removeprefix(self.api.url)

    @property
    def text(self) -> str:
        return self.page.locator("body").inner_text()

    @property
    def answer(self) -> Any:
        """The JSON that the page shows."""
        shown = self.page.get_by_role("region", name="Response").inner_text()
        return json.loads(shown.partition("\n\n")[2])

    @property
    def cookies(self) -> dict[str, Any]:
        """By name, with all that the browser knows of them."""
        return {str(each.get("name")): each for each in self.context.cookies()}

    @property
    def focused(self) -> Locator:
        return self.page.locator(":focus")

    def breaches(self) -> list[str]:
        """What axe-core has to say against the page as it is now: ``"rule: element"``."""
        self.page.evaluate(AXE.axe_script)
        return list(self.page.evaluate(AXE_RUN, AXE_OPTIONS))

    def overflow_pixels(self) -> int:
        """By how much the page is wider than the screen."""
        width = (self.page.viewport_size or {"width": 0})["width"]
        return int(self.page.evaluate("document.scrollingElement.scrollWidth")) - width

    def octets_received(self) -> int:
        """Over the wire, of everything that was answered until now."""
        answered = [request for request in self.requests if not request.failure]
        for request in answered:
            if response := request.response():
                response.finished()
        sizes = [request.sizes() for request in answered]
        return sum(each["responseHeadersSize"] + each["responseBodySize"] for each in sizes)

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self._errors.append(message)

    def _is_expected(self, error: ConsoleMessage) -> bool:
        return any(
            error.location["url"] == url and f"responded with a status of {status} " in error.text
            for url, status in self._refused
        )

    def _sent(self, request: Request) -> None:
        self.requests.append(request)
        parts = urlsplit(request.url)
        if parts.scheme != "data" and parts.netloc not in self.hosts:
            self._complaints.append(f"went to {request.url}")

    def _failed(self, request: Request) -> None:
        if request.failure != GONE_ON:
            self._complaints.append(f"{request.url}: {request.failure}")


class Site:
    """Servers that trust ``SECRET``, and the browser to visit them with."""

    def __init__(self, servers: Servers, browser: Browser) -> None:
        self._servers = servers
        self._browser = browser

    @cached_property
    def development(self) -> Api:
        return self._servers.api(secret=SECRET, DEBUG="true", **PATIENT)

    @cached_property
    def production(self) -> Api:
        return self._servers.api(secret=SECRET, BROWSABLE_API="true", **PATIENT)

    def mint(self, **claims: Any) -> str:
        """A token of this second: ``mint(sub="alice", exp=…)``."""
        return SecretIssuer(SECRET, clock=Clock(time.time())).mint(**claims)

    @contextmanager
    def visitor(self, api: Api | None = None, **options: Any) -> Iterator[Visitor]:
        """Who has never been here before. Whoever complains fails the test."""
        with self._browser.new_context(**{**DESKTOP, **options}) as context:
            visitor = Visitor(context, api or self.development)
            yield visitor
        assert not visitor.complaints, visitor.complaints


@contextmanager
def open_site(directory: Path) -> Iterator[Site]:
    database = directory / "migrated.sqlite3"
    migrate(database)
    with ExitStack() as stack:
        browser = stack.enter_context(chromium())
        yield Site(stack.enter_context(Servers(directory, database)), browser)


@contextmanager
def chromium() -> Iterator[Browser]:
    path = next(filter(None, map(shutil.which, NAMES)), None)
    assert path, f"none of {NAMES} is installed"
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(
            executable_path=path, args=ARGUMENTS, ignore_default_args=[BACK_FORWARD_CACHE]
        ) as browser,
    ):
        yield browser
