"""The settings of a database and of a cache, of the URLs that an operator writes.

Refuse at start what a request would find out. No error has a value: it may be a password.
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
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

DATABASE_SCHEMES = ("postgres", "postgresql", "sqlite")
IN_MEMORY = "sqlite://:memory:"
TRUE = ("true", "on", "yes", "1")
FALSE = ("false", "off", "no", "0")
# Each process has its own. Django's default of 300 entries would drop counters that still run.
MEMORY_CACHE = {
    "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
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
MAX_NAME_OCTETS = 63  # of a database: PostgreSQL would cut what is longer
# Writers wait for one another instead of failing, and never block readers.
SQLITE_OPTIONS = {
    "init_command": "PRAGMA journal_mode=WAL",
    "timeout": 20,
    "transaction_mode": "IMMEDIATE",
}
# A cache that is slow must not make every request slow.
REDIS_OPTIONS = {"socket_connect_timeout": 0.5, "socket_timeout": 0.25}


def boolean(value: str) -> bool:
    """Raises ``ValueError`` for a typing mistake."""
    if value.lower() not in TRUE + FALSE:
        raise ValueError(value)
    return value.lower() in TRUE


def a_number(value: str) -> float:
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", value):
        raise ValueError(value)
    return float(value)


def whole(value: str) -> int:
    if not re.fullmatch("[0-9]{1,9}", value):
        raise ValueError(value)
    return int(value)


def above_zero(value: str) -> float:
    if not (number := a_number(value)):
        raise ValueError(value)
    return number


def port(value: str) -> str:
    """One, or a comma list of one for each host."""
    if not all(not each or 0 < whole(each) < 2**16 for each in value.split(",")):
        raise ValueError(value)
    return value


def addresses(value: str) -> str:
    for each in filter(None, value.split(",")):
        ip_address(each)
    return value


def seconds_or_ever(value: str) -> int | None:
    return None if value.lower() == "none" else whole(value)


def one_of(*values: str) -> Callable[[str], str]:
    def read(value: str) -> str:
        if value.lower() not in values:
            raise ValueError(value)
        return value

    return read


def existing(value: str) -> str:
    """A file or folder; or a word of the driver's, such as ``system`` and ``pkcs11:…``."""
    if value != "system" and ":" not in value and not Path(value).expanduser().exists():
        raise ValueError(value)
    return value


# Django has these for every database.
DJANGO_PARAMETERS: Mapping[str, Callable[[str], Any]] = {
    "conn_health_checks": boolean,
    "conn_max_age": seconds_or_ever,
    "disable_server_side_cursors": boolean,
}
# The others that libpq has are for it to judge.
POSTGRESQL_PARAMETERS: Mapping[str, Callable[[str], Any]] = {
    "assume_role": str,
    "client_encoding": one_of("utf8", "utf-8"),  # Django asks for it, whatever is said here
    "connect_timeout": whole,
    "hostaddr": addresses,
    "passfile": existing,
    "port": port,
    "prepare_threshold": whole,
    "replication": one_of("false", "off", "no", "0"),
    "sslcert": existing,
    "sslcrl": existing,
    "sslcrldir": existing,
    "sslkey": existing,
    "sslrootcert": existing,
}
PARTS_OF_A_URL = {
    "dbname": "NAME",
    "host": "HOST",
    "password": "PASSWORD",
    "port": "PORT",
    "user": "USER",
}
SQLITE_PARAMETERS: Mapping[str, Callable[[str], Any]] = {
    "init_command": str,
    "timeout": a_number,
    "transaction_mode": one_of("deferred", "immediate", "exclusive"),
}
REDIS_PARAMETERS: Mapping[str, Callable[[str], Any]] = {
    "client_name": str,
    "db": whole,
    "health_check_interval": whole,
    "max_connections": above_zero,
    "password": str,
    "protocol": one_of("2", "3"),
    "retry_on_timeout": boolean,
    "socket_connect_timeout": above_zero,
    "socket_keepalive": boolean,
    "socket_timeout": above_zero,
    "username": str,
}
REDISS_PARAMETERS: Mapping[str, Callable[[str], Any]] = {
    **REDIS_PARAMETERS,
    "ssl_ca_certs": existing,
    "ssl_ca_path": existing,
    "ssl_cert_reqs": one_of("none", "optional", "required"),
    "ssl_certfile": existing,
    "ssl_check_hostname": boolean,
    "ssl_keyfile": existing,
}


