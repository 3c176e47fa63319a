from __future__ import annotations

import select
from types import TracebackType
from typing import Any

import psycopg
from django.db.backends.postgresql import base
from django.db.utils import DatabaseErrorWrapper, OperationalError
from django.utils.functional import cached_property
from psycopg.pq import TransactionStatus
from psycopg.types.datetime import TimestamptzLoader


class Errors(DatabaseErrorWrapper):
    """Close a connection that is out of step, and report an outage.

    PostgreSQL gives each of its errors an SQLSTATE. An error without one comes from psycopg,
    such as "received 2 results from command 'BEGIN'" after a pooler has lost its server. The
    next answer on such a connection may belong to another statement.
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
    """Tell a failure of the server or pooler from a mistake in a statement or its values."""
    return (
        isinstance(error, psycopg.Error)
        and not (error.sqlstate or error.diag.sqlstate)
        and (
            isinstance(error, psycopg.InternalError | psycopg.InterfaceError)
            or type(error) is psycopg.DatabaseError
        )
    )


class DatabaseWrapper(base.DatabaseWrapper):
    connection: Any

    @cached_property
    def wrap_database_errors(self) -> Errors:
        return Errors(self)

    def is_usable(self) -> bool:
        """Return whether the connection has been silent since the last answer.

        Costs no round trip, unlike the ``SELECT 1`` of Django. A server or pooler that ends a
        connection says so (SQLSTATE 57P01) and closes it; after a crash its kernel closes it.
        Any other message costs one new connection. A network that falls silent is noticed by
        the keepalives, or by a request that gets 503 after ``tcp_user_timeout``.
        """
        if self.connection is None:
            return False
        pgconn = self.connection.pgconn
        is_at_rest = pgconn.transaction_status in {
            TransactionStatus.IDLE,
            TransactionStatus.INTRANS,
        }
        poll = select.poll()  # select() cannot watch descriptors above 1023
        try:
            poll.register(pgconn.socket, select.POLLIN)
        except psycopg.OperationalError:  # libpq has closed its socket after an error
            return False
        return is_at_rest and not poll.poll(0)

    def get_new_connection(self, conn_params: Any) -> Any:
        connection = super().get_new_connection(conn_params)
        # Half of the time to load a page of todos goes into Django's own loader, in Python. It
        # sets the time zone of the settings, which the session has already.
        connection.adapters.register_loader("timestamptz", TimestamptzLoader)
        return connection

    def create_cursor(self, name: str | None = None) -> Any:
        # Django gives each cursor its own loader, unless the connection has it.
        return super().create_cursor(name) if name else self.connection.cursor()
