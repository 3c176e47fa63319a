"""Readers of ``DATABASE_URL`` and ``CACHE_URL``.

A start refuses what the first request would otherwise find out. No error quotes a value, because
it may be a password.
"""

from __future__ import annotations

import re
import socket
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from django.core.exceptions import ImproperlyConfigured
from environ import Env

from config.env import boolean, text

# Each process has its own. Django's default of 300 entries would drop counters that still run.
MEMORY_CACHE = {
    "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
    "OPTIONS": {"MAX_ENTRIES": 100_000},
}
POSTGRESQL = {
    "ENGINE": "database.postgresql",
    "CONN_MAX_AGE": 600,
    "CONN_HEALTH_CHECKS": True,
    # A pooler in transaction mode keeps no cursor.
    "DISABLE_SERVER_SIDE_CURSORS": True,
    # A server that is unreachable, gone or slow must not hold every thread.
    "OPTIONS": {
        "connect_timeout": 5,
        "tcp_user_timeout": 10_000,  # milliseconds until sent data must be acknowledged
        # Seconds. Keepalives notice a dead network, and keep a NAT from forgetting the connection.
        "keepalives_idle": 30,
        "keepalives_interval": 10,
        "options": "-c statement_timeout=10s -c lock_timeout=5s "
        "-c idle_in_transaction_session_timeout=30s",
    },
}
MAX_NAME_OCTETS = 63  # of a database: PostgreSQL cuts longer names
# Writers wait for one another instead of failing, and never block readers.
SQLITE_OPTIONS = {
    "init_command": "PRAGMA journal_mode=WAL",
    "timeout": 20,
    "transaction_mode": "IMMEDIATE",
}
REDIS_CACHE = {
    "BACKEND": "django.core.cache.backends.redis.RedisCache",
    # Seconds. A slow cache must not make every request slow.
    "OPTIONS": {"socket_connect_timeout": 0.5, "socket_timeout": 0.25},
}
REDIS_URL = re.compile(
    r"rediss?://([^/]*@)?([\w.-]*|\[(?P<ipv6>[0-9A-Fa-f:.]+)\])(:(?P<port>[0-9]*))?"
    r"(/+([0-9]{1,9}/*)?)?",
    re.ASCII,
)
HOST = re.compile(r"[/@].*|\[?[0-9A-Fa-f:.]*(%\w+)?\]?|[\w.-]+", re.ASCII)

PARTS_OF_A_URL = {
    "dbname": "NAME",
    "host": "HOST",
    "password": "PASSWORD",
    "port": "PORT",
    "user": "USER",
}

Reader = Callable[[str], Any]  # raises ValueError


def matching(pattern: str, cast: Reader = str) -> Reader:
    def read(value: str) -> Any:
        if not re.fullmatch(pattern, value, re.IGNORECASE):
            raise ValueError
        return cast(value)

    return read


def ports(value: str) -> str:
    """Read a comma list with one port for each host."""
    if not all(not each or 0 < whole(each) < 2**16 for each in value.split(",")):
        raise ValueError
    return value


def addresses(value: str) -> str:
    for each in filter(None, value.split(",")):
        ip_address(each)
    return value


def existing(value: str) -> str:
    """Read a path, or a word of the driver's such as ``system`` and ``pkcs11:…``."""
    if value != "system" and ":" not in value and not Path(value).expanduser().exists():
        raise ValueError
    return value


whole = matching("[0-9]{1,9}", int)
seconds = matching(r"[0-9]{1,9}(\.[0-9]{1,9})?", float)
whole_above_zero = matching("0*[1-9][0-9]{0,8}", int)
above_zero = matching(r"(?=.*[1-9])[0-9]{1,9}(\.[0-9]{1,9})?", float)

