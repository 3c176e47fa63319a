"""PgBouncer in transaction mode: each statement may reach another server process."""

from __future__ import annotations

import pytest

from authn.testing import SECRET
from tests.faults.language import (
    UNLIMITED,
    assert_answered_or_unavailable,
    note,
    token_of,
    wait_for_writes,
)
from tests.faults.load import assert_kept, load, outcomes
from tests.faults.services import pgbouncer
from tests.support.postgresql import Cluster
from tests.support.processes import Servers

pytestmark = pytest.mark.faults


def test_two_processes_share_three_connections_under_load(
    servers: Servers, database: Cluster
) -> None:
    token = token_of("alice")
    with pgbouncer(database, connections=3) as pooler:
        url = pooler.database_url(database.new_database())
        api = servers.api(secret=SECRET, DATABASE_URL=url, WEB_CONCURRENCY="2", **UNLIMITED)
        with load(api, token) as attempts:
            wait_for_writes(attempts, 200)
        note(attempts)
        assert {*outcomes(attempts)} == {"201", "200"}
        assert_kept(api, token, attempts)


def test_a_pooler_that_ignores_no_parameter_works_with_blank_options(
    servers: Servers, database: Cluster
) -> None:
    token = token_of("alice")
    with pgbouncer(database, connections=3, ignored="") as pooler:
        url = pooler.database_url(database.new_database())
        api = servers.api(secret=SECRET, DATABASE_URL=f"{url}?options=", **UNLIMITED)
        assert api.get("/readyz", token).status == 200
        assert api.post("/api/todos/", token, {"title": "One"}).status == 201


def test_server_processes_killed_behind_the_pooler_cause_503_at_most(
    servers: Servers, database: Cluster
) -> None:
    token = token_of("alice")
    with pgbouncer(database, connections=3) as pooler:
        name = database.new_database()
        url = pooler.database_url(name)
        api = servers.api(secret=SECRET, DATABASE_URL=url, WEB_CONCURRENCY="2", **UNLIMITED)
        with load(api, token) as attempts:
            for _ in range(30):
                wait_for_writes(attempts, 10)
                database.end_connections(name)
            wait_for_writes(attempts, 50)
        note(attempts)
        assert_answered_or_unavailable(attempts)
        assert_kept(api, token, attempts)
