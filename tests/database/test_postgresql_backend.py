from __future__ import annotations

import fcntl
import os
import resource
import socket
import struct
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from django.core.signals import request_finished, request_started
from django.db import (
    InternalError,
    OperationalError,
    ProgrammingError,
    connections,
    transaction,
)
from django.db.backends.postgresql.base import TIMESTAMPTZ_OID
from psycopg.pq import Format, TransactionStatus
from pytest_django import DjangoDbBlocker

from database.postgresql.base import DatabaseWrapper
from tests.support.stub_postgresql import StubPostgresql

GOODBYE = b"E\0\0\0\x2cSFATAL\0C57P01\0Mterminating connection\0\0"


@pytest.fixture
def sockets() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Both ends of a TCP connection: ours and the server's."""
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
    """Ask a wrapper that could send no statement."""
    wrapper = DatabaseWrapper({})
    pgconn = SimpleNamespace(socket=descriptor, transaction_status=status)
    wrapper.connection = SimpleNamespace(pgconn=pgconn)
    return wrapper.is_usable()


def test_a_silent_connection_is_usable(ours: socket.socket) -> None:
    assert is_usable(ours.fileno())


def reset(server: socket.socket) -> None:
    server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    server.close()


@pytest.mark.parametrize(
    "end",
    [lambda server: server.sendall(GOODBYE), socket.socket.close, reset],
    ids=["ended", "closed", "reset"],
)
def test_a_connection_that_the_server_has_given_up_is_unusable(
    ours: socket.socket, server: socket.socket, end: Callable[[socket.socket], object]
) -> None:
    end(server)
    assert not is_usable(ours.fileno())


@pytest.mark.parametrize("status", TransactionStatus, ids=lambda status: status.name)
def test_a_connection_is_usable_at_rest_and_in_a_transaction_alone(
    ours: socket.socket, status: TransactionStatus
) -> None:
    expected = status in {TransactionStatus.IDLE, TransactionStatus.INTRANS}
    assert is_usable(ours.fileno(), status) is expected


def test_a_wrapper_without_a_connection_is_unusable() -> None:
    assert not DatabaseWrapper({}).is_usable()


def test_a_descriptor_above_1023_can_be_watched(ours: socket.socket, server: socket.socket) -> None:
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


@pytest.fixture
def stub() -> Iterator[StubPostgresql]:
    with StubPostgresql() as stub:
        yield stub


@pytest.fixture
def wrapper(
    stub: StubPostgresql, django_db_blocker: DjangoDbBlocker, monkeypatch: pytest.MonkeyPatch
) -> Iterator[DatabaseWrapper]:
    """A connection of the real driver to the stub, which Django knows as ``stub``."""
    wrapper = DatabaseWrapper(
        {
            **connections["default"].settings_dict,
            "CONN_HEALTH_CHECKS": True,
            "CONN_MAX_AGE": None,
            "HOST": "127.0.0.1",
            "NAME": "todos",
            "OPTIONS": {"sslmode": "disable", "gssencmode": "disable"},
            "PASSWORD": "",
            "PORT": stub.port,
            "USER": "todos",
        },
        alias="stub",
    )
    monkeypatch.setitem(connections.settings, "stub", wrapper.settings_dict)
    connections["stub"] = wrapper
    with django_db_blocker.unblock():
        yield wrapper
        wrapper.close()
    del connections["stub"]


def ask(wrapper: DatabaseWrapper) -> Any:
    with wrapper.cursor() as cursor:
        cursor.execute("SELECT 1")
        return cursor.fetchone()


def test_timestamps_are_loaded_by_the_drivers_own_loader_in_c(wrapper: DatabaseWrapper) -> None:
    with wrapper.cursor() as cursor:
        loader = cursor.adapters.get_loader(TIMESTAMPTZ_OID, Format.TEXT)
    assert loader is psycopg.adapters.get_loader(TIMESTAMPTZ_OID, Format.TEXT)
    assert loader.__module__ != "psycopg.types.datetime"  # which is Python


def test_the_driver_prepares_no_statement_that_a_pooler_would_lose(
    wrapper: DatabaseWrapper,
) -> None:
    ask(wrapper)
    assert wrapper.connection.prepare_threshold is None


def test_a_request_after_a_failed_one_does_not_use_a_connection_that_has_ended(
    wrapper: DatabaseWrapper, stub: StubPostgresql
) -> None:
    ask(wrapper)
    wrapper.errors_occurred = True
    request_finished.send(sender=None)
    assert not wrapper.errors_occurred  # Django has asked is_usable()
    for client in stub.clients:
        client.shutdown(socket.SHUT_RDWR)
    request_started.send(sender=None, environ={})
    assert ask(wrapper) == ("1",)
    assert len(stub.clients) == 2


def test_a_connection_without_a_socket_is_replaced(
    wrapper: DatabaseWrapper, stub: StubPostgresql
) -> None:
    assert ask(wrapper) == ("1",)
    wrapper.connection.pgconn.finish()
    wrapper.errors_occurred = True
    request_finished.send(sender=None)
    request_started.send(sender=None, environ={})
    assert ask(wrapper) == ("1",)
    assert len(stub.clients) == 2


@pytest.mark.parametrize(
    ("statement", "answers"),
    [
        ("BEGIN", ["BEGIN", "BEGIN"]),
        ("BEGIN", []),
        ("COMMIT", ["COMMIT", "COMMIT"]),
        ("SELECT", []),
    ],
)
def test_a_server_out_of_step_is_an_outage_that_ends_the_connection(
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
    assert len(stub.clients) > 1


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
