"""Statements that one connection has the server prepare once, straight on libpq."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import count
from typing import Any

import psycopg
from psycopg.abc import Buffer
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ConnStatus, DiagnosticField, ExecStatus, TransactionStatus
from psycopg.pq.abc import PGresult

MAX_PREPARED = 128  # for each of them the server keeps a plan
SUCCESS = (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK)
# SQLSTATE of what is good again when it is prepared anew: the server does not know it, or a
# migration has changed the type of a column.
FORGOTTEN = (b"26000", b"0A000")


class Statements:
    """Statements whose text comes again and again, with other values.

    For a small one a cursor of the driver works several times as long as libpq, and the server
    plans about as long as it works. Values travel apart from the text
    (https://www.postgresql.org/docs/current/libpq-exec.html). Behind a pooler, where the next
    statement may reach another server, nothing is prepared.
    """

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._pgconn = connection.pgconn
        self._transformer = Transformer(connection)
        self._names: dict[str, bytes] = {}
        self._count = 0  # of all that were ever prepared here
        self._may_prepare = self._reaches_its_own_server()

    def rows(self, sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        """``sql`` is as Django compiles it, with ``%s`` for each value. Raises ``psycopg.Error``.

        Begins no transaction where one is to be begun first.
        """
        formats = [PyFormat.TEXT] * len(values)
        result = self._result(sql, self._transformer.dump_sequence(values, formats))
        self._transformer.set_pgresult(result)
        try:
            return self._transformer.load_rows(0, result.ntuples, tuple)
        finally:
            self._transformer.set_pgresult(None)  # or it is kept until the next statement

    def _result(self, sql: str, values: Sequence[Buffer | None]) -> PGresult:
        name = self._names.get(sql) or self._prepared(sql)
        if name is None:
            return self._checked(self._pgconn.exec_params(numbered(sql), values))
        # The type of the argument in the driver knows no NULL, which it takes.
        result = self._pgconn.exec_prepared(name, values)  # type: ignore[arg-type]
        if result.error_field(DiagnosticField.SQLSTATE) in FORGOTTEN:
            del self._names[sql]
            if self._pgconn.transaction_status == TransactionStatus.IDLE:
                result = self._pgconn.exec_params(numbered(sql), values)
        return self._checked(result)

    def _prepared(self, sql: str) -> bytes | None:
        """Its name; ``None`` where it is not to be prepared."""
        if not self._may_prepare or self._count == MAX_PREPARED:
            return None
        self._count += 1
        name = b"todos_%d" % self._count
        self._checked(self._pgconn.prepare(name, numbered(sql)))
        self._names[sql] = name
        return name

    def _checked(self, result: PGresult) -> PGresult:
        if result.status in SUCCESS:
            return result
        error = error_from_result(result)
        if self._pgconn.status != ConnStatus.OK:
            raise psycopg.OperationalError(str(error)) from error
        raise error

    def _reaches_its_own_server(self) -> bool:
        """A pooler gives its clients numbers of its own, by which they can cancel a statement."""
        result = self._checked(self._pgconn.exec_(b"SELECT pg_backend_pid()"))
        return result.get_value(0, 0) == b"%d" % self._pgconn.backend_pid


@lru_cache(2 * MAX_PREPARED)
def numbered(sql: str) -> bytes:
    """With ``$1`` for the first ``%s``: Django writes for a driver, and this is for the server."""
    numbers = count(1)
    return re.sub(
        "%([s%])", lambda found: f"${next(numbers)}" if found[1] == "s" else "%", sql
    ).encode()
