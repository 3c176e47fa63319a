"""PostgreSQL is stopped or read-only."""

from __future__ import annotations

import logging
import sys
import time
from pathlib import Path

import pytest

from authn.testing import SECRET
from tests.faults.language import (
    TOLERABLE_SECONDS,
    UNAVAILABLE,
    UNLIMITED,
    assert_answered_or_unavailable,
    note,
    token_of,
    wait_for_refusals,
    wait_for_writes,
)
from tests.faults.load import assert_kept, assert_repeatable, load, outcomes
from tests.support.postgresql import Cluster
from tests.support.processes import Servers, api_environment, result_of, wait_until

logger = logging.getLogger(__name__)
pytestmark = pytest.mark.faults
MIGRATE_AS_MAKE_RUN = (
    "from server.preflight import load_settings, migrate; load_settings(); migrate()"
)


class TestPostgresStopped:
    def test_a_stopped_postgresql_is_503_and_loses_nothing(
        self, servers: Servers, database: Cluster
    ) -> None:
        api = servers.api(
            secret=SECRET, DATABASE_URL=database.new_database(), WEB_CONCURRENCY="2", **UNLIMITED
        )
        token, before = token_of("alice"), api.workers()
        with load(api, token) as attempts:
            wait_for_writes(attempts, 50)
            database.stop()
            stopped_at = time.monotonic()
            time.sleep(3)
            starting_at = time.monotonic()
            database.start()
            started_at = time.monotonic()
            wait_until(lambda: attempts[-1].todos)
            recovered_at = time.monotonic()
            wait_for_writes(attempts, 50)
            recovered = len(attempts)
            wait_for_writes(attempts, 50)
        note(attempts)
        logger.info("It was back after %.2f s", recovered_at - started_at)
        assert_answered_or_unavailable(attempts)
        meanwhile = [each for each in attempts if stopped_at + 1 < each.ended_at < starting_at]
        assert {*outcomes(meanwhile)} == {UNAVAILABLE}
        assert len(meanwhile) > 20
        assert {*outcomes(attempts[recovered:])} == {"201", "200"}
        assert recovered_at - started_at < TOLERABLE_SECONDS
        assert api.workers() == before
        assert_kept(api, token, attempts)
        assert_repeatable(api, token, attempts)


class TestPostgresReadOnly:
    def test_writes_are_503_and_reads_work(self, servers: Servers, database: Cluster) -> None:
        url = database.new_database()
        api = servers.api(secret=SECRET, DATABASE_URL=url, **UNLIMITED)
        token = token_of("alice")
        with load(api, token) as attempts:
            wait_for_writes(attempts, 20)
            before = database.connections(url)
            with database.reconfigured("default_transaction_read_only", "on"):
                wait_for_refusals(attempts, 20)
                reads = [api.get("/api/todos/", token) for _ in range(10)]
            wait_for_writes(attempts, 20)
        note(attempts)
        # Another server may be the primary by now.
        assert before - database.connections(url)
        assert {read.status for read in reads} == {200}
        assert_answered_or_unavailable(attempts)
        assert_kept(api, token, attempts)
        assert_repeatable(api, token, attempts)


class TestPostgresInAnotherEncoding:
    @pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
    def test_a_database_in_latin1_stops_a_start_and_a_migration(
        self, servers: Servers, database: Cluster, encoding: str
    ) -> None:
        environment = api_environment(Path("unused"), issuer_url="", secret=SECRET)
        url = database.new_database(
            f"ENCODING {encoding} LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
        )
        for command in (
            ["manage.py", "migrate"],
            ["manage.py", "check", "--database=default"],
            ["-c", MIGRATE_AS_MAKE_RUN],
        ):
            refused = result_of(
                [sys.executable, *command], environment={**environment, "DATABASE_URL": url}
            )
            assert refused.returncode == 1
            assert "ENCODING 'UTF8' TEMPLATE template0" in refused.stderr
        with pytest.raises(RuntimeError, match=r"\napi\.E013: .*ENCODING 'UTF8'"):
            servers.api(secret=SECRET, DATABASE_URL=url, **UNLIMITED)

    def test_a_server_starts_without_its_database(
        self, servers: Servers, database: Cluster
    ) -> None:
        url = database.new_database()
        database.stop()
        try:
            api = servers.api(secret=SECRET, DATABASE_URL=url, **UNLIMITED)
            assert "api.W015: The database does not answer (connection failed" in api.log()
            assert api.get("/readyz").status == 503
        finally:
            database.start()
        assert api.get("/readyz").status == 200
