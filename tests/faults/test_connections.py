"""The server keeps its connections to PostgreSQL, and checks them without a query."""

from __future__ import annotations

import re
import time
from urllib.parse import quote

import pytest

from authn.testing import SECRET
from tests.faults.language import UNLIMITED, note, token_of, wait_for_writes
from tests.faults.load import load, outcomes
from tests.support.postgresql import Cluster
from tests.support.processes import Api, Servers

pytestmark = pytest.mark.faults

STATEMENT = re.compile(r"LOG:  (?:statement|execute \S+): (\w+)")


@pytest.fixture
def url(database: Cluster) -> str:
    """PostgreSQL logs each statement."""
    return f"{database.new_database()}?options={quote('-c log_statement=all')}"


@pytest.fixture
def token() -> str:
    return token_of("alice")


@pytest.fixture
def api(servers: Servers, url: str, token: str) -> Api:
    """A server whose threads have their connections."""
    api = servers.api(secret=SECRET, DATABASE_URL=url, WEB_CONCURRENCY="2", **UNLIMITED)
    assert_all_succeed(api, token)
    return api


@pytest.fixture
def connected(database: Cluster, url: str, api: Api) -> set[str]:
    """Return the process ids of the connections in PostgreSQL."""
    connected = database.connections(url)
    assert len(connected) > 2
    return connected


def assert_all_succeed(api: Api, token: str) -> None:
    with load(api, token) as attempts:
        wait_for_writes(attempts, 50)
    note(attempts)
    assert {*outcomes(attempts)} == {"201", "200"}


class TestConnectionsEndedBetweenRequests:
    def test_terminated_connections_fail_no_request(
        self, database: Cluster, url: str, api: Api, token: str, connected: set[str]
    ) -> None:
        database.end_connections(url)
        time.sleep(1)
        assert_all_succeed(api, token)
        assert database.connections(url).isdisjoint(connected)

    def test_a_restarted_database_fails_no_request(
        self, database: Cluster, api: Api, token: str, connected: set[str]
    ) -> None:
        database.stop()
        database.start()
        assert_all_succeed(api, token)


class TestIdleServer:
    def test_a_request_sends_only_its_own_statements(
        self, database: Cluster, api: Api, token: str
    ) -> None:
        start = len(database.log())
        for _ in range(20):
            assert api.get("/api/todos/", token).status == 200
        assert api.post("/api/todos/", token, {"title": "One"}).status == 201
        assert STATEMENT.findall(database.log()[start:]) == ["SELECT"] * 20 + ["WITH"]

    def test_a_reload_of_postgresql_keeps_connections(
        self, database: Cluster, url: str, api: Api, token: str, connected: set[str]
    ) -> None:
        assert_all_succeed(api, token)
        with database.reconfigured("intervalstyle", "iso_8601"):  # its clients are told of this one
            time.sleep(1)
            assert_all_succeed(api, token)
            assert_all_succeed(api, token)
            assert database.connections(url) >= connected
