"""The check of every answer against ``openapi.json`` finds mistakes."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from tests.support.documented import check

REQUEST_ID = str(uuid.uuid4())
ME = {
    "id": "alice",
    "email": None,
    "name": "Alice",
    "token_expires_at": "2100-01-01T00:00:00Z",
}
PROBLEM = {
    "type": "about:blank",
    "title": "Not Found",
    "status": 404,
    "detail": "Not found.",
    "code": "not_found",
    "instance": f"urn:uuid:{REQUEST_ID}",
}


def answer(body: Any = ME, *, status: int = 200, **headers: str | None) -> HttpResponse:
    """Answer as ``GET /api/me/`` does, with these changes. ``None`` drops a header field."""
    fields = {"Content_Type": "application/json", "X_Request_Id": REQUEST_ID, **headers}
    response = HttpResponse(b"" if body is None else json.dumps(body), status=status)
    response.wsgi_request = RequestFactory().get("/api/me/")  # type: ignore[attr-defined]
    del response.headers["Content-Type"]
    for name, value in fields.items():
        if value is not None:
            response.headers[name.replace("_", "-")] = value
    return response


def problem(status: int, **members: Any) -> HttpResponse:
    fields = {name: members.pop(name) for name in [*members] if name[0].isupper()}
    fields = {"Content_Type": "application/problem+json", **fields}
    return answer({**PROBLEM, "status": status, **members}, status=status, **fields)


@pytest.mark.parametrize(
    ("method", "path", "response"),
    [
        ("GET", "/api/me/", answer()),
        ("GET", "/api/me", answer()),
        ("HEAD", "/api/me/", answer(None)),
        ("OPTIONS", "/api/me/", answer({"name": "Me"})),
        ("GET", "/api/me/", problem(400, code="invalid_parameter")),
        ("PUT", "/api/me/", problem(405, Allow="GET, HEAD, OPTIONS")),
        ("GET", "/api/nope/", problem(404)),
        ("GET", "/healthz", answer({"status": "ok"})),
        ("DELETE", "/api/todos/1/", answer(None, status=204, Content_Type=None)),
    ],
)
def test_a_documented_answer_has_no_mistake(method: str, path: str, response: HttpResponse) -> None:
    check(method, path, response)


@pytest.mark.parametrize(
    ("method", "path", "response", "mistake"),
    [
        ("GET", "/api/me/", answer(status=202), "It has only 200, 400,"),
        ("GET", "/api/me/", answer({**ME, "id": 7}), "body/id: "),
        ("GET", "/api/me/", answer({**ME, "token_expires_at": "soon"}), "date-time"),
        ("GET", "/api/me/", answer({**ME, "secret": 1}), "'secret' was unexpected"),
        ("GET", "/api/me/", answer({}), '"email" is a required property'),
        ("GET", "/api/me/", answer(None), "It has no body."),
        ("GET", "/api/me/", answer(Content_Type="text/html"), "It is 'text/html' instead of"),
        ("GET", "/api/me/", answer(X_Request_Id=None), "X-Request-Id is missing."),
        ("GET", "/api/me/", answer(X_Request_Id="1"), "X-Request-Id: "),
        ("HEAD", "/api/me/", answer(), "It has a body."),
        ("GET", "/api/me/", problem(400), "The code is none of "),
        ("GET", "/api/me/", problem(401, code="not_authenticated"), "WWW-Authenticate is missing."),
        ("GET", "/api/nope/", problem(404, detail=None), "body/detail: "),
        ("GET", "/api/nope/", problem(404, Content_Type="text/html"), "application/problem+json"),
        ("GET", "/api/nope/", answer(status=404), "instead of application/problem+json"),
        ("PUT", "/api/me/", problem(405, Allow="GET, PUT"), "Allow is 'GET, PUT'"),
        ("DELETE", "/api/todos/1/", answer(status=204, Content_Type=None), "It has a body."),
        ("DELETE", "/api/todos/1/", answer(None, status=204), "instead of nothing"),
    ],
)
def test_an_undocumented_answer_is_a_mistake(
    method: str, path: str, response: HttpResponse, mistake: str
) -> None:
    with pytest.raises(AssertionError) as error:
        check(method, path, response)
    assert mistake in str(error.value)