DJANGO_PARAMETERS: dict[str, Reader] = {
    "conn_health_checks": boolean,
    "conn_max_age": matching("none|[0-9]{1,9}", lambda age: int(age) if age.isdigit() else None),
    "disable_server_side_cursors": boolean,
}
# libpq judges all of its parameters but these before it connects.
POSTGRESQL_PARAMETERS: dict[str, Reader] = {
    "assume_role": str,
    "client_encoding": matching("utf-?8"),  # Django sets it in any case
    "connect_timeout": whole,
    "hostaddr": addresses,
    "passfile": existing,
    "port": ports,
    "prepare_threshold": whole,
    "replication": matching("false|off|no|0"),
    **dict.fromkeys(("sslcert", "sslcrl", "sslcrldir", "sslkey", "sslrootcert"), existing),
}
SQLITE_PARAMETERS: dict[str, Reader] = {
    "init_command": str,
    "timeout": seconds,
    "transaction_mode": matching("deferred|immediate|exclusive"),
}
redis_boolean = matching("true|yes|1|false|no|0")  # redis-py takes "off" for True
REDIS_PARAMETERS: dict[str, Reader] = {
    "client_name": str,
    "db": whole,
    "health_check_interval": whole,
    "max_connections": whole_above_zero,
    "password": str,
    "protocol": matching("2|3"),
    "retry_on_timeout": redis_boolean,
    "socket_connect_timeout": above_zero,
    "socket_keepalive": redis_boolean,
    "socket_timeout": above_zero,
    "username": str,
}
REDIS_TLS_PARAMETERS: dict[str, Reader] = {
    **dict.fromkeys(("ssl_ca_certs", "ssl_ca_path", "ssl_certfile", "ssl_keyfile"), existing),
    "ssl_cert_reqs": matching("none|optional|required"),
    "ssl_check_hostname": redis_boolean,
}


def database(name: str, *, default: Path) -> dict[str, Any]:
    """Return the settings of the database at the URL, or of the SQLite file ``default``.

    A parameter of the URL overrides a default of this module, and a blank one removes it.
    """
    url = text(name).strip()
    if not url:
        sqlite = {"ENGINE": "django.db.backends.sqlite3", "NAME": default}
        return {**sqlite, "OPTIONS": SQLITE_OPTIONS}
    if url.startswith("sqlite:"):
        return _sqlite(name, *_split(name, url))
    if url.startswith(("postgres:", "postgresql:")):
        return _postgresql(name, *_split(name, url))
    raise ImproperlyConfigured(f"{name} must start with postgres://, postgresql:// or sqlite://.")


def _sqlite(name: str, address: str, query: dict[str, str]) -> dict[str, Any]:
    if address != "sqlite://:memory:" and urlsplit(address).netloc:
        raise ImproperlyConfigured(
            f"{name} needs three slashes before a file, as sqlite:///todos.sqlite3, "
            "or four before a path from the root."
        )
    config = {**Env.db_url_config(address), "OPTIONS": SQLITE_OPTIONS}
    merged = _merged(name, config, query, DJANGO_PARAMETERS | SQLITE_PARAMETERS)
    try:
        with closing(sqlite3.connect(":memory:")) as connection:
            connection.executescript(merged["OPTIONS"].get("init_command", ""))
    except sqlite3.Error:
        raise _refused(name, "init_command") from None
    return merged


def _postgresql(name: str, address: str, query: dict[str, str]) -> dict[str, Any]:
    from psycopg import ProgrammingError, pq  # not needed with SQLite, and slow to import
    from psycopg.conninfo import conninfo_to_dict

    keywords = [each.keyword.decode() for each in pq.Conninfo.get_defaults()]
    known = dict.fromkeys(keywords, str) | DJANGO_PARAMETERS | POSTGRESQL_PARAMETERS
    merged = _merged(name, POSTGRESQL, query, known)
    try:
        parts = conninfo_to_dict(address)
        ports(str(parts.get("port", "")))
    except (ProgrammingError, ValueError):
        raise _not_a_url(name) from None
    # An unencoded "/" in a password leaves its "@" behind.
    if "@" in address.partition("://")[2].partition("/")[2]:
        raise _not_a_url(name)
    options = merged["OPTIONS"]
    for key, setting in PARTS_OF_A_URL.items():
        options.pop(key, None)
        merged[setting] = query.get(key, str(parts.get(key, "")))
    if merged["NAME"].startswith("/"):  # the folder of a Unix socket, as django-environ reads it
        merged["HOST"], _, merged["NAME"] = merged["NAME"].rpartition("/")
    if not all(map(HOST.fullmatch, merged["HOST"].split(","))):
        raise _not_a_url(name)
    if not (merged["NAME"] or "service" in options):
        raise ImproperlyConfigured(f"{name} names no database: add it, as in …@host/todos.")
    if len(merged["NAME"].encode()) > MAX_NAME_OCTETS:
        raise ImproperlyConfigured(
            f"{name} names a database in over {MAX_NAME_OCTETS} bytes: choose a shorter name."
        )
    _require_accepted_by_libpq(name, {key: options[key] for key in keywords if key in options})
    return merged


