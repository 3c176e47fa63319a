"""The environment, and under it the file ``.env``: what the settings are made of.

A blank value counts as unset. ``os.environ`` is not filled from the file: what this process
starts would inherit that.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

from config.dotenv import read_dotenv

BASE_DIR = Path(__file__).resolve().parent.parent
DATABASE_SCHEMES = ("postgres", "postgresql", "sqlite")
WINDOW_SECONDS = {"s": 1, "min": 60, "h": 3600}
# Every process has its own; Django's 300 entries would forget counters that still run.
MEMORY_CACHE = {
    "BACKEND": "api.memory.LocMemCache",
    "OPTIONS": {"MAX_ENTRIES": 100_000},
}
# Each thread keeps its connection, and looks before it uses it whether the server has ended it.
POSTGRESQL = {
    "CONN_MAX_AGE": 600,
    "CONN_HEALTH_CHECKS": True,
    # A pooler that hands out its connections by the transaction keeps no cursor.
    "DISABLE_SERVER_SIDE_CURSORS": True,
}
# A server that is unreachable, gone or slow must not hold every thread.
POSTGRESQL_OPTIONS = {
    "connect_timeout": 5,
    "tcp_user_timeout": 10_000,  # milliseconds until what was sent must be acknowledged
    # Seconds: where nothing is sent, it is noticed like this, and no NAT forgets the connection.
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "options": "-c statement_timeout=10s -c lock_timeout=5s "
    "-c idle_in_transaction_session_timeout=30s",
}
# A cache that is slow must not make every request slow.
REDIS_OPTIONS = {"socket_connect_timeout": 0.5, "socket_timeout": 0.25}

# The suite must not depend on a developer's file.
_file = {} if "PYTEST_VERSION" in os.environ else read_dotenv(BASE_DIR / ".env")
ENVIRONMENT = {**_file, **os.environ}


def text(name: str, default: str = "") -> str:
    return ENVIRONMENT.get(name) or default


def items(name: str) -> list[str]:
    """A comma list. Spaces around its items do not count."""
    return [item.strip() for item in text(name).split(",") if item.strip()]


def flag(name: str) -> bool:
    """Off unless it is clearly on: a typing mistake must not open anything."""
    return text(name).lower() in environ.Env.BOOLEAN_TRUE_STRINGS


def whole_number(name: str, default: int, *, minimum: int | None = None) -> int:
    value = text(name, str(default))
    if not re.fullmatch("-?[0-9]{1,9}", value):
        raise ImproperlyConfigured(f"{name} must be a whole number.")
    if minimum is not None and int(value) < minimum:
        raise ImproperlyConfigured(f"{name} must be {minimum} or more.")
    return int(value)


def rate(name: str, default: str) -> tuple[int, int]:
    """``"600/min"`` -> how many, and in how many seconds."""
    match = re.fullmatch("([1-9][0-9]{0,8})/(s|min|h)", text(name, default))
    if not match:
        raise ImproperlyConfigured(f"{name} must be a number and a time: N/s, N/min or N/h.")
    return int(match[1]), WINDOW_SECONDS[match[2]]


def secret(name: str) -> str:
    """What a client sends after ``Bearer`` (RFC 6750 section 2.1), too long to be guessed."""
    value = text(name)
    if value and not re.fullmatch("[A-Za-z0-9._~+/-]{32,}=*", value):
        raise ImproperlyConfigured(
            f"{name} must be 32 characters or more, of letters, digits and - . _ ~ + / only."
        )
    return value


def choice(name: str, *, of: tuple[str, ...], default: str) -> str:
    value = text(name, default).upper()
    if value not in of:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(of)}.")
    return value


def database(name: str, *, default: Path) -> dict[str, Any]:
    """The settings of the database at a URL, or of the SQLite file ``default``."""
    url = text(name)
    if not url:
        config: dict[str, Any] = {"ENGINE": "django.db.backends.sqlite3", "NAME": default}
    else:
        config = _parsed_database_url(name, url)
    if config["ENGINE"].endswith("sqlite3"):
        # Writers wait for one another instead of failing, and never block readers.
        options: dict[str, Any] = {
            "init_command": "PRAGMA journal_mode=WAL",
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",
        }
    else:
        options = POSTGRESQL_OPTIONS
        config = {**POSTGRESQL, **config, "ENGINE": "config.postgresql"}
    return {**config, "OPTIONS": {**options, **config.get("OPTIONS", {})}}


def _parsed_database_url(name: str, url: str) -> dict[str, Any]:
    # Errors come without the value: it may hold a password.
    if url.partition(":")[0] not in DATABASE_SCHEMES:
        schemes = " or ".join(f"{scheme}://" for scheme in DATABASE_SCHEMES)
        raise ImproperlyConfigured(f"{name} must start with {schemes}.")
    try:
        return dict(environ.Env.db_url_config(url))
    except ValueError:
        raise ImproperlyConfigured(
            f"{name} is no URL: what is special in a password must be percent-encoded."
        ) from None


def cache(name: str) -> dict[str, Any]:
    """The settings of the Redis at a URL, or of a cache in this process."""
    url = text(name)
    if not url:
        return MEMORY_CACHE
    import redis  # takes a tenth of a second

    # Errors come without the value: it may hold a password.
    if not url.startswith(("redis://", "rediss://")):
        raise ImproperlyConfigured(f"{name} must start with redis:// or rediss://.")
    try:
        # Nothing is connected; what is wrong would otherwise show in the first request.
        redis.ConnectionPool.from_url(url, **REDIS_OPTIONS).make_connection()
    except (ValueError, TypeError, redis.RedisError):
        raise ImproperlyConfigured(
            f"{name} is no URL of a Redis: what is special in a password must be percent-encoded."
        ) from None
    # A list, because Django takes a comma in a string for the end of a URL.
    return {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": [url],
        "OPTIONS": REDIS_OPTIONS,
    }
