from __future__ import annotations

import select
from collections.abc import Sequence
from typing import Any

from django.db.backends.postgresql import base
from psycopg.pq import TransactionStatus
from psycopg.types.datetime import TimestamptzLoader

from config.postgresql.statements import Statements

AT_REST = (TransactionStatus.IDLE, TransactionStatus.INTRANS)


class DatabaseWrapper(base.DatabaseWrapper):
    connection: Any
    _statements: Statements

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
        self._statements = Statements(connection)
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
