"""Every error is a problem document: of a view, a middleware or Django itself."""

from __future__ import annotations

import json
import logging
import uuid
from typing import Any

import pytest
from django.db import InterfaceError, InternalError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from psycopg.errors import InFailedSqlTransaction, ReadOnlySqlTransaction
from pytest_django import Settings

from api.errors.middleware import problem_documents
from api.views import MeView
from tests.support.problems import problem


@pytest.fixture(params=[False, True], ids=["production", "DEBUG"])
def _either_mode(request: pytest.FixtureRequest, settings: Settings) -> None:
    settings.DEBUG = request.param


@pytest.mark.usefixtures("_either_mode")
class TestProblems:
    @pytest.mark.parametrize("path", ["/nope", "/api/nope/", "/api/todos/a/b/c/", "/%00", "/%2F"])
    def test_an_unknown_path_is_404(self, client: Client, path: str) -> None:
        problem(client.get(path), 404, "not_found")

    def test_an_unknown_method_is_405_whatever_the_query(self, alice: Client) -> None:
        response = alice.delete("/api/todos/?limit=0&nope=1")
        problem(response, 405, "method_not_allowed")
        assert response["Allow"] == "GET, POST, HEAD, OPTIONS"

    def test_an_accept_without_json_is_a_406_problem(self, alice: Client) -> None:
        problem(alice.get("/api/me/", headers={"accept": "text/html"}), 406, "not_acceptable")

    @pytest.mark.parametrize(
        "media_type", ["text/plain", "application/xml", "multipart/form-data", "x"]
    )
    def test_a_body_of_another_media_type_is_a_415_problem(
        self, alice: Client, media_type: str
    ) -> None:
        response = alice.post("/api/todos/", "title=x", content_type=media_type)
        problem(response, 415, "unsupported_media_type")

    @pytest.mark.parametrize(
        "body",
        [
            *("{", "{'a': 1}", "NaN", '{"title": Infinity}', "[" * 100_000, "\ufeff{}", "1" * 5000),
            b'{"title":"\xff"}',
        ],
    )
    def test_a_body_that_is_not_json_in_utf8_is_400(self, alice: Client, body: str | bytes) -> None:
        response = alice.generic("POST", "/api/todos/", body, "application/json")
        problem(response, 400, "parse_error")

    def test_a_body_over_256_kib_is_413(self, alice: Client) -> None:
        whole, too_large = (
            alice.post("/api/todos/", "{}".ljust(size), content_type="application/json")
            for size in (256 * 1024, 256 * 1024 + 1)
        )
        problem(whole, 400, "validation_failed")
        title = problem(too_large, 413, "content_too_large")["title"]
        assert title == "Content Too Large"

    def test_a_disallowed_host_is_400(self, alice: Client) -> None:
        problem(alice.get("/api/me/", headers={"host": "evil.example"}), 400, "bad_request")

    def test_a_disallowed_host_is_a_short_line_in_the_log(
        self, alice: Client, caplog: pytest.LogCaptureFixture
    ) -> None:
        alice.get("/api/me/", headers={"host": "a" * 100_000})
        record, _ = caplog.records
        assert len(record.getMessage()) <= 200
        assert record.exc_info is None

    def test_more_than_1000_query_parameters_are_400(self, alice: Client) -> None:
        problem(alice.get("/api/todos/?" + "a&" * 1001), 400, "bad_request")

    def test_a_crash_is_500_and_tells_no_internals(
        self, alice: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        def crash(self: MeView, request: Any) -> None:
            raise LookupError("internal detail")

        monkeypatch.setattr(MeView, "get", crash)
        alice.raise_request_exception = False
        response = alice.get("/api/me/")
        problem(response, 500, "internal_error")
        assert b"internal detail" not in response.content
        assert "internal detail" in caplog.text

    @pytest.mark.parametrize(
        ("cause", "status", "code"),
        [
            (ReadOnlySqlTransaction, 503, "database_unavailable"),
            (InFailedSqlTransaction, 500, "internal_error"),
        ],
    )
    def test_a_read_only_database_is_503(
        self,
        alice: Client,
        monkeypatch: pytest.MonkeyPatch,
        cause: type[Exception],
        status: int,
        code: str,
    ) -> None:
        def fail(self: MeView, request: Any) -> None:
            raise InternalError from cause()

        monkeypatch.setattr(MeView, "get", fail)
        alice.raise_request_exception = False
        problem(alice.get("/api/me/"), status, code)

    @pytest.mark.parametrize("error", [OperationalError, InterfaceError])
    def test_an_unreachable_database_is_503(
        self,
        alice: Client,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
        error: type[Exception],
    ) -> None:
        def fail(self: MeView, request: Any) -> None:
            raise error("connection to 10.0.0.1 failed")

        monkeypatch.setattr(MeView, "get", fail)
        with caplog.at_level(logging.ERROR):
            response = alice.get("/api/me/")
        body = problem(response, 503, "database_unavailable")
        assert response["Retry-After"] == "5"
        assert "10.0.0.1" not in str(body)
        assert "10.0.0.1" in caplog.text
        assert [record.name for record in caplog.records] == ["api.errors.handler"]


def test_every_answer_has_another_request_id(alice: Client) -> None:
    ids = {alice.get("/api/me/")["X-Request-Id"] for _ in range(3)}
    assert len({uuid.UUID(text) for text in ids}) == 3


@pytest.mark.parametrize(
    ("status", "code"), [(410, "bad_request"), (451, "bad_request"), (502, "internal_error")]
)
def test_an_error_with_an_unexpected_status_is_a_problem(
    rf: RequestFactory, status: int, code: str
) -> None:
    request = rf.get("/")
    request.META["HTTP_X_REQUEST_ID"] = str(uuid.uuid4())
    answer = problem_documents(lambda request: HttpResponse(status=status))(request)
    assert json.loads(answer.content)["code"] == code  # type: ignore[attr-defined]


def test_an_answer_below_400_is_no_problem(rf: RequestFactory) -> None:
    def not_modified(request: HttpRequest) -> HttpResponse:
        return HttpResponse(status=304)

    assert problem_documents(not_modified)(rf.get("/")).status_code == 304


@pytest.mark.django_db
def test_half_a_surrogate_pair_is_replaced_in_a_pointer(alice: Client) -> None:
    body = alice.generic("POST", "/api/todos/", '{"\\ud800": 1, "title": "x"}', "application/json")
    assert problem(body, 400, "validation_failed")["errors"][0]["pointer"] == "/?"