def database(name: str, url: str, *, default: Path) -> dict[str, Any]:
    """The settings of the database at ``url``, or of the SQLite file ``default``.

    A parameter of the URL comes before what is set here, and a blank one takes that away.
    """
    url = url.strip()
    if not url:
        sqlite = {"ENGINE": "django.db.backends.sqlite3", "NAME": default}
        return {**sqlite, "OPTIONS": SQLITE_OPTIONS}
    scheme = url.partition(":")[0]
    if scheme not in DATABASE_SCHEMES:
        schemes = " or ".join(f"{each}://" for each in DATABASE_SCHEMES)
        raise ImproperlyConfigured(f"{name} must start with {schemes}.")
    address, parameters = _parsed(name, url)
    return (_sqlite if scheme == "sqlite" else _postgresql)(name, address, parameters)


def _sqlite(name: str, address: str, parameters: dict[str, str]) -> dict[str, Any]:
    if address != IN_MEMORY and urlsplit(address).netloc:
        raise ImproperlyConfigured(
            f"{name} needs three slashes before a file, as sqlite:///todos.sqlite3, "
            "or four before a path from the root."
        )
    known = {**DJANGO_PARAMETERS, **SQLITE_PARAMETERS}
    values = _read(name, parameters, known)
    if command := values.get("init_command"):
        try:
            with closing(sqlite3.connect(":memory:")) as connection:
                connection.executescript(command)
        except sqlite3.Error:
            raise _refused(name, "init_command") from None
    return _settings(environ.Env.db_url_config(address), values, SQLITE_OPTIONS)


def _postgresql(name: str, address: str, parameters: dict[str, str]) -> dict[str, Any]:
    from psycopg import pq  # takes a while, and is not there where nobody needs it

    keywords: dict[str, Callable[[str], Any]]
    keywords = {each.keyword.decode(): str for each in pq.Conninfo.get_defaults()}
    known = {**keywords, **DJANGO_PARAMETERS, **POSTGRESQL_PARAMETERS}
    values = _read(name, parameters, known)
    try:
        if re.search(":0+(,|$)", urlsplit(address).netloc):
            raise ValueError("port")
        config = {**POSTGRESQL, **environ.Env.db_url_config(address)}
    except ValueError:
        raise _no_url(name) from None
    config["HOST"] = _socket(address) or unquote(config["HOST"])
    # libpq too lets a parameter come before the same part of the URL.
    parts = [key for key in PARTS_OF_A_URL if key in values]
    config |= {PARTS_OF_A_URL[key]: values.pop(key) or "" for key in parts}
    if not all(map(_is_host, config["HOST"].split(","))):
        raise _no_url(name)
    if not (config["NAME"] or values.get("service")):
        raise ImproperlyConfigured(f"{name} names no database: add it, as in …@host/todos.")
    if len(config["NAME"].encode()) > MAX_NAME_OCTETS:
        raise ImproperlyConfigured(f"{name} names a database in over {MAX_NAME_OCTETS} bytes.")
    config = _settings({**config, "ENGINE": "database.postgresql"}, values, POSTGRESQL_OPTIONS)
    _require_taken_by_libpq(
        name, {key: value for key, value in config["OPTIONS"].items() if key in keywords}
    )
    return config


def _socket(address: str) -> str:
    """The folder of a Unix socket, whose case counts; empty where there is a host instead."""
    match = re.fullmatch(r"(?:.*@)?(%2F[^:]*)(?::[0-9]*)?", urlsplit(address).netloc, re.IGNORECASE)
    return unquote(match[1]) if match else ""


def _is_host(text: str) -> bool:
    """A name, an address or the folder of a Unix socket; empty for the host of this machine."""
    return bool(re.fullmatch(r"[/@].*|\[?[0-9A-Fa-f:.]*(%\w+)?\]?|[\w.-]+", text, re.ASCII))


def _settings(
    config: Mapping[str, Any], values: dict[str, Any], defaults: Mapping[str, Any]
) -> dict[str, Any]:
    settings, options = dict(config), dict(defaults)
    for key, value in values.items():
        place, key_there = (settings, key.upper()) if key in DJANGO_PARAMETERS else (options, key)
        if value == "":
            place.pop(key_there, None)
        else:
            place[key_there] = value
    return {**settings, "OPTIONS": options}


