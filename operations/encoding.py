"""Refuse a database in another encoding than UTF-8, which has no room for most titles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.core import checks
from django.db import InterfaceError, OperationalError, connection


class EncodingUnsuitable(Exception):
    code = "database_encoding"
    detail = "The database stores no UTF-8: create one with ENCODING 'UTF8' TEMPLATE template0."


def require_utf8() -> None:
    """Raise ``EncodingUnsuitable`` where the connected PostgreSQL uses another encoding.

    Costs no query: PostgreSQL names its encoding when it accepts a connection. A pooler that does
    not name it is trusted. SQLite stores every character.
    """
    if connection.vendor == "postgresql":
        encoding = connection.connection.info.parameter_status("server_encoding")
        if encoding not in ("UTF8", None):
            raise EncodingUnsuitable


@checks.register(checks.Tags.database)
def check_encoding(
    *, databases: Sequence[str] | None, **kwargs: Any
) -> Iterator[checks.CheckMessage]:
    """Check a start and ``manage.py migrate``. A database that is down stops neither."""
    if not databases or connection.vendor != "postgresql":
        return
    try:
        with connection.temporary_connection():
            require_utf8()
    except EncodingUnsuitable as reason:
        yield checks.Error(reason.detail, "Name that database in DATABASE_URL.", id="api.E013")
    except (OperationalError, InterfaceError) as error:
        told = str(error).partition("\n")[0]  # names the server and the user, and no password
        yield checks.Warning(
            f"The database does not answer ({told}): until it does, every todo is 503.",
            "Start it, or correct DATABASE_URL.",
            id="api.W015",
        )
