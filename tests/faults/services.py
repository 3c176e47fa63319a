"""A pooler of PostgreSQL, and Redis: each a process of its own with nothing in it."""

from __future__ import annotations

import os
import shutil
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import redis

from tests.support.postgresql import Cluster, as_its_user, home_of_its_user
from tests.support.processes import Server, free_port


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
    behind: Cluster, *, connections: int, ignored: str = "extra_float_digits,options"
) -> Iterator[PgBouncer]:
    """PgBouncer in transaction mode, with a number of connections for each database.

    It refuses a connection that asks for a parameter, unless that is ``ignored``.
    """
    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    assert program, "pgbouncer is not installed"
    with home_of_its_user("pgbouncer-") as home:
        port, settings = free_port(), home / "pgbouncer.ini"
        settings.write_text(
            f"[databases]\n* = host=127.0.0.1 port={behind.port}"
            f" user=postgres password={behind.password}\n[pgbouncer]\n"
            f"listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
            f"auth_type = any\npool_mode = transaction\ndefault_pool_size = {connections}\n"
            f"ignore_startup_parameters = {ignored}\n"
        )
        command = [*as_its_user(), program, str(settings)]
        with PgBouncer(command, port=port, directory=home, log=home / "log") as server:
            yield server


@contextmanager
def redis_server(directory: Path) -> Iterator[Redis]:
    port, log = free_port(), directory / "redis.log"
    program = shutil.which("redis-server")
    assert program, "redis-server is not installed"
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    with Redis(command, port=port, directory=directory, log=log) as server:
        yield server
