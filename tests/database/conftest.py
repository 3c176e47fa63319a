from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

is_postgresql = "postgresql" in settings.DATABASES["default"]["ENGINE"]
collect_ignore = [] if is_postgresql else ["test_distribution.py"]


@pytest.fixture
def _empty_database(transactional_db: None, tmp_path: Path) -> Iterator[None]:
    """Lead the connection to a new database without tables."""
    usual = connection.settings_dict["NAME"]
    new = f"{usual}_empty" if is_postgresql else str(tmp_path / "empty.sqlite3")
    if is_postgresql:
        _execute(f"DROP DATABASE IF EXISTS {new}")
        _execute(f"CREATE DATABASE {new}")
    _connect_to(new)
    yield
    _connect_to(usual)
    if is_postgresql:
        _execute(f"DROP DATABASE {new}")


def _execute(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def _connect_to(database: str) -> None:
    connection.close()
    connection.settings_dict["NAME"] = database
