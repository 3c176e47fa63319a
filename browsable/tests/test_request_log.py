"""The request log has the same fields for a page as for JSON."""

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


def test_the_log_names_the_user_of_the_cookie(
    alices: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    alices.get("/api/todos/")
    assert outcome(caplog) == (200, None, "alice")
    alices.get("/api/todos/?x=1")
    assert outcome(caplog) == (400, "invalid_parameter", "alice")


def test_the_log_has_the_method_that_a_form_stands_for(
    alices: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    todo = make_todo(owner_id="alice")
    page = alices.get(f"/api/todos/{todo.pk}/")
    page.form("_if_match", button="DELETE").submit("DELETE")
    fields = last(caplog)
    assert (fields["method"], fields["route"]) == ("DELETE", "/api/todos/{id}/")
    assert fields["user_id"] == "alice"


def test_the_log_has_the_code_of_an_unknown_path(
    browser: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    browser.get("/api/nope/")
    assert outcome(caplog) == (404, "not_found", None)


def test_the_log_has_the_code_of_a_refused_login(
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


def test_the_log_has_the_code_of_a_csrf_failure(
    browser: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    browser.client.post("/api/login/", "token=x", FORM, headers={"accept": ACCEPT})
    assert outcome(caplog) == (403, "csrf_failed", None)


def test_a_static_file_has_no_route_in_the_log(
    browser: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    response: Any = browser.client.get("/static/browsable/style.css")
    response.close()
    assert (last(caplog)["route"], last(caplog)["status"]) == (None, 200)
