from __future__ import annotations

import fcntl
import os
import resource
import socket
import struct
from collections.abc import Iterator
from datetime import UTC
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from django.db import (
    InternalError,
    OperationalError,
    ProgrammingError,
    connections,
    transaction,
)
from django.db.backends.postgresql import base
from django.db.backends.postgresql.base import TIMESTAMPTZ_OID
from django.db.backends.postgresql.psycopg_any import get_adapters_template
from psycopg.adapt import AdaptersMap
from psycopg.pq import Format, TransactionStatus
from pytest_django import DjangoDbBlocker

from database.postgresql.base import DatabaseWrapper
from tests.support.stub_postgresql import StubPostgresql

GOODBYE = b"E\0\0\0\x2cSFATAL\0C57P01\0Mterminating connection\0\0"


@pytest.fixture
def sockets() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Both ends of a TCP connection: ours, and that of the server."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ours = socket.create_connection(listener.getsockname())
        servers, _ = listener.accept()
    with ours, servers:
        yield ours, servers


@pytest.fixture
def ours(sockets: tuple[socket.socket, socket.socket]) -> socket.socket:
    return sockets[0]


@pytest.fixture
def server(sockets: tuple[socket.socket, socket.socket]) -> socket.socket:
    return sockets[1]


def is_usable(descriptor: int, status: TransactionStatus = TransactionStatus.IDLE) -> bool:
    """Has nothing to send a statement with."""
    wrapper = DatabaseWrapper({})
    pgconn = SimpleNamespace(socket=descriptor, transaction_status=status)
    wrapper.connection = SimpleNamespace(pgconn=pgconn)
    return wrapper.is_usable()


def test_a_server_that_says_nothing_is_good(ours: socket.socket) -> None:
    assert is_usable(ours.fileno())


def test_a_server_that_says_goodbye_is_not(ours: socket.socket, server: socket.socket) -> None:
    server.sendall(GOODBYE)
    assert not is_usable(ours.fileno())


def test_a_server_that_hangs_up_is_not(ours: socket.socket, server: socket.socket) -> None:
    server.close()
    assert not is_usable(ours.fileno())


def test_a_connection_that_was_reset_is_not(ours: socket.socket, server: socket.socket) -> None:
    server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    server.close()
    assert not is_usable(ours.fileno())


@pytest.mark.parametrize("status", TransactionStatus, ids=lambda status: status.name)
def test_it_is_in_the_middle_of_nothing_but_a_transaction(
    ours: socket.socket, status: TransactionStatus
) -> None:
    expected = status in {TransactionStatus.IDLE, TransactionStatus.INTRANS}
    assert is_usable(ours.fileno(), status) is expected


def test_no_connection_is_not_usable() -> None:
    assert not DatabaseWrapper({}).is_usable()


def test_a_worker_may_have_thousands_of_descriptors(
    ours: socket.socket, server: socket.socket
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 5000), hard))
    high = fcntl.fcntl(ours, fcntl.F_DUPFD_CLOEXEC, 4999)
    try:
        assert is_usable(high)
        server.sendall(GOODBYE)
        assert not is_usable(high)
    finally:
        os.close(high)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_moments_are_read_by_what_the_driver_has_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(self: base.DatabaseWrapper, parameters: Any) -> Any:
        adapters = AdaptersMap(get_adapters_template(use_tz=True, timezone=UTC))
        return SimpleNamespace(adapters=adapters, cursor=lambda: SimpleNamespace(adapters=adapters))

    monkeypatch.setattr(base.DatabaseWrapper, "get_new_connection", connect)
    monkeypatch.setattr("database.postgresql.base.Statements", lambda connection: None)
    wrapper = DatabaseWrapper({})
    wrapper.connection = wrapper.get_new_connection({})
    loader = wrapper.create_cursor().adapters.get_loader(TIMESTAMPTZ_OID, Format.TEXT)
    assert loader is psycopg.adapters.get_loader(TIMESTAMPTZ_OID, Format.TEXT)
    assert loader.__module__ != "psycopg.types.datetime"  # which is Python


@pytest.fixture
def stub() -> Iterator[StubPostgresql]:
    with StubPostgresql() as stub:
        yield stub


@pytest.fixture
def wrapper(stub: StubPostgresql, django_db_blocker: DjangoDbBlocker) -> Iterator[DatabaseWrapper]:
    """A connection by the real driver to a server that answers as it is told."""
    wrapper = DatabaseWrapper(
        {
            **connections["default"].settings_dict,
            "CONN_HEALTH_CHECKS": False,
            "HOST": "127.0.0.1",
            "NAME": "todos",
            "OPTIONS": {"sslmode": "disable", "gssencmode": "disable"},
            "PASSWORD": "",
            "PORT": stub.port,
            "USER": "todos",
        },
        alias="stub",
    )
    connections["stub"] = wrapper
    with django_db_blocker.unblock():
        yield wrapper
        wrapper.close()
    del connections["stub"]


def ask(wrapper: DatabaseWrapper) -> Any:
    with wrapper.cursor() as cursor:
        cursor.execute("SELECT 1")
        return cursor.fetchone()


@pytest.mark.parametrize(
    ("statement", "answers"),
    [
        ("BEGIN", ["BEGIN", "BEGIN"]),
        ("BEGIN", []),
        ("COMMIT", ["COMMIT", "COMMIT"]),
        ("SELECT", []),
    ],
)
def test_a_server_out_of_step_is_an_outage_and_its_connection_ends(
    wrapper: DatabaseWrapper, stub: StubPostgresql, statement: str, answers: list[str]
) -> None:
    assert ask(wrapper) == ("1",)
    stub.answers[statement] = answers
    with pytest.raises(OperationalError), transaction.atomic(using="stub"):
        ask(wrapper)
    stub.answers.clear()
    wrapper.close_if_unusable_or_obsolete()
    with transaction.atomic(using="stub"):
        assert ask(wrapper) == ("1",)
    assert stub.connections > 1


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (psycopg.errors.InFailedSqlTransaction(), InternalError),
        (psycopg.errors.UndefinedTable(), ProgrammingError),
        (psycopg.ProgrammingError("the query has 1 placeholder"), ProgrammingError),
    ],
    ids=repr,
)
def test_a_mistake_in_a_statement_is_no_outage(
    wrapper: DatabaseWrapper, error: Exception, expected: type[Exception]
) -> None:
    assert ask(wrapper) == ("1",)
    with pytest.raises(expected), wrapper.wrap_database_errors:
        raise error
    assert not wrapper.connection.closed
