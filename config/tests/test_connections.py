"""``DATABASE_URL`` and ``CACHE_URL``: a value that cannot work is refused at import."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from django.core.exceptions import ImproperlyConfigured
from redis import ConnectionPool

from config.connections import MEMORY_CACHE, cache, database
from config.env import ENVIRONMENT

FILE = Path("default.sqlite3")
PASSWORD = "open-sesame"


def database_at(url: str) -> dict[str, Any]:
    with mock.patch.dict(ENVIRONMENT, DATABASE_URL=url):
        return database("DATABASE_URL", default=FILE)


def postgresql(query: str = "", *, address: str = "u:p@h/db") -> dict[str, Any]:
    return database_at(f"postgres://{address}{query}")


def sqlite(query: str = "") -> dict[str, Any]:
    return database_at(f"sqlite:///todos.sqlite3{query}")


def redis(url: str) -> dict[str, Any]:
    with mock.patch.dict(ENVIRONMENT, CACHE_URL=url):
        return cache("CACHE_URL")


def refused_database(url: str) -> str:
    return refusal(database_at, url, "DATABASE_URL")


def refused_cache(url: str) -> str:
    return refusal(redis, url, "CACHE_URL")


def refusal(read: Callable[[str], Any], url: str, name: str) -> str:
    """Return the error, one line that names the variable and shows nothing of its value."""
    with pytest.raises(ImproperlyConfigured, match=rf"\A.*{name}.*\Z") as caught:
        read(url)
    assert PASSWORD not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("pgbouncer=true", "pgbouncer"),
        ("atomic_requests=true", "atomic_requests"),
        ("schema=public", "schema"),
        ("ssl=true", "ssl"),
        ("sslmode=require&connection_limit=5", "connection_limit"),
        ("SSLMODE=require", "SSLMODE"),
        ("autocommit=false", "autocommit"),
        ("pool=true", "pool"),
        ("server_side_binding=true", "server_side_binding"),
        ("isolation_level=serializable", "isolation_level"),
        ("timeout=5", "timeout"),
    ],
)
def test_an_unknown_parameter_of_postgresql_is_named(query: str, parameter: str) -> None:
    reason = refused_database(f"postgres://u:{PASSWORD}@h/db?{query}")
    assert f"has the unknown parameter {parameter}: " in reason


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("sslmode=foo", "sslmode"),
        ("sslmode=Require", "sslmode"),
        ("connect_timeout=abc", "connect_timeout"),
        ("connect_timeout=-1", "connect_timeout"),
        ("port=abc", "port"),
        ("port=0", "port"),
        ("port=65536", "port"),
        ("hostaddr=db.example.com", "hostaddr"),
        ("keepalives_idle=soon", "keepalives_idle"),
        ("tcp_user_timeout=10s", "tcp_user_timeout"),
        ("target_session_attrs=leader", "target_session_attrs"),
        ("channel_binding=yes", "channel_binding"),
        ("gssencmode=yes", "gssencmode"),
        ("load_balance_hosts=yes", "load_balance_hosts"),
        ("ssl_min_protocol_version=1.2", "ssl_min_protocol_version"),
        ("sslmode=prefer&sslnegotiation=direct", "sslmode and sslnegotiation"),
        (
            "ssl_min_protocol_version=TLSv1.3&ssl_max_protocol_version=TLSv1.2",
            "ssl_min_protocol_version and ssl_max_protocol_version",
        ),
        ("require_auth=any", "require_auth"),
        ("sslnegotiation=direct&sslmode=require&gssencmode=yes", "gssencmode"),
        ("sslmode=foo&gssencmode=yes", "sslmode"),
        ("service=no-such-service", "service"),
        ("sslmode=verify-full&sslrootcert=/no/such/file", "sslrootcert"),
        ("sslcert=/no/such/file", "sslcert"),
        ("passfile=/no/such/file", "passfile"),
        ("client_encoding=LATIN1", "client_encoding"),
        ("replication=database", "replication"),
        ("prepare_threshold=never", "prepare_threshold"),
        ("conn_max_age=soon", "conn_max_age"),
        ("conn_max_age=-1", "conn_max_age"),
        ("conn_health_checks=ture", "conn_health_checks"),
        ("disable_server_side_cursors=x", "disable_server_side_cursors"),
    ],
)
def test_the_parameter_of_an_invalid_postgresql_value_is_named(query: str, parameter: str) -> None:
    reason = refused_database(f"postgres://u:{PASSWORD}@h/db?{query}")
    assert f"has a value of {parameter} that cannot work" in reason


def test_sslnegotiation_is_accepted_with_a_later_sslmode() -> None:
    options = postgresql("?sslnegotiation=direct&sslmode=require")["OPTIONS"]
    assert (options["sslnegotiation"], options["sslmode"]) == ("direct", "require")


@pytest.mark.parametrize(
    "url",
    [
        f"postgres://u:{PASSWORD}/x@h/db",
        f"postgres://u:x@{PASSWORD}@h/db",
        f"postgres://u:{PASSWORD}%zz@h/db",
        f"postgres://u:{PASSWORD} x@h/db",
        f"postgres://u:1234/{PASSWORD}@h/db",
        f"postgres://u:{PASSWORD}#x@h/db",
        f"postgres://u:{PASSWORD}?x@h/db",
        f"postgres://u:x?{PASSWORD}&y@h/db",
        f"postgres://u:x@h/db#{PASSWORD}",
        f"postgres://u:x@y?{PASSWORD}=1@h/db",
        f"postgres://u:x?y@{PASSWORD}=1@h/db",
        f"postgres://u:x?y@{PASSWORD}@h/db",
        f"postgres://u:x#y@{PASSWORD}@h/db",
        f"postgres://u:{PASSWORD}@h:port/db",
        f"postgres://u:{PASSWORD}@h:0/db",
        f"postgres://u:{PASSWORD}@h:65536/db",
        f"postgres://u:{PASSWORD}@[::1/db",
        f"postgres://u:{PASSWORD}@two words/db",
        f"postgres://u:{PASSWORD}@h:5432,two words/db",
        f"postgres://u:{PASSWORD}@h/db?host=two%20words",
        f"postgres://u:{PASSWORD}@h/db?sslmode=require&{PASSWORD}=1",
    ],
)
def test_a_database_url_broken_by_its_password_is_refused_unseen(url: str) -> None:
    assert "percent-encode special characters" in refused_database(url)


@pytest.mark.parametrize(
    "url", ["postgres://h", "postgres://h/", "postgres://", "postgres:///?host=/var/run"]
)
def test_a_postgresql_url_without_a_database_is_refused(url: str) -> None:
    assert "names no database" in refused_database(url)


def test_a_database_name_that_postgresql_would_cut_is_refused() -> None:
    assert "over 63 bytes" in refused_database(f"postgres://h/{'ж' * 32}")
    assert postgresql(address=f"h/{'d' * 63}")["NAME"] == "d" * 63


def test_a_repeated_parameter_is_refused() -> None:
    assert "twice" in refused_database("postgres://h/db?sslmode=require&sslmode=disable")
    assert "twice" in refused_cache("redis://h?db=1&db=2")


def test_an_invalid_pg_variable_is_not_blamed_on_the_url(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PGSSLMODE", "foo")
    reason = refused_database("postgres://h/db?ssl_min_protocol_version=TLSv1.3")
    assert reason.startswith("libpq refuses DATABASE_URL: ")
    assert "PG… variable of the environment" in reason


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("h/db", ("h", "", "db")),
        ("u@h:5433/db", ("h", "5433", "db")),
        ("[::1]:5433/db", ("::1", "5433", "db")),
        ("%2Fvar%2Frun%2FPG/db", ("/var/run/PG", "", "db")),
        ("u:p@%2Fvar%2Frun:5433/db", ("/var/run", "5433", "db")),
        ("/db?host=/var/run", ("/var/run", "", "db")),
        ("localhost/db?host=/cloudsql/a:b:c", ("/cloudsql/a:b:c", "", "db")),
        ("//var/run/postgresql/db", ("/var/run/postgresql", "", "db")),
        ("h1:5432,h2:5433/db", ("h1,h2", "5432,5433", "db")),
        ("[fe80::1%25eth0]/db", ("fe80::1%eth0", "", "db")),
        ("db_1.internal-a/db", ("db_1.internal-a", "", "db")),
        ("/db?host=%40abstract", ("@abstract", "", "db")),
        ("h/d%20b%2F", ("h", "", "d b/")),
        ("h/db?port=5433&dbname=other", ("h", "5433", "other")),
        ("h/db\n", ("h", "", "db")),
    ],
)
def test_a_postgresql_address_is_split_into_settings(
    address: str, expected: tuple[str, object, str]
) -> None:
    config = postgresql(address=address)
    assert (config["HOST"], config["PORT"], config["NAME"]) == expected
    assert "host" not in config["OPTIONS"]


def test_user_and_password_may_be_percent_encoded_or_parameters() -> None:
    config = postgresql(address="%40u:p%2Fw%3F%23@h/db")
    assert (config["USER"], config["PASSWORD"]) == ("@u", "p/w?#")
    config = postgresql(address="h/db?user=u%40&password=p%26")
    assert (config["USER"], config["PASSWORD"]) == ("u@", "p&")


@pytest.mark.parametrize(
    "parameter",
    ["options", "connect_timeout", "tcp_user_timeout", "keepalives_idle", "keepalives_interval"],
)
def test_a_blank_parameter_removes_a_default_of_libpq(parameter: str) -> None:
    assert parameter in postgresql()["OPTIONS"]
    assert parameter not in postgresql(f"?{parameter}=")["OPTIONS"]


def test_a_blank_parameter_removes_a_setting_of_django() -> None:
    assert "CONN_MAX_AGE" not in postgresql("?conn_max_age=")
    assert "init_command" not in sqlite("?init_command=")["OPTIONS"]


@pytest.mark.parametrize(
    ("query", "name", "value"),
    [
        ("conn_max_age=None", "CONN_MAX_AGE", None),
        ("conn_max_age=60", "CONN_MAX_AGE", 60),
        ("CONN_MAX_AGE=60", "CONN_MAX_AGE", 60),
        ("conn_max_age=0", "CONN_MAX_AGE", 0),
        ("conn_health_checks=false", "CONN_HEALTH_CHECKS", False),
        ("conn_health_checks=True", "CONN_HEALTH_CHECKS", True),
    ],
)
def test_a_parameter_of_django_has_its_type(query: str, name: str, value: object) -> None:
    assert postgresql(f"?{query}")[name] == value


def test_parameters_of_libpq_become_options(tmp_path: Path) -> None:
    certificate = tmp_path / "ca.pem"
    certificate.touch()
    query = f"?sslmode=verify-full&channel_binding=require&sslrootcert={certificate}"
    options = postgresql(f"{query}&application_name=todos&client_encoding=utf8")["OPTIONS"]
    assert options["sslrootcert"] == str(certificate)
    assert options["channel_binding"] == "require"
    assert options["application_name"] == "todos"
    assert postgresql("?connect_timeout=9")["OPTIONS"]["connect_timeout"] == 9
    assert postgresql("?options=-c+geqo%3Doff")["OPTIONS"]["options"] == "-c geqo=off"
    assert postgresql("?sslrootcert=system")["OPTIONS"]["sslrootcert"] == "system"


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("timeout=abc", "value of timeout"),
        ("timeout=-1", "value of timeout"),
        ("transaction_mode=eager", "value of transaction_mode"),
        ("init_command=PRAGMA", "value of init_command"),
        ("sslmode=require", "parameter sslmode"),
        ("mode=ro", "parameter mode"),
        ("check_same_thread=true", "parameter check_same_thread"),
    ],
)
def test_an_invalid_sqlite_parameter_is_named(query: str, reason: str) -> None:
    assert reason in refused_database(f"sqlite:///todos.sqlite3?{query}")


def test_parameters_of_sqlite_become_options() -> None:
    options = sqlite("?timeout=5&init_command=PRAGMA+synchronous%3DNORMAL")["OPTIONS"]
    assert (options["timeout"], options["init_command"]) == (5, "PRAGMA synchronous=NORMAL")


def test_a_sqlite_url_with_two_slashes_is_refused() -> None:
    assert "three slashes" in refused_database("sqlite://todos.sqlite3")
    memory = database_at("sqlite://:memory:")
    assert memory["NAME"] == ":memory:"


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("redis://h?db=x", "value of db"),
        ("redis://h?db=-1", "value of db"),
        ("redis://h?socket_timeout=soon", "value of socket_timeout"),
        ("redis://h?socket_timeout=-5", "value of socket_timeout"),
        ("redis://h?socket_timeout=0", "value of socket_timeout"),
        ("redis://h?max_connections=0", "value of max_connections"),
        ("redis://h?max_connections=0.5", "value of max_connections"),
        ("redis://h?max_connections=1.5", "value of max_connections"),
        ("redis://h?protocol=9", "value of protocol"),
        ("redis://h?retry_on_timeout=ture", "value of retry_on_timeout"),
        ("redis://h?retry_on_timeout=off", "value of retry_on_timeout"),
        ("redis://h?no_such_option=1", "parameter no_such_option"),
        ("redis://h?ssl=true", "parameter ssl"),
        ("redis://h?decode_responses=true", "parameter decode_responses"),
        ("redis://h?encoding=klingon", "parameter encoding"),
        ("redis://h?ssl_cert_reqs=none", "parameter ssl_cert_reqs"),
        ("rediss://h?ssl_cert_reqs=maybe", "value of ssl_cert_reqs"),
        ("rediss://h?ssl_ca_certs=/no/such/file", "value of ssl_ca_certs"),
        ("rediss://h?ssl_check_hostname=ture", "value of ssl_check_hostname"),
        ("rediss://h?ssl_min_version=x", "parameter ssl_min_version"),
    ],
)
def test_an_invalid_parameter_of_redis_is_named(url: str, reason: str) -> None:
    assert reason in refused_cache(url.replace("h?", f":{PASSWORD}@h?"))


@pytest.mark.parametrize("scheme", ["redis", "rediss"])
@pytest.mark.parametrize(
    "rest",
    [
        "h/notanumber",
        "h/0/1",
        "h:port",
        "h:0",
        "h:65536",
        "h#f",
        f"{PASSWORD}/x@h",
        f"{PASSWORD}[x@h/0",
        f"{PASSWORD}]x@h/0",
        f"{PASSWORD}\N{ACCOUNT OF}@h/0",  # urlsplit refuses it, and quotes the password
        "[::1",
        "[:::::]/0",
        "[::1]5",
        "a,redis://b",
        "%2Fvar%2Frun",
    ],
)
def test_an_invalid_redis_address_is_refused(scheme: str, rest: str) -> None:
    refused_cache(f"{scheme}://:{rest}" if "@" in rest else f"{scheme}://{rest}")


@pytest.mark.parametrize("rest", ["", ":", ":6380", "/", "/1", "/1/", "//1"])
def test_port_and_number_of_a_redis_database_are_optional(rest: str) -> None:
    location = f"redis://:{PASSWORD}@h{rest}"
    assert redis(location)["LOCATION"] == [location]


def test_redis_makes_connections_with_every_accepted_parameter() -> None:
    query = (
        "client_name=todos&db=1&health_check_interval=9&max_connections=5&password=p&protocol=3"
        "&retry_on_timeout=no&socket_connect_timeout=0.1&socket_keepalive=yes&socket_timeout=1.5"
        "&username=u"
    )
    tls = "ssl_cert_reqs=optional&ssl_check_hostname=false&ssl_ca_certs=."
    for url in (f"redis://h?{query}", f"rediss://[::1]:6380/0?{query.replace('db=1&', '')}&{tls}"):
        config = redis(url)
        assert config["LOCATION"] == [url]
        assert ConnectionPool.from_url(url, **config["OPTIONS"]).make_connection()


@pytest.mark.parametrize(
    "url", [f"memcached://:{PASSWORD}@h", "unix:///run/redis.sock", PASSWORD, "http://h"]
)
def test_a_cache_that_is_no_redis_is_refused(url: str) -> None:
    assert "must start with redis://" in refused_cache(url)


def test_redis_timeouts_are_short_unless_the_url_removes_them() -> None:
    assert redis("redis://h/1")["OPTIONS"] == {
        "socket_connect_timeout": 0.5,
        "socket_timeout": 0.25,
    }
    assert redis("redis://h?socket_timeout=")["OPTIONS"] == {"socket_connect_timeout": 0.5}
    with_comma = "rediss://:a,b@cache.example.com:6380/1"  # Django splits a string at its commas
    assert redis(with_comma)["LOCATION"] == [with_comma]
    assert redis("redis://h?db=1\n")["LOCATION"] == ["redis://h?db=1"]
    assert redis("") == MEMORY_CACHE
