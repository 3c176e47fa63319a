"""The line of a request says of a page what it says of the JSON."""

from __future__ import annotations

from typing import Any

import pytest

from authn.testing import Issuer, Mint
from browsable.tests.browser import ACCEPT, FORM, Browser
from todos.tests.factories import make_todo

pytestmark = pytest.mark.django_db


def last(caplog: pytest.LogCaptureFixture) -> dict[str, Any]:
    fields: dict[str, Any] = caplog.records[-1].fields  # type: ignore[attr-defined]
    return fields


def outcome(caplog: pytest.LogCaptureFixture) -> tuple[int, str | None, str | None]:
    fields = last(caplog)
    return fields["status"], fields["code"], fields["user_id"]


def test_of_whoever_is_signed_in(alices: Browser, caplog: pytest.LogCaptureFixture) -> None:
    alices.get("/api/todos/")
    assert outcome(caplog) == (200, None, "alice")
    alices.get("/api/todos/?x=1")
    assert outcome(caplog) == (400, "invalid_parameter", "alice")


def test_of_a_form_it_has_the_method_that_was_meant(
    alices: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    todo = make_todo(owner_id="alice")
    page = alices.get(f"/api/todos/{todo.pk}/")
    page.form("_if_match", button="DELETE").submit("DELETE")
    fields = last(caplog)
    assert (fields["method"], fields["route"]) == ("DELETE", "/api/todos/{id}/")
    assert fields["user_id"] == "alice"


def test_of_an_error_that_no_view_has_answered(
    browser: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    browser.get("/api/nope/")
    assert outcome(caplog) == (404, "not_found", None)


def test_why_somebody_was_not_signed_in(
    browser: Browser, mint: Mint, issuer: Issuer, caplog: pytest.LogCaptureFixture
) -> None:
    form = browser.get("/api/login/").form("token")
    form.submit(token=mint(exp=1))
    assert outcome(caplog) == (400, "token_expired", None)
    form.submit(token="")
    assert outcome(caplog) == (400, "bad_request", None)
    issuer.broken = True
    form.submit(token=issuer.mint())
    assert outcome(caplog) == (503, "keys_unavailable", None)


def test_a_form_from_elsewhere(browser: Browser, caplog: pytest.LogCaptureFixture) -> None:
    browser.client.post("/api/login/", "token=x", FORM, headers={"accept": ACCEPT})
    assert outcome(caplog) == (403, "csrf_failed", None)


def test_a_static_file_has_no_route(browser: Browser, caplog: pytest.LogCaptureFixture) -> None:
    response: Any = browser.client.get("/static/browsable/style.css")
    response.close()
    assert (last(caplog)["route"], last(caplog)["status"]) == (None, 200)
