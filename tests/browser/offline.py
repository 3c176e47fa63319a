"""The page of ``examples/offline`` with its issuer and its API, and devices that visit it."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Locator, expect

from tests.browser.chromium import DESKTOP, Visitor
from tests.support.processes import PROJECT, Api, free_port

EXAMPLE = PROJECT / "examples" / "offline"
PASSWORD = "correct horse"
SENT = "Every change is sent."
# Chromium logs requests without a network and answers that the page handles. RxDB advertises, and
# Dexie tells other tabs that a database goes.
EXPECTED = re.compile(
    "net::ERR_INTERNET_DISCONNECTED|status of 4(01|04|10|13) "
    "|RxDB Open Core|Another connection wants to delete"
)

# RxDB tries again, and polls, every five seconds.
expect.set_options(timeout=15_000)


class Example(Api):
    """All that ``make example`` starts. ``url`` is the page, ``api_url`` the API."""

    def __init__(self, directory: Path, **environment: str) -> None:
        ports = {f"{name}_PORT": str(free_port()) for name in ("PAGE", "API", "ISSUER")}
        super().__init__(
            ["node", "start.mjs", sys.executable],
            port=int(ports["PAGE_PORT"]),
            directory=EXAMPLE,
            environment={**ports, **environment},
            log=directory / "example.log",
        )
        self.api_url = f"http://127.0.0.1:{ports['API_PORT']}"

    def is_ready(self) -> bool:
        return f"Open {self.url}" in self.log()


class Device(Visitor):
    """A browser profile at the page of ``examples/offline``."""

    def __init__(self, browser: Browser, example: Example, **options: Any) -> None:
        super().__init__(browser.new_context(**{**DESKTOP, **options}), example)
        self.hosts.add(urlsplit(example.api_url).netloc)
        self._api_calls = f"{example.api_url}/**"
        self.open("/")
        self.page.wait_for_function("navigator.serviceWorker.controller")

    @property
    def complaints(self) -> list[str]:
        return [each for each in super().complaints if not EXPECTED.search(each)]

    def sign_in(self, email: str, button: str = "Sign in") -> None:
        self.page.get_by_label("E-mail").fill(email)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.button(button).click()
        expect(self.status).to_contain_text(SENT)

    @property
    def status(self) -> Locator:
        return self.page.get_by_role("status")

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def todo(self, title: str) -> Locator:
        """The item of a todo, by its title."""
        label = self.page.get_by_role("checkbox", name=title, exact=True)
        return self.page.get_by_role("listitem").filter(has=label)

    def submit(self, title: str, description: str = "") -> None:
        form = self.page.locator("form").filter(has=self.button("Add"))
        form.get_by_label("Title").fill(title)
        form.get_by_label("Description").fill(description)
        self.button("Add").click()

    def add(self, *titles: str) -> None:
        """Add todos, and wait until they are sent where there is a network."""
        for title in titles:
            self.submit(title)
            expect(self.todo(title)).to_be_visible()
        expect(self.status).to_contain_text(re.compile(f"{SENT}|Offline"))

    def edit(self, todo: str, /, **texts: str) -> None:
        self.button(f"Edit {todo}").click()
        form = self.page.locator("form").filter(has=self.button("Save"))
        for label, text in texts.items():
            form.get_by_label(label.capitalize()).fill(text)
        self.button("Save").click()

    def go_offline(self) -> None:
        # Chromium lets some requests with a preflight through, so each is aborted as well.
        self.context.route(self._api_calls, lambda route: route.abort("internetdisconnected"))
        self.context.set_offline(True)
        expect(self.status).to_contain_text("Offline.")

    def go_online(self) -> None:
        self.context.unroute(self._api_calls)
        self.context.set_offline(False)

    def todos(self) -> list[tuple[str, str, bool]]:
        """Title, description and completion of each todo on the page."""
        items = self.page.get_by_role("list", name="Your todos").get_by_role("listitem").all()
        return sorted(
            (
                item.locator("label").inner_text(),
                "".join(item.locator("p:not(.waiting)").all_inner_texts()),
                item.get_by_role("checkbox").is_checked(),
            )
            for item in items
        )

    def poll(self) -> None:
        """Pull now, as RxDB does when the network is back, and wait for the answer."""
        with self.page.expect_response("**/api/todos/changes/**"):
            self.page.evaluate("dispatchEvent(new Event('online'))")

    def databases(self) -> str:
        """The names of all databases of the profile."""
        names = "indexedDB.databases().then(all => all.map(each => each.name).join())"
        return str(self.page.evaluate(names))


@contextmanager
def device_of(browser: Browser, example: Example, **options: Any) -> Iterator[Device]:
    device = Device(browser, example, **options)
    yield device
    assert not device.complaints, device.complaints
    device.context.close()
