"""A browser enforces the rules for pages of other origins."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import Page

from authn.testing import Clock, SecretIssuer
from tests.browser.chromium import SECRET, chromium
from tests.support.processes import Api, Servers

pytestmark = pytest.mark.browser

FETCH = """([url, options]) => fetch(url, options).then(
    async answer => answer.type === "opaque" ? "opaque" : (await answer.json()).id,
    error => error.name)"""


class FrontEnd(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.send_header("Content-Type", "text/html")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name it has
        pass


@contextmanager
def front_end() -> Iterator[str]:
    """Serve an empty page, and return its origin."""
    with ThreadingHTTPServer(("127.0.0.1", 0), FrontEnd) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def visit(servers: Servers) -> Iterator[tuple[Page, Api]]:
    """A page of an allowed origin, and the API."""
    with front_end() as origin, chromium() as browser:
        page = browser.new_page()
        page.goto(origin)
        yield page, servers.api(secret=SECRET, CORS_ALLOWED_ORIGINS=origin)


def test_an_allowed_origin_reads_responses(visit: tuple[Page, Api]) -> None:
    page, api = visit
    token = SecretIssuer(SECRET, clock=Clock(page.evaluate("Date.now() / 1000"))).mint(sub="alice")
    options = {"headers": {"Authorization": f"Bearer {token}"}}
    assert page.evaluate(FETCH, [f"{api.url}/api/me/", options]) == "alice"


def test_no_origin_embeds_a_response(visit: tuple[Page, Api]) -> None:
    """An image or a script is requested without CORS, and with the cookies of the browser."""
    page, api = visit
    assert page.evaluate(FETCH, [f"{api.url}/", {"mode": "no-cors"}]) == "TypeError"
