"""Forms create, change, act on and delete todos without scripts."""

from __future__ import annotations

import json
import uuid
from datetime import date
from http import HTTPStatus
from typing import Any

import pytest
from pytest_django import Settings

from browsable.tests.browser import FORM, Browser, Page
from todos.models import Priority, Todo
from todos.tests.factories import make_todo

pytestmark = pytest.mark.django_db

LIST = "/api/todos/"


@pytest.fixture
def todo() -> Todo:
    return make_todo(
        owner_id="alice",
        title="Buy milk",
        description="Two litres\nof it",
        priority=Priority.HIGH,
        tags=["home", "shop"],
    )


def open_(browser: Browser, todo: Todo) -> Page:
    return browser.get(f"{LIST}{todo.pk}/")


def curl(page: Page) -> str:
    """The request of this page as a curl command."""
    return page.text.partition("As a curl command")[2]


class TestCreate:
    def test_the_create_form_sets_every_field(self, alices: Browser) -> None:
        page = (
            alices.get(LIST)
            .form("title")
            .submit(
                title="Call the bank",
                description="Ask for\r\nthe rate",
                completed="on",
                priority="medium",
                due_date="2026-12-24",
                due_time="09:30",
                timezone="Europe/Berlin",
                tags="phone\r\nmoney\r\n\r\n",
            )
        )
        assert page.status == HTTPStatus.CREATED
        todo = Todo.objects.get()
        assert (todo.owner_id, todo.title, todo.completed) == ("alice", "Call the bank", True)
        assert todo.description == "Ask for\nthe rate"
        assert todo.tags == ["phone", "money"]
        assert todo.due_at is not None
        assert todo.due_at.isoformat() == "2026-12-24T08:30:00+00:00"
        assert page.text.count(str(todo.pk)) >= 2  # Location and id

    def test_the_create_form_sends_only_what_was_filled_in(self, alices: Browser) -> None:
        page = alices.get(LIST).form("title").submit(title="Buy milk")
        assert """--data-raw '{"title": "Buy milk"}'""" in curl(page)
        assert "-H 'Idempotency-Key: " in curl(page)

    def test_the_create_form_shows_errors_and_keeps_its_values(self, alices: Browser) -> None:
        page = (
            alices.get(LIST)
            .form("title")
            .submit(title="", due_time="09:30", tags="x" * 51, description="A <long> text")
        )
        assert page.status == HTTPStatus.BAD_REQUEST
        assert page.text_of("new-title_error") == "This field is required."
        assert "50 characters" in page.text_of("new-tags_error")
        form = page.form("title")
        assert form.value("description") == "A <long> text"
        assert (form.value("due_time"), form.value("tags")) == ("09:30", "x" * 51)
        page = form.submit(title="Buy milk", due_time="", tags="short")
        assert page.status == HTTPStatus.CREATED
        assert Todo.objects.get().description == "A <long> text"

    def test_a_create_form_sent_twice_creates_one_todo(self, alices: Browser) -> None:
        form = alices.get(LIST).form("title")
        first, second = (form.submit(title="Buy milk") for _ in range(2))
        assert (first.status, second.status) == (201, 201)
        assert "Idempotency-Replayed: true" in second.text
        assert Todo.objects.count() == 1

    def test_a_create_form_sent_with_other_values_creates_another_todo(
        self, alices: Browser
    ) -> None:
        form = alices.get(LIST).form("title")
        for title in ("Buy milk", "Buy bread", "Buy milk"):
            assert form.submit(title=title).status == HTTPStatus.CREATED
        assert Todo.objects.count() == 2

    def test_the_page_of_a_new_todo_can_complete_it(self, alices: Browser) -> None:
        page = alices.get(LIST).form("title").submit(title="Buy milk")
        page = page.form_to("/complete/").submit()
        assert page.status == HTTPStatus.OK
        assert Todo.objects.get().completed

    def test_a_todo_is_created_from_json_written_by_hand(self, alices: Browser) -> None:
        form = alices.get(LIST).form("_raw")
        assert json.loads(form.value("_raw"))["title"] == "Buy milk"  # the example
        assert form.submit().status == HTTPStatus.CREATED
        page = form.submit(_raw='{"title": 5}')
        assert page.status == HTTPStatus.BAD_REQUEST
        assert page.form("_raw").value("_raw") == '{"title": 5}'
        assert "title: Not a valid string." in page.text

    def test_the_page_shows_a_todo_that_its_id_created_before(self, alices: Browser) -> None:
        raw = json.dumps({"id": str(uuid.uuid4()), "title": "Buy milk"})
        for status in (HTTPStatus.CREATED, HTTPStatus.OK):
            page = alices.get(LIST).form("_raw").submit(_raw=raw)
            assert page.status == status
            assert page.form_to("/complete/")
        assert "id" not in page.form("title", button="PATCH").names

    @pytest.mark.parametrize("raw", ["", "{", "[]", "null", '{"a": 1, "a": 2}', "😀"])
    def test_json_that_is_no_object_creates_nothing(self, alices: Browser, raw: str) -> None:
        page = alices.get(LIST).form("_raw").submit(_raw=raw)
        assert page.status == HTTPStatus.BAD_REQUEST
        assert not Todo.objects.filter(deleted_at=None).exists()


