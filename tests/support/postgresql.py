"""A PostgreSQL server for one test, with passwords, that ends with its block."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from tests.support.processes import PROJECT, Server, free_port, result_of, run

OPTIONS = ["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "fsync=off"]
OTHERS = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
_numbers = count(1)


class Cluster(Server):
    """``programs`` is the folder of psql and pg_dump in the version of the server.

    ``url`` is that of the database ``postgres`` for the superuser.
    """

    programs: Path
    password: str

    def url_of(self, user: str, password: str, database: str) -> str:
        return f"postgres://{user}:{password}@127.0.0.1:{self.port}/{database}"

    def is_ready(self) -> bool:
        command = [f"{self.programs}/pg_isready", "--host=127.0.0.1", f"--port={self.port}"]
        return result_of(command).returncode == 0

    def stop(self) -> None:
        """Finish no connection and no transaction, like ``pg_ctl stop -m immediate``."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
        super().stop()

    def psql(self, sql: str, url: str = "") -> str:
        """Return the output of ``sql``, run as the superuser."""
        program = str(self.programs / "psql")
        command = [program, "-qAtX", "-v", "ON_ERROR_STOP=1", "-d", url or self.url]
        result = subprocess.run(command, input=sql, capture_output=True, check=True, text=True)
        return result.stdout.strip()

    def migrate(self, environment: Mapping[str, str]) -> None:
        """Migrate the template of every database that ``new_database()`` creates."""
        command = [sys.executable, "manage.py", "migrate"]
        run(command, PROJECT, {**environment, "DATABASE_URL": self.url})

    def new_database(self, template: str = "TEMPLATE postgres") -> str:
        """Return the URL of a migrated database without rows, or of one from another template."""
        name = f"todos_{next(_numbers)}"
        self.psql(f"CREATE DATABASE {name} {template}")
        return self.url_of("postgres", self.password, name)

    @contextmanager
    def reconfigured(self, name: str, value: str) -> Iterator[None]:
        """Change a setting of the running server in the block."""
        self.psql(f"ALTER SYSTEM SET {name} = {value}; SELECT pg_reload_conf()")
        try:
            yield
        finally:
            writable = "SET default_transaction_read_only = off"
            self.psql(f"{writable}; ALTER SYSTEM RESET {name}; SELECT pg_reload_conf()")

    def end_connections(self, url: str) -> None:
        """Terminate all connections to a database, as an administrator can."""
        self.psql(f"SELECT pg_terminate_backend(pid) {OTHERS}", url)

    def connections(self, url: str) -> set[str]:
        """Return the process ids of the connections in the server."""
        return {*self.psql(f"SELECT pid {OTHERS}", url).split()}


@contextmanager
def postgresql(*, encoding: str = "UTF8", locale: str = "C.UTF-8") -> Iterator[Cluster]:
    with home_of_its_user("postgresql-") as home:
        password, password_file = secrets.token_hex(16), home / "password"
        password_file.write_text(password)
        password_file.chmod(0o644)
        port, data, folder = free_port(), home / "data", programs()
        settled = ["-U", "postgres", f"--encoding={encoding}", f"--locale={locale}", "--no-sync"]
        guarded = ["--auth=scram-sha-256", f"--pwfile={password_file}"]
        initdb = [f"{folder}/initdb", "-D", str(data), *settled, *guarded]
        run([*as_its_user(), *initdb], Path("/"), {})
        server = [f"{folder}/postgres", "-D", str(data), f"-p{port}", *OPTIONS]
        log = home / "log"
        cluster = Cluster([*as_its_user(), *server], port=port, directory=Path("/"), log=log)
        cluster.programs, cluster.password = folder, password
        cluster.url = cluster.url_of("postgres", password, "postgres")
        with cluster:
            yield cluster


def programs() -> Path:
    """Find the server's programs, which Debian keeps out of PATH."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    versions = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    return max(versions, key=lambda path: float(path.parts[-3])).parent


@contextmanager
def home_of_its_user(prefix: str) -> Iterator[Path]:
    """Make a folder for a user whom PostgreSQL accepts, who cannot enter those of pytest."""
    with tempfile.TemporaryDirectory(prefix=prefix) as home:
        if user := server_user():
            shutil.chown(home, user)
        yield Path(home)


def as_its_user() -> list[str]:
    """Return the command that runs another as a user whom PostgreSQL accepts."""
    name = server_user()
    if name is None:
        return []
    group = pwd.getpwnam(name).pw_gid
    return ["setpriv", f"--reuid={name}", f"--regid={group}", "--clear-groups", "--"]


def server_user() -> str | None:
    """Name a user for the server, which refuses to run as root; ``None`` for the current user."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"
