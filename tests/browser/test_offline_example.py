"""The page of ``examples/offline`` in Chromium, with its issuer and this API.

Needs Node, Chromium, and the packages of both examples; run with ``pytest -m interop``.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import TimeoutError as Timeout
from playwright.sync_api import expect

from tests.browser.chromium import PHONE, chromium
from tests.browser.offline import PASSWORD, SENT, Device, Example, device_of

pytestmark = pytest.mark.interop

NARROW = {**PHONE, "viewport": {"width": 320, "height": 640}}
# Tokens expire while the devices are offline.
TOKEN_SECONDS = 2
OCTETS = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
EMAILS = (f"user-{number}@example.com" for number in itertools.count())

NewDevice = Callable[..., Device]


@pytest.fixture(scope="module")
def new_device(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Any]]:
    directory = tmp_path_factory.mktemp("example")
    example = Example(directory, JWT_EXPIRES=f"{TOKEN_SECONDS}s", BETTER_AUTH_LEEWAY="0")
    with example, chromium() as browser:
        yield partial(device_of, browser, example)


@pytest.fixture
def device(new_device: Callable[..., Any]) -> Iterator[NewDevice]:
    """Open a profile: ``device(email)`` signs in, ``device(email, "Create account")`` signs up."""
    with ExitStack() as stack:

        def open_device(email: str, button: str = "Sign in", **options: Any) -> Device:
            opened: Device = stack.enter_context(new_device(**options))
            opened.sign_in(email, button)
            return opened

        yield open_device


@pytest.fixture
def email() -> str:
    return next(EMAILS)


@pytest.fixture
def laptop(device: NewDevice, email: str) -> Device:
    """A device of a new user."""
    return device(email, "Create account")


def test_two_devices_that_were_offline_become_equal(
    laptop: Device, device: NewDevice, email: str
) -> None:
    laptop.add("Buy milk", "Pay the rent", "Call Bob")
    phone = device(email, **NARROW)
    expect(phone.todo("Buy milk")).to_be_visible()
    assert phone.todos() == laptop.todos()

    laptop.go_offline()
    phone.go_offline()
    laptop.edit("Buy milk", title="Buy oat milk")
    laptop.button("Delete Pay the rent").click()
    laptop.add("Read a book")
    phone.edit("Buy milk", title="Buy goat milk")
    phone.edit("Buy goat milk", description="Two litres")
    phone.page.get_by_role("checkbox", name="Call Bob").click()
    expect(laptop.status).to_have_text("Offline. 3 changes waiting to be sent.")
    expect(phone.status).to_have_text("Offline. 2 changes waiting to be sent.")
    phone.page.reload()
    expect(phone.status).to_have_text("Offline. 2 changes waiting to be sent.")
    phone.page.wait_for_timeout(TOKEN_SECONDS * 1000)

    laptop.go_online()
    expect(laptop.status).to_have_text(SENT)
    phone.go_online()
    expect(phone.status).to_have_text(SENT)
    equal = [
        ("Buy oat milk", "Two litres\n\nBuy goat milk", False),
        ("Call Bob", "", True),
        ("Read a book", "", False),
    ]
    for each in (laptop, phone):
        each.poll()
        expect(each.todo("Buy oat milk")).to_contain_text("Two litres")
        expect(each.todo("Pay the rent")).to_have_count(0)
        expect(each.page.get_by_role("checkbox", name="Call Bob")).to_be_checked()
        expect(each.todo("Read a book")).to_be_visible()
        assert each.todos() == equal
        expect(each.status).to_have_text(SENT)


def test_a_refused_text_stays_until_its_user_corrects_it(laptop: Device) -> None:
    laptop.submit("x" * 501, "A description")
    laptop.add("Valid")
    expect(laptop.status).to_have_text(f"{SENT} 1 change refused.")
    refused = laptop.page.get_by_role("region", name="Refused")
    laptop.page.reload()
    expect(refused).to_contain_text("title: Ensure this field has no more than 500 characters.")
    expect(refused.get_by_label("Title")).to_have_value("x" * 501)
    expect(refused.get_by_label("Description")).to_have_value("A description")
    refused.get_by_label("Title").fill("Short")
    laptop.button("Send again").click()
    expect(laptop.status).to_have_text(SENT)
    assert laptop.todos() == [("Short", "A description", False), ("Valid", "", False)]


def test_a_todo_that_is_too_large_does_not_hold_up_the_others(laptop: Device) -> None:
    laptop.go_offline()
    laptop.submit("Too large", "x" * OCTETS)
    for title in ("First", "Second"):
        laptop.submit(title, "x" * (OCTETS // 30))
    laptop.go_online()
    expect(laptop.status).to_have_text(f"{SENT} 1 change refused.")
    assert [title for title, *_ in laptop.todos()] == ["First", "Second"]
    region = laptop.page.get_by_role("region", name="Refused")
    expect(region.get_by_label("Description")).to_have_value("x" * OCTETS)


def test_a_refused_change_leaves_the_todo_of_the_server(laptop: Device) -> None:
    laptop.add("Buy milk")
    for text in ("x" * 501, "y" * 501):
        laptop.edit("Buy milk", title=text)
        expect(laptop.todo("Buy milk")).to_be_visible()
    expect(laptop.status).to_have_text(f"{SENT} 2 changes refused.")
    for left in (1, 0):
        laptop.button("Discard").first.click()
        expect(laptop.button("Discard")).to_have_count(left)
    assert laptop.todos() == [("Buy milk", "", False)]


def test_a_text_of_a_todo_deleted_elsewhere_is_kept(
    laptop: Device, device: NewDevice, email: str
) -> None:
    laptop.add("Buy milk")
    phone = device(email)
    expect(phone.todo("Buy milk")).to_be_visible()
    phone.go_offline()
    phone.edit("Buy milk", description="Two litres")
    laptop.button("Delete Buy milk").click()
    expect(laptop.todo("Buy milk")).to_have_count(0)
    phone.go_online()
    expect(phone.page.get_by_role("region", name="Refused")).to_contain_text("deleted")
    phone.button("Send again").click()
    expect(phone.status).to_have_text(SENT)
    assert phone.todos() == [("Buy milk", "Two litres", False)]


def test_a_refused_text_of_a_todo_deleted_elsewhere_is_sent_once(
    laptop: Device, device: NewDevice, email: str
) -> None:
    laptop.add("Buy milk")
    laptop.go_offline()
    laptop.edit("Buy milk", title="x" * 501)
    phone = device(email)
    phone.button("Delete Buy milk").click()
    expect(phone.todo("Buy milk")).to_have_count(0)
    with laptop.page.expect_response("**/api/todos/sync/"):
        laptop.go_online()
    expect(laptop.status).to_have_text(f"{SENT} 1 change refused.")
    with (
        pytest.raises(Timeout),
        laptop.page.expect_response("**/api/todos/sync/", timeout=500),
    ):
        pass


def test_a_deletion_before_the_first_poll_is_seen(
    laptop: Device, device: NewDevice, email: str
) -> None:
    laptop.add("Gone", "Kept")
    laptop.go_offline()
    phone = device(email)
    phone.button("Delete Gone").click()
    expect(phone.todo("Gone")).to_have_count(0)
    laptop.go_online()
    expect(laptop.todo("Gone")).to_have_count(0)
    assert laptop.todos() == [("Kept", "", False)]


def test_a_resync_keeps_what_waits(laptop: Device, device: NewDevice, email: str) -> None:
    laptop.add("Gone", "Kept")
    laptop.poll()
    laptop.go_offline()
    laptop.edit("Kept", description="Two litres")
    phone = device(email)
    phone.button("Delete Gone").click()
    expect(phone.todo("Gone")).to_have_count(0)

    laptop.page.route(
        re.compile(r"/changes/\?since=[1-9]"),
        lambda route: route.fulfill(status=410, headers={"Access-Control-Allow-Origin": "*"}),
        times=1,
    )
    laptop.go_online()
    expect(laptop.todo("Gone")).to_have_count(0)
    expect(laptop.status).to_have_text(SENT)
    assert laptop.todos() == [("Kept", "Two litres", False)]


def test_a_change_is_sent_with_a_new_token_after_a_401(laptop: Device) -> None:
    laptop.page.route(
        "**/api/todos/sync/",
        lambda route: route.fulfill(status=401, headers={"Access-Control-Allow-Origin": "*"}),
        times=1,
    )
    with laptop.page.expect_response("**/api/auth/token"):
        laptop.add("Buy milk")


def test_a_poll_without_news_is_a_304(laptop: Device) -> None:
    laptop.add("Buy milk")
    for _ in range(3):
        laptop.poll()
    assert "route=/api/todos/changes/ status=304" in laptop.api.log()


def test_two_tabs_show_the_same(laptop: Device) -> None:
    other = laptop.context.new_page()
    other.goto(laptop.api.url)
    laptop.add("Buy milk")
    other.get_by_role("checkbox", name="Buy milk").click()
    expect(laptop.page.get_by_role("checkbox", name="Buy milk")).to_be_checked()
    expect(laptop.status).to_have_text(SENT)
    laptop.button("Sign out").click()
    expect(other.get_by_role("button", name="Sign in")).to_be_visible()
    expect(other.get_by_text("Buy milk")).to_have_count(0)


def test_signing_out_asks_before_it_deletes_what_waits(laptop: Device, email: str) -> None:
    laptop.add("Sent")
    laptop.go_offline()
    laptop.add("Unsent")
    laptop.button("Sign out").click()
    expect(laptop.page.get_by_role("dialog")).to_contain_text("1 change")
    laptop.button("Stay").click()
    laptop.go_online()
    expect(laptop.status).to_have_text(SENT)
    laptop.button("Sign out").click()
    laptop.sign_in(email)
    expect(laptop.todo("Sent")).to_be_visible()
    expect(laptop.todo("Unsent")).to_be_visible()


def test_the_next_user_of_a_device_sees_nothing_of_the_first(laptop: Device) -> None:
    laptop.add("A secret")
    assert "todos-" in laptop.databases()
    laptop.button("Sign out").click()
    expect(laptop.page.get_by_label("E-mail")).to_be_visible()
    assert "todos-" not in laptop.databases()
    laptop.sign_in(next(EMAILS), "Create account")
    assert laptop.todos() == []


def test_a_device_sends_nothing_in_the_session_of_another_user(laptop: Device) -> None:
    laptop.go_offline()
    laptop.add("A secret")
    laptop.page.reload()
    other = next(EMAILS)
    laptop.context.request.post(
        f"{laptop.api.url}/api/auth/sign-up/email",
        data={"name": other, "email": other, "password": PASSWORD},
        headers={"Origin": laptop.api.url},
    )
    laptop.go_online()
    expect(laptop.page.get_by_text("Your session is over.")).to_be_visible()
    expect(laptop.status).to_contain_text("1 change waiting to be sent.")


def test_the_page_is_accessible_and_fits_320_pixels(device: NewDevice, email: str) -> None:
    phone = device(email, "Create account", **NARROW)
    phone.submit("Buy milk", "Two litres")
    phone.submit("x" * 501)
    expect(phone.status).to_have_text(f"{SENT} 1 change refused.")
    phone.go_offline()
    phone.add("Waiting")
    phone.button("Delete Buy milk").click()
    check(phone)
    phone.button("Edit Waiting").click()
    expect(phone.focused).to_have_value("Waiting")
    check(phone)
    phone.button("Cancel").click()
    expect(phone.focused).to_have_text("Edit")
    phone.button("Sign out").click()
    expect(phone.focused).to_have_text("Stay")
    check(phone)


def test_the_sign_in_is_accessible_and_fits_320_pixels(new_device: Callable[..., Any]) -> None:
    with new_device(**NARROW, color_scheme="dark") as phone:
        phone.page.get_by_label("E-mail").fill(next(EMAILS))
        phone.page.get_by_label("Password").fill("a wrong password")
        phone.button("Sign in").click()
        expect(phone.page.get_by_role("alert")).to_have_text("Invalid email or password")
        check(phone)


def check(device: Device) -> None:
    assert device.breaches() == []
    assert device.overflow_pixels() == 0