class TestChange:
    def test_the_change_form_shows_the_todo(self, alices: Browser, todo: Todo) -> None:
        form = open_(alices, todo).form("title", button="PATCH")
        assert form.value("title") == "Buy milk"
        assert form.value("description") == "Two litres\nof it"
        assert form.value("priority") == "high"
        assert form.value("tags") == "home\nshop"
        assert form.options["priority"] == ["none", "low", "medium", "high"]
        assert "completed" not in dict(form.fields)

    def test_patch_sends_only_changed_fields(self, alices: Browser, todo: Todo) -> None:
        form = open_(alices, todo).form("title", button="PATCH")
        before = todo.etag
        page = form.submit("PATCH", priority="low", due_date="2026-12-24")
        assert page.status == HTTPStatus.OK
        assert """--data-raw '{"priority": "low", "due_date": "2026-12-24"}'""" in curl(page)
        assert f"-H 'If-Match: {before}'" in curl(page)
        todo.refresh_from_db()
        assert (todo.priority, todo.due_date) == (Priority.LOW, date(2026, 12, 24))

    def test_patch_sends_null_for_an_emptied_field(self, alices: Browser) -> None:
        todo = make_todo(owner_id="alice", due_date=date(2026, 12, 24), completed=True)
        form = open_(alices, todo).form("title", button="PATCH")
        page = form.submit("PATCH", due_date="", completed=None)
        assert """--data-raw '{"completed": false, "due_date": null}'""" in curl(page)
        todo.refresh_from_db()
        assert (todo.due_date, todo.completed) == (None, False)

    def test_patch_without_changes_keeps_the_etag(self, alices: Browser, todo: Todo) -> None:
        before = todo.etag
        page = open_(alices, todo).form("title", button="PATCH").submit("PATCH")
        assert page.status == HTTPStatus.OK
        assert "--data-raw '{}'" in curl(page)
        todo.refresh_from_db()
        assert todo.etag == before

    @pytest.mark.parametrize("text", ["a\rb", "a\r\nb", "\n\na", " a ", "\u2028", "<b>&amp;\"'"])
    def test_patch_keeps_text_that_a_browser_alters(self, alices: Browser, text: str) -> None:
        todo = make_todo(owner_id="alice", description=text)
        form = open_(alices, todo).form("title", button="PATCH")
        sent = form.value("description").replace("\r\n", "\n").replace("\r", "\n")
        form.submit("PATCH", description=sent.replace("\n", "\r\n"), title="Changed")
        todo.refresh_from_db()
        assert (todo.title, todo.description) == ("Changed", text)

    def test_put_sends_every_field(self, alices: Browser, todo: Todo) -> None:
        form = open_(alices, todo).form("title", button="PUT")
        page = form.submit("PUT", title="Buy bread")
        assert page.status == HTTPStatus.OK
        assert '"tags": ["home", "shop"]' in curl(page)
        assert '"due_date": null' in curl(page)
        todo.refresh_from_db()
        assert (todo.title, todo.tags) == ("Buy bread", ["home", "shop"])

    def test_the_change_form_shows_errors_and_keeps_its_values(
        self, alices: Browser, todo: Todo
    ) -> None:
        form = open_(alices, todo).form("title", button="PATCH")
        page = form.submit("PATCH", due_time="09:30", description="Kept")
        assert page.status == HTTPStatus.BAD_REQUEST
        assert (
            page.text_of("due_time_error")
            == "A time needs a date and a time zone: send due_date and timezone with it."
        )
        form = page.form("title", button="PATCH")
        assert (form.value("due_time"), form.value("description")) == ("09:30", "Kept")
        # The second PATCH still compares with the todo, not with the first form.
        page = form.submit("PATCH", due_time="")
        assert page.status == HTTPStatus.OK
        assert """--data-raw '{"description": "Kept"}'""" in curl(page)

    @pytest.mark.parametrize("required", [False, True])
    def test_a_form_of_an_old_version_overwrites_only_when_sent_again(
        self, alices: Browser, todo: Todo, settings: Settings, *, required: bool
    ) -> None:
        settings.REQUIRE_IF_MATCH = required
        form = open_(alices, todo).form("title", button="PATCH")
        todo.change(title="By somebody else")
        page = form.submit("PATCH", title="Mine")
        assert page.status == HTTPStatus.PRECONDITION_FAILED
        assert "Another request changed this first." in page.text
        assert page.links["Show the current version"] == f"{LIST}{todo.pk}/"
        todo.refresh_from_db()
        assert todo.title == "By somebody else"
        form = page.form("title", button="PATCH")
        assert form.value("title") == "Mine"
        assert form.submit("PATCH").status == HTTPStatus.OK
        todo.refresh_from_db()
        assert todo.title == "Mine"

    def test_a_todo_is_changed_by_json_written_by_hand(self, alices: Browser, todo: Todo) -> None:
        form = open_(alices, todo).form("_raw", button="PATCH")
        assert json.loads(form.value("_raw"))["tags"] == ["home", "shop"]
        assert form.submit("PATCH", _raw='{"tags": null}').status == HTTPStatus.OK
        todo.refresh_from_db()
        assert todo.tags == []

    def test_every_form_of_a_todo_sends_if_match(
        self, alices: Browser, todo: Todo, settings: Settings
    ) -> None:
        settings.REQUIRE_IF_MATCH = True
        page = open_(alices, todo).form("title", button="PUT").submit("PUT")
        page = page.form_to("/complete/").submit()
        page = page.form_to("/reopen/").submit()
        page = page.form("_if_match", button="DELETE").submit("DELETE")
        assert page.status == HTTPStatus.OK
        assert not Todo.objects.filter(deleted_at=None).exists()


