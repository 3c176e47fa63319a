"""A temporary PostgreSQL server with default settings."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from benchmarks.installed import CannotRun, plain_environment, postgresql_programs
from benchmarks.processes import free_port

USER = "todos"
START_SECONDS = 30
MAX_CONNECTIONS = 300  # `ablation` has a dozen servers on one database


@dataclass(frozen=True, slots=True)
class Database:
    port: int
    name: str

    @property
    def address(self) -> str:
        """The URL without its scheme."""
        return f"{USER}@127.0.0.1:{self.port}/{self.name}"

    @property
    def url(self) -> str:
        return f"postgresql://{self.address}"

    def execute(
        self, statement: LiteralString | sql.Composed, parameters: Any = None
    ) -> list[tuple[Any, ...]]:
        """Run a statement in a connection and transaction of its own."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            cursor = connection.execute(statement, parameters)
            return cursor.fetchall() if cursor.description else []

    def run_file(self, path: Path) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(path.read_bytes())


@dataclass(frozen=True, slots=True)
class Cluster:
    port: int

    def create(self, name: str) -> Database:
        template = Database(self.port, "template1")
        template.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return Database(self.port, name)

    def setting(self, name: str) -> str:
        [(value,)] = Database(self.port, "template1").execute("SELECT current_setting(%s)", [name])
        return str(value)


@contextmanager
def postgresql() -> Iterator[Cluster]:
    """Start a server on loopback TCP. ``fsync`` is on.

    Its files are in ``TMPDIR``, which has to be on a disk to measure one.
    """
    home, port = Path(tempfile.mkdtemp(prefix="bench-postgresql-")), free_port()
    if owner := server_user():
        shutil.chown(home, owner)
    try:
        server = _started(home, port, owner)
        try:
            _wait_for(server, port, home / "log")
            yield Cluster(port)
        finally:
            server.send_signal(signal.SIGINT)
            server.wait()
    finally:
        shutil.rmtree(home)


def _started(home: Path, port: int, owner: str | None) -> subprocess.Popen[bytes]:
    programs, data = postgresql_programs(), str(home / "data")
    initdb = [f"{programs}/initdb", "-D", data, "-U", USER, "--auth=trust", "--no-sync"]
    identity: dict[str, Any] = {"cwd": "/", "env": plain_environment()}
    if owner:
        group = pwd.getpwnam(owner).pw_gid
        identity |= {"user": owner, "group": group, "extra_groups": []}
    with (home / "log").open("wb") as log:
        output: dict[str, Any] = {"stdout": log, "stderr": log, "stdin": subprocess.DEVNULL}
        encoding = ["--encoding=UTF8", "--locale=C.UTF-8"]
        subprocess.run([*initdb, *encoding], check=True, **identity, **output)
        options = ["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]
        options += ["-c", f"max_connections={MAX_CONNECTIONS}"]
        postgres = [f"{programs}/postgres", "-D", data, f"-p{port}", *options]
        return subprocess.Popen(postgres, **identity, **output)


def _wait_for(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            return psycopg.connect(Database(port, "template1").url, connect_timeout=2).close()
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise CannotRun(
                    f"PostgreSQL did not start, see its log:\n{log.read_text()}"
                ) from None
            time.sleep(0.1)


def server_user() -> str | None:
    """Name a user for the server, which refuses to run as root. ``None``: the current user."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"
