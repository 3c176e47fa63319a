"""A client that was generated from ``openapi.json`` uses a real process of this API.

Run with ``pytest -m live``.
"""

from __future__ import annotations

import os
import secrets
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from http import HTTPStatus
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest

from authn.testing import SECRET, Clock, SecretIssuer
from tests.support.client_page import generating
from tests.support.processes import PROJECT, Api, run

pytestmark = pytest.mark.live

PACKAGE = "todos_client"


@dataclass(frozen=True, slots=True)
class TodosClient:
    """The generated client, with the token of one user."""

    client: Any

    def call(self, operation: str, *arguments: Any, **options: Any) -> Any:
        """The answer of an operation: its ``status_code``, its ``headers`` and, ``parsed``, it."""
        module = import_module(f"{PACKAGE}.api.{operation}")
        return module.sync_detailed(*arguments, client=self.client, **options)

    def create(self, **fields: Any) -> Any:
        answer = self.call("todos.create_todo", body=model("TodoRequest")(**fields))
        assert answer.status_code == HTTPStatus.CREATED
        return answer.parsed


def model(name: str) -> Any:
    return getattr(import_module(f"{PACKAGE}.models"), name)


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of the package. The generator fails at a part that it does not understand."""
    directory = tmp_path_factory.mktemp("generated")
    shutil.copy(PROJECT / "openapi.json", directory)
    # The generator has ruff rewrite the package otherwise, and some types with it.
    (directory / "configuration.json").write_text('{"post_hooks": []}')
    options = "--fail-on-warning --config configuration.json"
    generate = f"{generating('openapi-python-client')} {options}"
    path = f"{sys.prefix}/bin:{os.environ['PATH']}"
    run(["bash", "-c", generate], directory, {"PATH": path})
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(directory)
        yield directory


@pytest.fixture
def ada(generated: Path, api: Api) -> Iterator[TodosClient]:
    """A user without todos."""
    mint = SecretIssuer(SECRET, clock=Clock(time.time())).mint
    client = import_module(PACKAGE).AuthenticatedClient(
        token=mint(sub=f"ada-{secrets.token_hex(8)}"),
        base_url=api.url,
        httpx_args={"trust_env": False},  # no proxy of the machine is between them
    )
    with client:
        yield TodosClient(client)


def test_the_generated_client_is_typed_strictly(generated: Path) -> None:
    checked = ["--strict", "--config-file=", "--cache-dir=.mypy_cache", "--package", PACKAGE]
    run([sys.executable, "-m", "mypy", *checked], generated, {})


def test_me_is_the_user_who_signed_in(ada: TodosClient) -> None:
    me = ada.call("me.get_me").parsed
    assert isinstance(me, model("Me"))
    assert (me.id[:4], me.email) == ("ada-", None)
    assert me.token_expires_at > datetime.now(UTC)


def test_a_created_todo_has_the_types_of_its_fields(ada: TodosClient) -> None:
    high = model("Priority").HIGH
    due = {"due_date": date(2026, 3, 29), "due_time": "18:30", "timezone": "Europe/Berlin"}
    todo = ada.create(title="Buy milk", priority=high, tags=["home"], **due)
    assert isinstance(todo, model("Todo"))
    assert isinstance(todo.id, UUID)
    assert isinstance(todo.created_at, datetime)
    assert todo.created_at == todo.updated_at
    assert todo.priority is high
    assert {name: getattr(todo, name) for name in due} == due
    assert todo.due_at == datetime(2026, 3, 29, 16, 30, tzinfo=UTC)
    assert (todo.completed, todo.completed_at, todo.tags) == (False, None, ["home"])


def test_pages_lead_through_the_list_to_its_end(ada: TodosClient) -> None:
    titles = [ada.create(title=f"Todo {number}").title for number in range(5)]
    options: dict[str, Any] = {"limit": 2, "ordering": model("ListTodosOrdering").CREATED_AT}
    pages = [ada.call("todos.list_todos", **options).parsed]
    while pages[-1].next_:
        (cursor,) = parse_qs(urlsplit(pages[-1].next_).query)["cursor"]
        pages.append(ada.call("todos.list_todos", cursor=cursor, **options).parsed)
    assert {type(page) for page in pages} == {model("TodoPage")}
    assert [[todo.title for todo in page.results] for page in pages] == [
        titles[:2],
        titles[2:4],
        titles[4:],
    ]


def test_filters_are_typed(ada: TodosClient) -> None:
    high, low = model("Priority").HIGH, model("Priority").LOW
    todos = [ada.create(title=each.value, priority=each) for each in (high, low)]
    ada.create(title="none")
    options = {"priority": [high, low], "created_from": todos[0].created_at, "completed": False}
    assert ada.call("todos.list_todos", **options).parsed.results == todos[::-1]


def test_a_change_with_an_etag_succeeds_once(ada: TodosClient) -> None:
    todo = ada.create(title="Buy milk", description="Two litres")
    change = {"body": model("PatchedTodoRequest")(title="Buy bread"), "if_match": todo.etag}
    answer = ada.call("todos.change_todo", todo.id, **change)
    assert answer.status_code == HTTPStatus.OK
    assert (answer.parsed.title, answer.parsed.description) == ("Buy bread", "Two litres")
    assert answer.parsed.etag == answer.headers["ETag"] != todo.etag

    stale = ada.call("todos.change_todo", todo.id, **change)
    assert stale.status_code == HTTPStatus.PRECONDITION_FAILED
    assert isinstance(stale.parsed, model("Problem"))
    assert (stale.parsed.status, stale.parsed.code) == (412, "precondition_failed")


def test_a_completed_todo_has_the_time_of_its_completion(ada: TodosClient) -> None:
    todo = ada.create(title="Buy milk")
    completed = ada.call("todos.complete_todo", todo.id, if_match=todo.etag).parsed
    assert completed.completed is True
    assert isinstance(completed.completed_at, datetime)


def test_null_takes_a_value_away(ada: TodosClient) -> None:
    todo = ada.create(title="Buy milk", due_date=date(2026, 3, 29))
    body = model("PatchedTodoRequest")(due_date=None)
    assert ada.call("todos.change_todo", todo.id, body=body).parsed.due_date is None


def test_the_answer_to_a_get_can_be_put_back(ada: TodosClient) -> None:
    todo = ada.create(title="Buy milk", tags=["home"])
    body = model("TodoRequest").from_dict({**todo.to_dict(), "title": "Buy bread"})
    replaced = ada.call("todos.replace_todo", todo.id, body=body, if_match=todo.etag).parsed
    assert (replaced.id, replaced.title, replaced.tags) == (todo.id, "Buy bread", ["home"])


def test_a_deleted_todo_is_404(ada: TodosClient) -> None:
    todo = ada.create(title="Buy milk")
    answer = ada.call("todos.delete_todo", todo.id, if_match=todo.etag)
    assert (answer.status_code, answer.parsed) == (HTTPStatus.NO_CONTENT, None)
    missing = ada.call("todos.get_todo", todo.id)
    assert (missing.status_code, missing.parsed.code) == (HTTPStatus.NOT_FOUND, "not_found")


def test_a_batch_changes_several_todos(ada: TodosClient) -> None:
    first, second = ada.create(title="Buy milk"), ada.create(title="Buy bread")
    seen = {"id": first.id, "etag": first.etag}
    action, op = model("BatchAction"), model("BatchActionOp")
    operations = [
        model("BatchCreate")(op=model("BatchCreateOp").CREATE, title="Cook"),
        model("BatchUpdate")(op=model("BatchUpdateOp").UPDATE, **seen, title="Buy two"),
        action(op=op.COMPLETE, id=first.id),
        action(op=op.DELETE, id=second.id),
    ]
    body = model("BatchRequest")(operations=operations)
    created, updated, completed, deleted = ada.call("todos.change_todos", body=body).parsed.results
    assert isinstance(created, model("Todo"))
    assert (updated.title, updated.completed) == ("Buy two", False)
    assert isinstance(completed.completed_at, datetime)
    assert deleted is None


def test_an_invalid_field_is_a_problem_with_its_pointer(ada: TodosClient) -> None:
    answer = ada.call("todos.create_todo", body=model("TodoRequest")(title=""))
    assert answer.status_code == HTTPStatus.BAD_REQUEST
    assert answer.parsed.code == "validation_failed"
    (error,) = answer.parsed.errors
    assert (error.pointer, error.code) == ("/title", "blank")
