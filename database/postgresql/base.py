from __future__ import annotations

import select
from collections.abc import Sequence
from types import TracebackType
from typing import Any

import psycopg
from django.db.backends.postgresql import base
from django.db.utils import DatabaseErrorWrapper, OperationalError
from django.utils.functional import cached_property
from psycopg.pq import TransactionStatus
from psycopg.types.datetime import TimestamptzLoader

from database.postgresql.statements import Statements

AT_REST = (TransactionStatus.IDLE, TransactionStatus.INTRANS)


class Errors(DatabaseErrorWrapper):
    """Turn errors of the driver into Django's, and end a connection that is out of step.

    Some errors come of the driver and not of the server, which gives each of its own an SQLSTATE:
    "received 2 results from command 'BEGIN'", where a pooler has lost its server. The answers on
    such a connection may be those of another statement, so nobody asks it again.
    """

    wrapper: DatabaseWrapper

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is not None and is_out_of_step(error) and self.wrapper.connection is not None:
            self.wrapper.connection.close()
            raise OperationalError(*error.args) from error
        super().__exit__(kind, error, traceback)


def is_out_of_step(error: BaseException) -> bool:
    """Tell what a server or pooler did wrong from mistakes in a statement or its values."""
    is_of_the_driver = isinstance(error, psycopg.Error) and not (
        error.sqlstate or error.diag.sqlstate
    )
    return is_of_the_driver and (
        isinstance(error, psycopg.InternalError | psycopg.InterfaceError)
        or type(error) is psycopg.DatabaseError
    )


class DatabaseWrapper(base.DatabaseWrapper):
    connection: Any
    _statements: Statements

    @cached_property
    def wrap_database_errors(self) -> Errors:
        return Errors(self)

    def is_usable(self) -> bool:
        """Whether nothing was heard on the connection since the last answer. Costs no round trip.

        A server or pooler that stops, or ends a connection, says so (SQLSTATE 57P01) and closes
        it; one that crashes has it closed by its machine. A message that means no harm costs a
        new connection, and nothing else. Of a network that falls silent nothing is heard: the
        keepalives of ``POSTGRESQL_OPTIONS`` notice it while nobody asks anything, and a request
        before that is a 503 when ``tcp_user_timeout`` has passed.
        """
        if self.connection is None:
            return False
        pgconn = self.connection.pgconn
        return pgconn.transaction_status in AT_REST and not _is_readable(pgconn.socket)

    def close_if_unusable_or_obsolete(self) -> None:
        super().close_if_unusable_or_obsolete()
        # After an error Django has looked at it, and would take that for the look of the next
        # request, however much later.
        self.health_check_done = False

    def get_new_connection(self, conn_params: Any) -> Any:
        connection = super().get_new_connection(conn_params)
        # Django's is Python, and takes longer for a page of todos than all else that loads it. It
        # puts the time zone of the settings for that of the session, where they are the same.
        connection.adapters.register_loader("timestamptz", TimestamptzLoader)
        try:
            self._statements = Statements(connection)
        except psycopg.Error:
            connection.close()
            raise
        return connection

    def create_cursor(self, name: str | None = None) -> Any:
        # Django's asks each for its loader, and gives it the one in Python.
        return super().create_cursor(name) if name else self.connection.cursor()

    def rows_of(self, sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        """What ``fetchall`` of a cursor says, for a statement that comes again and again."""
        self.close_if_health_check_failed()
        self.ensure_connection()
        if self._needs_a_cursor():
            with self.cursor() as cursor:
                cursor.execute(sql, values)
                return cursor.fetchall() if cursor.description else []
        with self.wrap_database_errors:
            return self._statements.rows(sql, values)

    def _needs_a_cursor(self) -> bool:
        """Where somebody looks at what is executed, or the driver has a transaction to begin."""
        if self.queries_logged or self.execute_wrappers or self.needs_rollback:
            return True
        idle = self.connection.pgconn.transaction_status == TransactionStatus.IDLE
        return idle and not self.autocommit


def _is_readable(descriptor: int) -> bool:
    """Also where the other side has closed it, or it has failed."""
    poll = select.poll()  # select() has no room for the descriptors of a worker with many clients
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))