def _require_accepted_by_libpq(name: str, parameters: dict[str, Any]) -> None:
    reason = _reason_of_libpq(parameters)
    if not reason:
        return
    blamed = [key for key in parameters if re.search(rf"\b{key}\b", reason)]
    if not blamed and not _reason_of_libpq({}):
        # libpq names no parameter if two contradict each other: either may be the wrong one.
        blamed = [key for key in parameters if not _reason_of_libpq({**parameters, key: None})]
    if blamed:
        raise _refused(name, " and ".join(blamed))
    raise ImproperlyConfigured(
        f"libpq refuses {name}: correct its parameters, or a PG… variable of the environment, "
        "such as PGSSLMODE or PGSERVICE."
    )


def _reason_of_libpq(parameters: dict[str, Any]) -> str:
    """Have libpq check its parameters while it connects to a socket of this process.

    Returns the reason of libpq for a refusal; empty if it accepts the parameters.
    """
    from psycopg import pq
    from psycopg.conninfo import make_conninfo

    with socket.create_server(("127.0.0.1", 0)) as server:
        here = {"host": "127.0.0.1", "hostaddr": "127.0.0.1", "port": server.getsockname()[1]}
        # The user of a container may have no name, which libpq would refuse as well.
        conninfo = make_conninfo("", **{**parameters, **here, "dbname": "any", "user": "any"})
        connection = pq.PGconn.connect_start(conninfo.encode())
        if connection.status == pq.ConnStatus.BAD:
            return connection.error_message.decode(errors="replace")
    return ""


def cache(name: str) -> dict[str, Any]:
    """Return the settings of the Redis at the URL, or of a cache in this process."""
    url = text(name).strip()
    if not url:
        return MEMORY_CACHE
    if not url.startswith(("redis://", "rediss://")):
        raise ImproperlyConfigured(f"{name} must start with redis:// or rediss://.")
    address, query = _split(name, url)
    with_tls = REDIS_TLS_PARAMETERS if url.startswith("rediss://") else {}
    # A list, because Django splits a string at its commas.
    defaults = {**REDIS_CACHE, "LOCATION": [url]}
    merged = _merged(name, defaults, query, REDIS_PARAMETERS | with_tls)
    try:
        urlsplit(address)  # refuses what redis-py cannot read
        _require_redis(address)
    except ValueError:
        raise _not_a_url(name) from None
    return merged


def _require_redis(address: str) -> None:
    """Raise ``ValueError`` for a host that cannot exist, and for numbers that redis-py ignores."""
    match = REDIS_URL.fullmatch(address)
    if not match:
        raise ValueError
    addresses(match["ipv6"] or "")
    ports(match["port"] or "")


def _split(name: str, url: str) -> tuple[str, dict[str, str]]:
    """Return the URL without its query, and the parameters of that."""
    address, _, query = url.partition("?")
    pairs = parse_qsl(query, keep_blank_values=True)
    # An unencoded "?" or "#" in a password ends the URL early. What follows must not be shown.
    if "@" in query or "#" in url or not all(re.fullmatch("[A-Za-z_]+", key) for key, _ in pairs):
        raise _not_a_url(name)
    parameters = dict(pairs)
    if len(parameters) < len(pairs):
        raise ImproperlyConfigured(f"{name} has a parameter twice: remove one.")
    return address, parameters


def _merged(
    name: str, defaults: Mapping[str, Any], query: dict[str, str], known: Mapping[str, Reader]
) -> dict[str, Any]:
    """Return the defaults, with the parameters in their types; a blank one removes a default."""
    options = {**defaults["OPTIONS"]}
    settings = {**defaults, "OPTIONS": options}
    for given, value in query.items():
        key = given.lower() if given.lower() in DJANGO_PARAMETERS else given
        if key not in known:
            raise ImproperlyConfigured(f"{name} has the unknown parameter {given}: remove it.")
        place, its_key = (settings, key.upper()) if key in DJANGO_PARAMETERS else (options, key)
        if not value:
            place.pop(its_key, None)
            continue
        try:
            place[its_key] = known[key](value)
        except ValueError:
            raise _refused(name, key) from None
    return settings


def _refused(name: str, parameter: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(
        f"{name} has a value of {parameter} that cannot work: correct it, or remove it."
    )


def _not_a_url(name: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(
        f"{name} cannot be read: check its host and port, and percent-encode special characters "
        "in the password."
    )
