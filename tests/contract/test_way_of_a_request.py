"""Count the files of this project that a request visits, from ``config.wsgi`` to its answer.

A stay is a run of consecutive calls within one file.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from operator import itemgetter
from types import FrameType
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import RequestFactory

from authn.testing import Mint
from tests.support.apps import rooms
from todos.tests.factories import make_todo

pytestmark = pytest.mark.django_db

ROOT = f"{settings.BASE_DIR}/"


@contextmanager
def calls_recorded() -> Iterator[list[str]]:
    """Yield the file and function of each call in this thread, such as ``todos/views.py list``."""
    calls: list[str] = []
    packages = tuple(rooms())

    def record(frame: FrameType, event: str, _: object) -> None:
        path = frame.f_code.co_filename.removeprefix(ROOT)
        if event == "call" and path.startswith(packages) and "/testing/" not in path:
            calls.append(f"{path} {frame.f_code.co_name}")

    sys.setprofile(record)
    try:
        yield calls
    finally:
        sys.setprofile(None)


def serve(token: str, method: str, path: str, body: Any) -> str:
    """Answer a request as a WSGI server does, and return its status."""
    application = importlib.import_module("config.wsgi").application
    content = json.dumps(body) if body else ""
    environ = RequestFactory().generic(method, path, content, "application/json").environ
    environ["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    statuses: list[str] = []
    application(environ, lambda status, headers: statuses.append(status)).close()
    return statuses[0]


@pytest.mark.parametrize(
    ("method", "body", "most_files", "most_stays"),
    [("GET", None, 27, 37), ("POST", {"title": "Buy milk", "tags": ["home"]}, 34, 53)],
    ids=["get", "create"],
)
def test_a_request_visits_few_files(
    mint: Mint,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    body: Any,
    most_files: int,
    most_stays: int,
) -> None:
    # Django closes a connection in a broken transaction: keep that of the test.
    monkeypatch.setattr(connection, "close_if_unusable_or_obsolete", lambda: None)
    path = f"/api/todos/{make_todo().pk}/" if method == "GET" else "/api/todos/"
    request = (mint(sub="alice"), method, path, body)
    serve(*request)
    with calls_recorded() as calls:
        assert serve(*request).startswith("20")
    way = [
        (file, " ".join(name for _, name in stay))
        for file, stay in groupby(map(str.split, calls), key=itemgetter(0))
    ]
    print(*(f"{file}: {names}" for file, names in way), sep="\n")  # noqa: T201
    assert len({file for file, _ in way}) <= most_files
    assert len(way) <= most_stays
