"""Connections to PostgreSQL that are kept: looked at before they are used, and asked nothing."""

from __future__ import annotations

import re
import time
from urllib.parse import quote

import pytest

from authn.testing import SECRET
from tests.faults.language import UNLIMITED, note, token_of, wait_for_writes
from tests.faults.load import load, outcomes
from tests.faults.services import Postgres
from tests.support.processes import Api, Servers

pytestmark = pytest.mark.faults

STATEMENT = re.compile(r"LOG:  (?:statement|execute \S+): (\w+)")


@pytest.fixture
def url(database: Postgres) -> str:
    """Each statement that is sent there is in the log of the server."""
    return f"{database.new_database()}?options={quote('-c log_statement=all')}"


@pytest.fixture
def token() -> str:
    return token_of("alice")


@pytest.fixture
def api(servers: Servers, url: str, token: str) -> Api:
    """Whose threads have their connections."""
    api = servers.api(secret=SECRET, DATABASE_URL=url, WEB_CONCURRENCY="2", **UNLIMITED)
    assert_all_succeed(api, token)
    return api


@pytest.fixture
def connected(database: Postgres, url: str, api: Api) -> set[int]:
    """By the process that each has in the server."""
    connected = database.connections(url)
    assert len(connected) > 2
    return connected


def assert_all_succeed(api: Api, token: str) -> None:
    with load(api, token) as attempts:
        wait_for_writes(attempts, 50)
    note(attempts)
    assert {*outcomes(attempts)} == {"201", "200"}


class TestAnEndThatCameBetweenRequests:
    def test_of_every_connection_fails_none(
        self, database: Postgres, url: str, api: Api, token: str, connected: set[int]
    ) -> None:
        database.end_connections(url)
        time.sleep(1)
        assert_all_succeed(api, token)
        assert database.connections(url).isdisjoint(connected)

    def test_of_the_server_fails_none_when_it_is_back(
        self, database: Postgres, api: Api, token: str, connected: set[int]
    ) -> None:
        database.stop()
        database.start()
        assert_all_succeed(api, token)


class TestAQuietServer:
    def test_is_asked_what_a_request_is_about_and_nothing_else(
        self, database: Postgres, api: Api, token: str
    ) -> None:
        start = len(database.log())
        for _ in range(20):
            assert api.get("/api/todos/", token).status == 200
        assert api.post("/api/todos/", token, {"title": "One"}).status == 201
        assert STATEMENT.findall(database.log()[start:]) == ["SELECT"] * 20 + ["INSERT"]

    def test_keeps_its_connections_also_when_it_is_configured_anew(
        self, database: Postgres, url: str, api: Api, token: str, connected: set[int]
    ) -> None:
        assert_all_succeed(api, token)
        with database.reconfigured("intervalstyle", "iso_8601"):  # its clients are told of this one
            time.sleep(1)
            assert_all_succeed(api, token)
            assert_all_succeed(api, token)
            assert database.connections(url) >= connected