def _require_taken_by_libpq(name: str, parameters: dict[str, Any]) -> None:
    """Raise ``ImproperlyConfigured`` where libpq finds a mistake before it sends anything.

    It is told to connect to a socket of this process, and to no other address.
    """
    if not _refuses(parameters):
        return
    if _refuses({}):
        raise ImproperlyConfigured(
            f"{name} cannot be used while a PG… variable of the environment has a value "
            "that libpq refuses: correct it, as PGSSLMODE or PGSERVICE."
        )
    for key in parameters:
        if not _refuses({each: parameters[each] for each in parameters if each != key}):
            raise _refused(name, key)
    alone = [key for key, value in parameters.items() if _refuses({key: value})]
    raise _refused(name, " and ".join(alone))


def _refuses(parameters: dict[str, Any]) -> bool:
    from psycopg import pq
    from psycopg.conninfo import make_conninfo

    with socket.create_server(("127.0.0.1", 0)) as server:
        here = {"host": "127.0.0.1", "hostaddr": "127.0.0.1", "port": server.getsockname()[1]}
        # In a container, the user of this process may have no name that libpq could take.
        conninfo = make_conninfo("", **{**parameters, **here, "dbname": "any", "user": "any"})
        connection = pq.PGconn.connect_start(conninfo.encode())
        try:
            return connection.status == pq.ConnStatus.BAD
        finally:
            connection.finish()


def cache(name: str, url: str) -> dict[str, Any]:
    """The settings of the Redis at a URL, or of a cache in this process."""
    url = url.strip()
    if not url:
        return MEMORY_CACHE
    if not url.startswith(("redis://", "rediss://")):
        raise ImproperlyConfigured(f"{name} must start with redis:// or rediss://.")
    address, parameters = _parsed(name, url)
    known = REDISS_PARAMETERS if url.startswith("rediss://") else REDIS_PARAMETERS
    values = _read(name, parameters, known)
    try:
        _require_redis(urlsplit(address))
        # No connection is opened. The first request would find the mistake otherwise.
        _make_connection(url)
    except (ValueError, TypeError, KeyError):
        raise ImproperlyConfigured(
            f"{name} is no URL of a Redis, as redis://:password@host:6379/0: "
            "what is special in a password must be percent-encoded."
        ) from None
    # A list, because Django takes a comma in a string for the end of a URL.
    return {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": [url],
        "OPTIONS": {key: value for key, value in REDIS_OPTIONS.items() if values.get(key) != ""},
    }


def _require_redis(parts: SplitResult) -> None:
    """Raise ``ValueError`` for a number that the library ignores, and a host that is none."""
    if not re.fullmatch(r"[\w.-]*|[0-9A-Fa-f:.]+", parts.hostname or "", re.ASCII):
        raise ValueError(parts.hostname)
    if parts.path.strip("/"):
        whole(parts.path.strip("/"))
    if parts.port == 0:
        raise ValueError(parts.port)


def _make_connection(url: str) -> None:
    import redis  # takes a tenth of a second

    try:
        redis.ConnectionPool.from_url(url, **REDIS_OPTIONS).make_connection()
    except redis.RedisError as error:
        raise ValueError(url) from error


def _parsed(name: str, url: str) -> tuple[str, dict[str, str]]:
    """The URL without its query, and what that says."""
    address, _, query = url.partition("?")
    pairs = parse_qsl(query, keep_blank_values=True)
    # A "?" or "#" of a password ends a URL too early, and what comes then is not to be shown.
    if "@" in query or "#" in url or not all(re.fullmatch("[A-Za-z_]+", key) for key, _ in pairs):
        raise _no_url(name)
    parameters = dict(pairs)
    if len(parameters) < len(pairs):
        raise ImproperlyConfigured(f"{name} has a parameter twice.")
    return address, parameters


def _read(
    name: str, parameters: dict[str, str], known: Mapping[str, Callable[[str], Any]]
) -> dict[str, Any]:
    """Their values, where a blank one stays blank."""
    values: dict[str, Any] = {}
    for given, value in parameters.items():
        key = given.lower() if given.lower() in DJANGO_PARAMETERS else given
        if key not in known:
            raise ImproperlyConfigured(
                f"{name} has the parameter {given}, which means nothing here: take it out."
            )
        try:
            values[key] = value and known[key](value)
        except ValueError:
            raise _refused(name, key) from None
    return values


def _refused(name: str, parameter: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(
        f"{name} has a value of {parameter} that cannot work: correct it, or take it out."
    )


def _no_url(name: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(
        f"{name} is no URL: what is special in a password must be percent-encoded."
    )
