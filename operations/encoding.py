"""The encoding of the database: another than UTF-8 has no room for most titles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core import checks
from django.db import InterfaceError, OperationalError, connection

UTF8 = "UTF8"


class EncodingUnsuitable(Exception):
    code = "database_encoding"
    detail = "The database stores no UTF-8: create one with ENCODING 'UTF8' TEMPLATE template0."


def require_utf8() -> None:
    """Raise ``EncodingUnsuitable`` where the database of an open connection has another encoding.

    Costs no query: PostgreSQL names its encoding when it accepts a connection. A pooler that keeps
    it to itself is believed. An SQLite file holds every character in any of its encodings.
    """
    if connection.vendor == "postgresql":
        encoding = connection.connection.info.parameter_status("server_encoding")
        if encoding not in (UTF8, None):
            raise EncodingUnsuitable


def check_encoding(
    *, app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None, **kwargs: Any
) -> list[checks.CheckMessage]:
    """A check of every start and of ``manage.py migrate``. An outage stops no start."""
    if not databases or connection.vendor != "postgresql":
        return []
    try:
        with connection.temporary_connection():
            require_utf8()
    except EncodingUnsuitable as reason:
        return [
            checks.Error(
                reason.detail, hint="Then have DATABASE_URL name that database.", id="api.E013"
            )
        ]
    except (OperationalError, InterfaceError) as error:
        told = str(error).partition("\n")[0]  # names the server and the user, and no password
        return [
            checks.Warning(
                f"The database does not answer ({told}): until it does, every todo is 503.",
                hint="Start it, or correct DATABASE_URL.",
                id="api.W015",
            )
        ]
    return []
