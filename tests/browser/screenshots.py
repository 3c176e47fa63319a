"""Take screenshots of the pages into ``docs/screenshots/`` (``make screenshots``).

The script starts servers with databases of their own, and needs Node for ``examples/offline``.
"""

from __future__ import annotations

import os
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import expect

from tests.browser.chromium import PHONE, Site, Visitor, open_site
from tests.browser.offline import Example, device_of
from tests.support.processes import PROJECT

DIRECTORY = PROJECT / "docs" / "screenshots"
LIST = "/api/todos/"
TODOS: tuple[dict[str, Any], ...] = (
    {"title": "Read about passkeys", "tags": ["reading"], "priority": "low"},
    {"title": "Pay the rent", "tags": ["home"], "due_date": "2027-01-04", "completed": True},
    {
        "title": "Buy milk",
        "description": "Two litres, and bread if there is any.",
        "priority": "high",
        "tags": ["home", "shopping"],
        "due_date": "2026-12-24",
        "due_time": "09:30",
        "timezone": "Europe/Berlin",
    },
)


def main() -> None:
    os.environ["ENV_FILE"] = ""
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, open_site(Path(scratch)) as site:
        with ada(site) as visitor:
            take_all(visitor)
        with ada(site, color_scheme="dark") as visitor:
            take(visitor, "list-dark")
        with ada(site, **PHONE) as visitor:
            take(visitor, "list-phone")
        with Example(Path(scratch)) as example:
            take_offline(site, example)


@contextmanager
def ada(site: Site, **options: Any) -> Iterator[Visitor]:
    """Ada at her list, with new todos."""
    token = site.mint(sub=str(uuid.uuid4()), name="Ada")
    with site.visitor(**options) as visitor:
        for todo in TODOS:
            visitor.api.post(LIST, token, todo)
        visitor.sign_in(token)
        visitor.open(LIST)
        yield visitor


def take_all(visitor: Visitor) -> None:
    take(visitor, "list")
    visitor.page.get_by_text("Filter and order").click()
    take(visitor, "filters")
    visitor.fill("POST", title="Call the bank", due_time="09:30")
    visitor.press("POST", status=400)
    take(visitor, "error")
    visitor.follow("Todos")
    visitor.follow(f'"{visitor.answer["results"][0]["id"]}"')
    take(visitor, "todo")
    visitor.press("Log out")
    take(visitor, "login")
    visitor.open("/api/docs/")
    visitor.page.get_by_role("button", name="GET /api/todos/ List your todos").wait_for()
    take(visitor, "docs")


def take_offline(site: Site, example: Example) -> None:
    """A device without a network, after the other one has deleted what it edited."""
    email = "ada@example.com"
    with (
        device_of(site.browser, example, viewport={"width": 640, "height": 1260}) as laptop,
        device_of(site.browser, example) as phone,
    ):
        laptop.sign_in(email, "Create account")
        laptop.add("Water the plants", "Read about passkeys", "Pay the rent", "Buy milk")
        laptop.go_offline()
        laptop.edit("Water the plants", description="Not the cactus")
        phone.sign_in(email)
        phone.button("Delete Water the plants").click()
        expect(phone.todo("Water the plants")).to_have_count(0)
        laptop.go_online()
        expect(laptop.status).to_contain_text("refused")
        laptop.go_offline()
        laptop.page.get_by_role("checkbox", name="Pay the rent").click()
        laptop.button("Delete Read about passkeys").click()
        laptop.edit("Buy milk", description="Two litres, and bread if there is any.")
        laptop.add("Call the bank")
        take(laptop, "offline")


def take(visitor: Visitor, name: str) -> None:
    visitor.page.screenshot(path=DIRECTORY / f"{name}.png", animations="disabled")


if __name__ == "__main__":
    main()
