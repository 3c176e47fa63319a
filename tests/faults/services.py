"""PostgreSQL, a pooler for it, and Redis: each a process of its own with nothing in it."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import redis
from psycopg import sql

from tests.support.postgresql import programs, server_user
from tests.support.processes import PROJECT, Server, free_port, run, with_path


class Postgres(Server):
    """``stop`` is ``pg_ctl stop -m immediate``: no connection and no transaction is finished."""

    def is_ready(self) -> bool:
        try:
            psycopg.connect(self.database_url("template1"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
        super().stop()

    def database_url(self, name: str) -> str:
        return f"postgres://todos@127.0.0.1:{self.port}/{name}"

    def migrate(self, environment: Mapping[str, str]) -> None:
        """Migrate the template of every database that ``new_database()`` creates."""
        url = self.database_url("postgres")
        command = [sys.executable, "manage.py", "migrate"]
        run(command, PROJECT, {**environment, "DATABASE_URL": url})

    def read_only(self) -> AbstractContextManager[None]:
        """Refuse writes, like a standby or a full disk of a hosted PostgreSQL."""
        return self.reconfigured("default_transaction_read_only", "on")

    @contextmanager
    def reconfigured(self, name: str, value: str) -> Iterator[None]:
        """Change a setting of the running server in the block."""
        setting, literal = sql.Identifier(name), sql.Literal(value)
        with psycopg.connect(self.database_url("template1"), autocommit=True) as connection:
            # Here the setting can be taken back.
            connection.execute(
                sql.SQL("SELECT set_config({0}, current_setting({0}), false)").format(
                    sql.Literal(name)
                )
            )
            connection.execute(sql.SQL("ALTER SYSTEM SET {} = {}").format(setting, literal))
            connection.execute("SELECT pg_reload_conf()")
            try:
                yield
            finally:
                connection.execute(sql.SQL("ALTER SYSTEM RESET {}").format(setting))
                connection.execute("SELECT pg_reload_conf()")

    def end_connections(self, url: str) -> None:
        """Terminate all connections to a database, as an administrator can."""
        with psycopg.connect(url) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

    def connections(self, url: str) -> set[int]:
        """Return the process ids of the connections in the server."""
        with psycopg.connect(url) as connection:
            rows = connection.execute(
                "SELECT pid FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            return {pid for [pid] in rows}

    def database_in(self, encoding: str) -> str:
        """Return the URL of an empty database in this encoding."""
        name = f"todos_{next(_numbers)}"
        statement = sql.SQL(
            "CREATE DATABASE {} ENCODING {} LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
        ).format(sql.Identifier(name), sql.Literal(encoding))
        with psycopg.connect(self.database_url("template1"), autocommit=True) as connection:
            connection.execute(statement)
        return self.database_url(name)

    def new_database(self) -> str:
        """Return the URL of a migrated database without rows."""
        name = f"todos_{next(_numbers)}"
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE postgres").format(sql.Identifier(name))
        with psycopg.connect(self.database_url("template1"), autocommit=True) as connection:
            connection.execute(statement)
        return self.database_url(name)


class Redis(Server):
    def is_ready(self) -> bool:
        try:
            with redis.Redis(port=self.port, socket_timeout=1) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def suspend(self) -> None:
        """Keep all connections and answer nothing on them."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.kill(self.pid, signal.SIGCONT)


@contextmanager
def postgres() -> Iterator[Postgres]:
    # The user of PostgreSQL may not enter a directory of pytest.
    with tempfile.TemporaryDirectory(prefix="postgres-") as home:
        data, port = Path(home) / "data", free_port()
        if user := server_user():
            shutil.chown(home, user)
        binaries = programs()
        initdb = [f"{binaries}/initdb", "-U", "todos", "--auth=trust", "--encoding=UTF8"]
        subprocess.run(
            [*as_its_user(), *initdb, "--locale=C.UTF-8", "--no-sync", "-D", str(data)],
            cwd="/",
            env=with_path({}),
            stdout=subprocess.DEVNULL,
            check=True,
            timeout=60,
        )
        options = ["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]
        server = Postgres(
            [*as_its_user(), f"{binaries}/postgres", "-D", str(data), f"-p{port}", *options],
            port=port,
            directory=Path("/"),
            environment={},
            log=Path(home) / "log",
        )
        try:
            yield server.start()
        finally:
            server.stop()


class PgBouncer(Server):
    def is_ready(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
            return True
        return False

    def database_url(self, url: str) -> str:
        """Return the address of the database at ``url`` behind the pooler."""
        return f"postgres://todos@127.0.0.1:{self.port}{urlsplit(url).path}"


@contextmanager
def pgbouncer(
    behind: Postgres, *, connections: int, ignored: str = "extra_float_digits,options"
) -> Iterator[PgBouncer]:
    """PgBouncer in transaction mode, with a number of connections for each database.

    It refuses a connection that asks for a parameter, unless that is ``ignored``.
    """
    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    assert program, "pgbouncer is not installed"
    with tempfile.TemporaryDirectory(prefix="pgbouncer-") as home:
        if user := server_user():
            shutil.chown(home, user)
        port, settings = free_port(), Path(home) / "pgbouncer.ini"
        settings.write_text(
            f"[databases]\n* = host=127.0.0.1 port={behind.port} user=todos\n[pgbouncer]\n"
            f"listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
            f"auth_type = any\npool_mode = transaction\ndefault_pool_size = {connections}\n"
            f"ignore_startup_parameters = {ignored}\n"
        )
        server = PgBouncer(
            [*as_its_user(), program, str(settings)],
            port=port,
            directory=Path("/"),
            environment={},
            log=Path(home) / "log",
        )
        try:
            yield server.start()
        finally:
            server.stop()


@contextmanager
def redis_server(directory: Path) -> Iterator[Redis]:
    port = free_port()
    program = shutil.which("redis-server")
    assert program, "redis-server is not installed"
    server = Redis(
        [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
        port=port,
        directory=directory,
        environment={},
        log=directory / f"redis-{port}.log",
    )
    try:
        yield server.start()
    finally:
        server.stop()


def as_its_user() -> list[str]:
    """Return the command that runs another as a user whom PostgreSQL accepts."""
    name = server_user()
    if name is None:
        return []
    group = pwd.getpwnam(name).pw_gid
    return ["setpriv", f"--reuid={name}", f"--regid={group}", "--clear-groups", "--"]


_numbers = count(1)
