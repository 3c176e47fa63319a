"""A PostgreSQL server for one test, with passwords, that ends with its block."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.processes import free_port

OPTIONS = "-c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off"
START_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Cluster:
    """``programs`` is the folder of psql and pg_dump in the version of the server."""

    programs: Path
    port: int
    password: str

    @property
    def url(self) -> str:
        """Return the URL of the database ``postgres`` for the superuser."""
        return self.url_of("postgres", self.password, "postgres")

    def url_of(self, user: str, password: str, database: str) -> str:
        return f"postgres://{user}:{password}@127.0.0.1:{self.port}/{database}"

    def psql(self, sql: str) -> str:
        """Return the output of ``sql``, run as the superuser."""
        program = str(self.programs / "psql")
        command = [program, "-qAtX", "-v", "ON_ERROR_STOP=1", "-d", self.url]
        result = subprocess.run(command, input=sql, capture_output=True, check=True, text=True)
        return result.stdout.strip()


@contextmanager
def postgresql(*, encoding: str = "UTF8", locale: str = "C.UTF-8") -> Iterator[Cluster]:
    cluster = Cluster(programs(), free_port(), secrets.token_hex(16))
    folder = Path(
        tempfile.mkdtemp(prefix="postgresql-")
    )  # the server's user cannot enter a folder of pytest
    data, password_file = folder / "data", folder / "password"
    password_file.write_text(cluster.password)
    owner = server_user()
    if owner:
        shutil.chown(folder, owner)
        shutil.chown(password_file, owner)

    def as_owner(program: str, *arguments: str) -> None:
        subprocess.run(
            [str(cluster.programs / program), "-D", str(data), *arguments],
            cwd="/",
            user=owner,
            extra_groups=[] if owner else None,
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            timeout=START_SECONDS,
        )

    settled = ("-U", "postgres", f"--encoding={encoding}", f"--locale={locale}", "--no-sync")
    try:
        as_owner("initdb", *settled, "--auth=scram-sha-256", f"--pwfile={password_file}")
        log = str(folder / "log")
        as_owner("pg_ctl", "-w", "-s", "-l", log, "-o", f"-p {cluster.port} {OPTIONS}", "start")
        try:
            yield cluster
        finally:
            as_owner("pg_ctl", "-m", "immediate", "-s", "stop")
    finally:
        shutil.rmtree(folder)


def programs() -> Path:
    """Find the server's programs, which Debian keeps out of PATH."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    versions = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    return max(versions, key=lambda path: float(path.parts[-3])).parent


def server_user() -> str | None:
    """Name a user for the server, which refuses to run as root; ``None`` for the current user."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"