class TestOtherForms:
    def test_buttons_complete_and_reopen_a_todo(self, alices: Browser, todo: Todo) -> None:
        page = open_(alices, todo).form_to("/complete/").submit()
        todo.refresh_from_db()
        assert (page.status, todo.completed) == (200, True)
        page = page.form_to("/reopen/").submit()
        todo.refresh_from_db()
        assert (page.status, todo.completed) == (200, False)

    def test_a_button_deletes_a_todo(self, alices: Browser, todo: Todo) -> None:
        page = open_(alices, todo).form("_if_match", button="DELETE").submit("DELETE")
        assert "HTTP 204 No Content" in page.text
        assert page.status == HTTPStatus.OK  # at 204 a browser stays on the page before
        assert page.links["Back to the list"] == LIST
        assert "PATCH sends" not in page.text
        assert "Content-Type" not in page.text
        assert not Todo.objects.filter(deleted_at=None).exists()

    def test_a_delete_form_sent_twice_replays_its_response(
        self, alices: Browser, todo: Todo
    ) -> None:
        form = open_(alices, todo).form("_if_match", button="DELETE")
        form.submit("DELETE")
        page = form.submit("DELETE")
        assert (page.status, "HTTP 204 No Content" in page.text) == (HTTPStatus.OK, True)
        assert "Idempotency-Replayed: true" in page.text

    @pytest.mark.parametrize("method", ["PUT", "PATCH"])
    def test_a_change_form_sent_twice_replays_its_response(
        self, alices: Browser, todo: Todo, method: str
    ) -> None:
        form = open_(alices, todo).form("title", button=method)
        first, second = (form.submit(method, title="Changed") for _ in range(2))
        assert (first.status, second.status) == (HTTPStatus.OK, HTTPStatus.OK)
        assert "Idempotency-Replayed: true" in second.text

    def test_both_buttons_of_one_form_send_requests(self, alices: Browser, todo: Todo) -> None:
        form = open_(alices, todo).form("_raw", button="PATCH")
        raw = json.dumps({"title": "Changed", "priority": "low"})
        assert form.submit("PATCH", _raw=raw).status == HTTPStatus.OK
        assert form.submit("PUT", _raw=raw, _if_match="*").status == HTTPStatus.OK

    def test_a_button_for_an_old_version_changes_nothing(self, alices: Browser, todo: Todo) -> None:
        page = open_(alices, todo)
        todo.change(title="By somebody else")
        for form in (page.form_to("/complete/"), page.form("_if_match", button="DELETE")):
            answer = form.submit()
            assert answer.status == HTTPStatus.PRECONDITION_FAILED
            assert answer.links["Show the current version"] == f"{LIST}{todo.pk}/"
            assert "The form below" not in answer.text
        assert Todo.objects.filter(pk=todo.pk, completed=False).exists()

    def test_the_page_of_an_options_request_has_no_forms(self, alices: Browser, todo: Todo) -> None:
        answer: Any = alices.client.options(f"{LIST}{todo.pk}/")
        assert answer.status_code == HTTPStatus.OK
        assert b"PUT this JSON" not in answer.content
        assert b"Delete it" not in answer.content

    def test_a_batch_is_sent_as_json_written_by_hand(self, alices: Browser, todo: Todo) -> None:
        page = alices.get(alices.get(LIST).links["Batch…"])
        assert page.status == HTTPStatus.METHOD_NOT_ALLOWED
        form = page.form("_raw")
        assert form.submit().status == HTTPStatus.OK  # the example
        operations = [{"op": "delete", "id": str(todo.pk)}, {"op": "create", "title": ""}]
        page = form.submit(_raw=json.dumps({"operations": operations}))
        assert page.status == HTTPStatus.BAD_REQUEST
        assert "operations/1/title: This field may not be blank." in page.text
        assert json.loads(page.form("_raw").value("_raw")) == {"operations": operations}
        assert Todo.objects.filter(pk=todo.pk).exists()

    def test_a_push_is_sent_as_json_written_by_hand(self, alices: Browser, todo: Todo) -> None:
        form = alices.get(alices.get(LIST).links["Sync…"]).form("_raw")
        assert form.submit().status == HTTPStatus.OK  # the example
        change = {"newDocumentState": {"id": str(todo.pk), "title": "Changed"}}
        page = form.submit(_raw=json.dumps([change]))
        assert page.status == HTTPStatus.OK
        assert todo.title in page.text

    @pytest.mark.parametrize("method", ["", "GET", "HEAD", "TRACE", "delete", "FROBNICATE", "\x00"])
    def test_an_unknown_method_control_means_post(
        self, alices: Browser, todo: Todo, method: str
    ) -> None:
        form = open_(alices, todo).form("title", button="PATCH")
        values = [each for each in form.fields if each[0] != "_method"]
        page = alices.send(form, [*values, ("_method", method)])
        assert page.status == HTTPStatus.METHOD_NOT_ALLOWED
        assert Todo.objects.get().etag == todo.etag

    @pytest.mark.parametrize("control", ["initial-title", "initial-tags", "initial-completed"])
    @pytest.mark.parametrize(
        "text", ["", "[", "\x00", "x" * 50_000], ids=["empty", "bracket", "NUL", "long"]
    )
    def test_forged_initial_values_do_no_harm(
        self, alices: Browser, todo: Todo, control: str, text: str
    ) -> None:
        form = open_(alices, todo).form("title", button="PATCH")
        page = form.submit("PATCH", **{control: text}, title="Changed")
        assert page.status == HTTPStatus.OK
        todo.refresh_from_db()
        assert (todo.title, todo.tags, todo.completed) == ("Changed", ["home", "shop"], False)

    @pytest.mark.parametrize(
        ("body", "status"),
        [
            ("&".join(f"f{i}=x" for i in range(1200)), 400),
            ("title=" + "x" * 300_000, 413),
            ("title=%ff%fe", 201),
            ("%00=%00&title=x", 400),
            ("title=a&title=b", 201),
        ],
    )
    def test_a_form_that_no_page_sends_gets_an_error_page(
        self, alices: Browser, body: str, status: int
    ) -> None:
        csrf = alices.get(LIST).form("title").value("csrfmiddlewaretoken")
        answer: Any = alices.client.post(LIST, f"{body}&csrfmiddlewaretoken={csrf}", FORM)
        assert answer.status_code == status
        assert answer["Content-Type"].startswith("text/html")

    def test_pages_have_no_forms_before_login(self, browser: Browser, todo: Todo) -> None:
        for path in (LIST, f"{LIST}{todo.pk}/", "/api/", "/api/todos/batch/"):
            page = browser.get(path)
            assert page.status == HTTPStatus.UNAUTHORIZED
            assert "<form" not in page.html
