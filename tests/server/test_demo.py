"""``make run`` in copies of the project.

Real processes; run with ``pytest -m live``.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import sqlite3
import stat
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from tests.support.processes import PROJECT, Server, free_port, run, wait_until

pytestmark = pytest.mark.live

ENV_WITHOUT_SECRET = "DEBUG=true\nBETTER_AUTH_URL=http://127.0.0.1:1"
# A clone has no ENV_FILE, and writes its own.
RUN = ["env", "--unset=ENV_FILE", sys.executable, "-m", "server.demo"]


class Demo(Server):
    """The development server of a clone."""

    def is_ready(self) -> bool:
        with suppress(OSError):
            return self.send("GET", "/healthz").status == 200
        return False

    def curl(self) -> str:
        """Return the line that the start printed."""
        [line] = re.findall("^curl .*", self.log(), re.MULTILINE)
        return str(line)


def clone(folder: Path) -> Path:
    """Copy the project as a clone is before its first run."""
    shutil.copy(PROJECT / "manage.py", folder)
    for package in PROJECT.glob("*/__init__.py"):
        name = package.parent.name
        shutil.copytree(package.parent, folder / name, ignore=shutil.ignore_patterns("tests"))
    return folder


@contextmanager
def started(project: Path, **variables: str) -> Iterator[Demo]:
    port = free_port()
    demo = Demo(
        RUN,
        port=port,
        directory=project,
        environment={"PORT": str(port), **variables},
        log=project / f"log-{port}",
    )
    with demo:
        yield demo
    assert "Traceback" not in demo.log()


def reason_not_to_start(project: Path, **variables: str) -> str:
    """Return the only line of a start that fails, besides the one about ``.env``."""
    failed = pytest.raises(RuntimeError, match=r"did not start \(status: 1\)")
    with failed as error, started(project, **variables):
        pass
    lines = str(error.value).splitlines()[1:]
    [reason] = [line for line in lines if not line.startswith("Wrote ")]
    return reason


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return one clone for all runs."""
    return clone(tmp_path_factory.mktemp("clone"))


@pytest.fixture(scope="module")
def first_run(used: Path) -> Iterator[Demo]:
    with started(used) as demo:
        yield demo


@pytest.fixture(scope="module")
def second_run(used: Path, first_run: Demo) -> Iterator[Demo]:
    (used / ".env").write_text(ENV_WITHOUT_SECRET)
    with started(used) as demo:
        yield demo


class TestRun:
    """Start a clone twice: without ``.env``, and with the developer's own."""

    def test_the_first_run_writes_env_for_its_owner_only(self, used: Path, first_run: Demo) -> None:
        env_file = used / ".env"
        assert first_run.log().startswith(f"Wrote {env_file} with fresh random secrets.\n")
        assert stat.S_IMODE(env_file.stat().st_mode) == 0o600

    @pytest.mark.parametrize("ending", ["", "-wal", "-shm"])
    def test_the_database_is_for_its_owner_only(
        self, used: Path, first_run: Demo, ending: str
    ) -> None:
        with closing(sqlite3.connect(used / "db.sqlite3")) as connection:  # makes those beside it
            connection.execute("SELECT * FROM django_migrations").fetchone()
            mode = (used / f"db.sqlite3{ending}").stat().st_mode
        assert stat.S_IMODE(mode) == 0o600

    def test_the_secrets_in_env_are_random(self, used: Path, first_run: Demo) -> None:
        text = (used / ".env").read_text()
        secrets = dict(re.findall("^([A-Z_]+)=([0-9a-f]{64})$", text, re.MULTILINE))
        assert secrets.keys() == {"DJANGO_SECRET_KEY", "BETTER_AUTH_SECRET"}
        assert len(set(secrets.values())) == 2

    @pytest.mark.parametrize("more", ["", " -H 'Transfer-Encoding: chunked'"])
    def test_the_printed_curl_creates_a_todo(self, first_run: Demo, more: str) -> None:
        answer = run(["sh", "-c", first_run.curl() + more], PROJECT, {})
        assert answer.startswith("HTTP/1.1 201 ")
        assert '"title":"Buy milk"' in answer

    def test_the_printed_token_opens_the_printed_api(self, first_run: Demo) -> None:
        assert f"The API is at {first_run.url}/api/\n" in first_run.log()
        [token] = re.findall(r"^eyJ[\w-]+\.[\w-]+\.[\w-]+$", first_run.log(), re.MULTILINE)
        assert first_run.send("GET", "/api/me/", token).status == 200

    def test_the_development_server_loads_changed_code(self, used: Path, first_run: Demo) -> None:
        source = used / "operations" / "health.py"
        source.write_text(source.read_text().replace('"ok"', '"changed"'))

        def is_loaded() -> bool:
            with suppress(OSError):
                return bool(first_run.send("GET", "/healthz").data == {"status": "changed"})
            return False

        wait_until(is_loaded)

    def test_an_env_file_of_the_developer_stays(self, used: Path, second_run: Demo) -> None:
        assert (used / ".env").read_text() == ENV_WITHOUT_SECRET
        assert "Wrote" not in second_run.log()

    def test_a_read_only_database_stops_the_start(self, used: Path, second_run: Demo) -> None:
        database = used / "copy.sqlite3"
        shutil.copy(used / "db.sqlite3", database)
        pretend_read_only(database)
        reason = reason_not_to_start(used, DATABASE_URL=f"sqlite:///{database}")
        assert f"The database file {database} cannot be written" in reason
        assert "DATABASE_URL" in reason


def test_ctrl_c_ends_a_server_without_a_traceback(used: Path) -> None:
    with started(used) as demo:
        os.killpg(demo.pid, signal.SIGINT)
        assert demo.wait() == 0
    assert "Create a todo:" in demo.log()


class TestUnusableDatabase:
    @pytest.mark.parametrize("name", ["missing/db.sqlite3", "todos"])
    def test_an_impossible_sqlite_file_stops_the_start(self, tmp_path: Path, name: str) -> None:
        path = clone(tmp_path) / name
        reason = reason_not_to_start(tmp_path, DATABASE_URL=f"sqlite:///{path}")
        assert f"The database file {path} cannot be written" in reason

    def test_a_postgresql_that_is_down_stops_the_start(self, tmp_path: Path) -> None:
        url = f"postgres://todos:open-sesame@127.0.0.1:{free_port()}/todos"
        reason = reason_not_to_start(clone(tmp_path), DATABASE_URL=url)
        assert "Connection refused" in reason
        assert "sesame" not in reason


def pretend_read_only(database: Path) -> None:
    """Make SQLite take the file for one of a later format, which SQLite only reads.

    Permissions do not stop an administrator.
    """
    with database.open("r+b") as file:
        file.seek(18)  # the "file format write version" of the header
        file.write(b"\x03")
