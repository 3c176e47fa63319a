from __future__ import annotations

from datetime import date
from http import HTTPStatus
from typing import Any

import pytest

from browsable.tests.browser import Browser, Form, Page
from todos.filters import TodoFilters
from todos.models import Priority
from todos.tests.factories import make_todo

pytestmark = pytest.mark.django_db

LIST = "/api/todos/"


def filters(page: Page) -> Form:
    return page.form("_filters")


def test_the_filter_form_has_every_parameter(alices: Browser) -> None:
    form = filters(alices.get(LIST))
    assert form.names == {*TodoFilters.parameters(), "ordering", "limit", "_filters"}
    assert form.options["completed"] == ["", "true", "false"]
    assert form.options["due"] == ["", "overdue", "today", "none"]
    assert {"created_at", "-created_at", "due", "-title"} < {*form.options["ordering"]}


def test_empty_filters_are_left_out_of_the_address(alices: Browser) -> None:
    make_todo(owner_id="alice", title="Buy milk", priority=Priority.HIGH, completed=True)
    make_todo(owner_id="alice", title="Buy bread")
    form = filters(alices.get(LIST))
    page = form.submit(q="buy", priority=["high", "low"], completed="true")
    assert page.url == f"{LIST}?q=buy&priority=high&priority=low&completed=true"
    assert page.status == HTTPStatus.OK
    assert "Buy milk" in page.text
    assert "Buy bread" not in page.text


def test_an_empty_filter_form_shows_the_whole_list(alices: Browser) -> None:
    assert filters(alices.get(LIST)).submit().url == LIST


def test_the_filter_form_keeps_its_values(alices: Browser) -> None:
    address = f"{LIST}?completed=false&priority=low&tag=a&tag=b&due_from=2026-12-24&limit=7"
    form = filters(alices.get(address))
    kept = [each for each in form.fields if each[1]]
    assert kept == [
        ("completed", "false"),
        ("priority", "low"),
        ("tag", "a"),
        ("tag", "b"),
        ("due_from", "2026-12-24"),
        ("limit", "7"),
    ]
    assert form.submit().url == address
    assert form.submit(tag=["a", "b", "c"]).url.endswith("&tag=a&tag=b&tag=c")


def test_a_wrong_filter_has_its_error_beside_it(alices: Browser) -> None:
    page = filters(alices.get(LIST)).submit(limit="0", created_from="soon")
    assert page.status == HTTPStatus.BAD_REQUEST
    assert page.text_of("filter-created_from_error").startswith("A date-time of RFC 3339")
    assert filters(page).value("created_from") == "soon"
    assert filters(page).submit(created_from="", limit="1").status == HTTPStatus.OK


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_a_change_with_the_filter_marker_is_not_redirected(alices: Browser, method: str) -> None:
    answer: Any = alices.client.generic(method, f"{LIST}?_filters=", "{}", "application/json")
    assert answer.status_code == HTTPStatus.UNAUTHORIZED


@pytest.mark.parametrize("query", ["_filters=&q=" + "%3C" * 9000, "a=1&" * 1200 + "_filters="])
def test_filters_over_a_size_limit_are_a_bad_request(alices: Browser, query: str) -> None:
    assert alices.get(f"{LIST}?{query}").status == HTTPStatus.BAD_REQUEST


def test_an_escaped_question_mark_in_a_path_stays_escaped(alices: Browser) -> None:
    answer: Any = alices.client.get("/api/todos/a%3Fb=c/?_filters=")
    assert answer["Location"] == "/api/todos/a%3Fb%3Dc/"


def test_the_filter_marker_is_for_pages_only(alices: Browser, alice: Any) -> None:
    assert alice.get(f"{LIST}?_filters=").status_code == HTTPStatus.BAD_REQUEST
    answer = alices.client.get(f"{LIST}?_filters=", headers={"accept": "application/json"})
    assert answer.status_code == HTTPStatus.UNAUTHORIZED


@pytest.mark.parametrize("path", ["/\\evil.example", "/api/nothing/"])
def test_unknown_paths_with_the_filter_marker_are_not_redirected(
    alices: Browser, path: str
) -> None:
    answer: Any = alices.client.get(f"{path}?_filters=&q=x")
    assert answer.status_code == HTTPStatus.NOT_FOUND
    assert "Location" not in answer


def test_pages_of_a_list_link_to_each_other(alices: Browser) -> None:
    for day in range(1, 6):
        make_todo(owner_id="alice", title=f"Of day {day}", due_date=date(2026, 12, day))
    page = alices.get(f"{LIST}?limit=2&ordering=due")
    seen = []
    while True:
        seen += [day for day in range(1, 6) if f"Of day {day}" in page.text]
        if "Next page →" not in page.links:
            break
        page = alices.get(page.links["Next page →"])
    assert seen == [1, 2, 3, 4, 5]
    assert "Of day 4" in alices.get(page.links["← Previous page"]).text


def test_every_todo_in_a_list_links_to_its_page(alices: Browser) -> None:
    todo = make_todo(owner_id="alice", title="Buy milk")
    page = alices.get(alices.get(LIST).links[f'"{todo.pk}"'])
    assert (page.url, page.status) == (f"{LIST}{todo.pk}/", 200)
