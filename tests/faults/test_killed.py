"""Processes are killed under load."""

from __future__ import annotations

import os
import signal
import time

import pytest

from authn.testing import SECRET
from tests.faults.language import UNLIMITED, note, token_of, wait_for_writes
from tests.faults.load import BROKEN, assert_kept, assert_repeatable, load, outcomes
from tests.support.postgresql import Cluster
from tests.support.processes import Api, Servers, wait_until

pytestmark = pytest.mark.faults

NEW_WORKER_SECONDS = 2  # until it serves


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def writable(request: pytest.FixtureRequest, servers: Servers) -> Api:
    environment = {"WEB_CONCURRENCY": "2", **UNLIMITED}
    if request.param == "PostgreSQL":
        database: Cluster = request.getfixturevalue("database")
        environment["DATABASE_URL"] = database.new_database()
    return servers.api(secret=SECRET, **environment)


class TestKilled:
    def test_a_killed_worker_loses_no_acknowledged_write(self, writable: Api) -> None:
        api, token = writable, token_of("alice")
        with load(api, token) as attempts:
            for _ in range(2):
                wait_for_writes(attempts, 30)
                before = api.workers()
                os.kill(before[0], signal.SIGKILL)
                wait_until(lambda: len({*api.workers()} - {before[0]}) == 2)  # noqa: B023
                time.sleep(NEW_WORKER_SECONDS)
        note(attempts)
        assert {*outcomes(attempts)} <= {"201", "200", BROKEN}
        assert_kept(api, token, attempts)
        assert_repeatable(api, token, attempts)

    def test_a_killed_server_loses_no_acknowledged_write(self, writable: Api) -> None:
        api, token = writable, token_of("alice")
        with load(api, token) as attempts:
            for _ in range(2):
                wait_for_writes(attempts, 30)
                api.kill()
                api.start()
        note(attempts)
        assert {*outcomes(attempts)} == {"201", "200", BROKEN}
        assert_kept(api, token, attempts)
        assert_repeatable(api, token, attempts)
