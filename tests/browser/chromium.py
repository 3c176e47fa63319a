"""Chromium, with visitors that fail a test after an error on a page."""

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
# Playwright disables this cache, from which Back could show pages after a logout.
BACK_FORWARD_CACHE = "--disable-back-forward-cache"
# Chromium aborts requests of a page that the visitor leaves.
GONE_ON = "net::ERR_ABORTED"
PATIENCE_MILLISECONDS = 10_000
SECRET = "the secret that a browser's tokens are signed with"
# No test is throttled, and a token expires without leeway.
PATIENT: dict[str, Any] = {"THROTTLE_ANON": "1000000/min", "BETTER_AUTH_LEEWAY": "0"}
AXE = Axe()
AXE_RUN = """options => axe.run(options).then(found => found.violations.flatMap(
    rule => rule.nodes.map(node => `${rule.id}: ${node.html}`)))"""
# axe-core runs this rule on request only (WCAG 2.2 section 2.5.8).
AXE_OPTIONS = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}

DESKTOP: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}, "reduced_motion": "reduce"}
PHONE: dict[str, Any] = {
    "viewport": {"width": 360, "height": 740},
    "is_mobile": True,
    "has_touch": True,
    "reduced_motion": "reduce",
}


class Visitor:
    """A user with a browser profile of their own, on one page.

    ``complaints`` has what went wrong so far: errors in the console, which include violations of
    the Content-Security-Policy; failed requests; requests to another host; unexpected statuses
    from 400 on. ``response`` is the response that loaded the page.
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
        """Press the first button of this name, which loads another page."""
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
        """Log in by setting the cookie."""
        url = f"{self.api.url}/api/"
        self.context.add_cookies([{"name": COOKIE, "value": token, "url": url}])

    def sign_in(self, token: str) -> None:
        self.open("/api/login/")
        self.paste(token)

    def paste(self, token: str, *, status: int = 200) -> None:
        self.page.get_by_role("textbox", name="Token").fill(token)
        self.press("Log in", status=status)

    def fill(self, button: str, **texts: str) -> None:
        """Fill in the form with this button, by the names of its inputs."""
        named = self.page.get_by_role("button", name=button, exact=True)
        form = self.page.locator("form", has=named).first
        for name, text in texts.items():
            form.locator(f"[name={name}]").fill(text)

    @property
    def path(self) -> str:
        """The path and the query of the page."""
        return self.page.url.removeprefix(self.api.url)

    @property
    def text(self) -> str:
        return self.page.locator("body").inner_text()

    @property
    def answer(self) -> Any:
        """The JSON on the page."""
        shown = self.page.get_by_role("region", name="Response").inner_text()
        return json.loads(shown.partition("\n\n")[2])

    @property
    def cookies(self) -> dict[str, Any]:
        """The cookies of the browser by their names, with their attributes."""
        return {str(each.get("name")): each for each in self.context.cookies()}

    @property
    def focused(self) -> Locator:
        return self.page.locator(":focus")

    def breaches(self) -> list[str]:
        """The violations that axe-core finds on the page, as ``"rule: element"``."""
        self.page.evaluate(AXE.axe_script)
        return list(self.page.evaluate(AXE_RUN, AXE_OPTIONS))

    def overflow_pixels(self) -> int:
        """The width of the page beyond that of the screen."""
        width = (self.page.viewport_size or {"width": 0})["width"]
        return int(self.page.evaluate("document.scrollingElement.scrollWidth")) - width

    def octets_received(self) -> int:
        """The octets of all responses so far, as sent over the network."""
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
    """Servers that trust ``SECRET``, and a browser."""

    def __init__(self, servers: Servers, browser: Browser) -> None:
        self._servers = servers
        self.browser = browser

    @cached_property
    def development(self) -> Api:
        return self._servers.api(secret=SECRET, DEBUG="true", **PATIENT)

    @cached_property
    def production(self) -> Api:
        return self._servers.api(secret=SECRET, BROWSABLE_API="true", **PATIENT)

    def mint(self, **claims: Any) -> str:
        """Mint a token, issued now: ``mint(sub="alice", exp=…)``."""
        return SecretIssuer(SECRET, clock=Clock(time.time())).mint(**claims)

    @contextmanager
    def visitor(self, api: Api | None = None, **options: Any) -> Iterator[Visitor]:
        """Open a new browser profile. Complaints of the visitor fail the test."""
        with self.browser.new_context(**{**DESKTOP, **options}) as context:
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
