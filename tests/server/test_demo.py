"""``make run`` in copies of the project.

Real processes; run with ``pytest -m live``.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO

import pytest

pytestmark = pytest.mark.live

BASE_DIR = Path(__file__).resolve().parent.parent.parent
ENV_WITHOUT_SECRET = "DEBUG=true\nBETTER_AUTH_URL=http://127.0.0.1:1"
DEADLINE_SECONDS = 20


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")


def clone(folder: Path) -> Path:
    """Copy the project as a clone is before its first run."""
    shutil.copy(BASE_DIR / "manage.py", folder)
    for package in BASE_DIR.glob("*/__init__.py"):
        name = package.parent.name
        shutil.copytree(package.parent, folder / name, ignore=shutil.ignore_patterns("tests"))
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return clone(tmp_path)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.fixture
def port() -> int:
    return free_port()


@contextmanager
def process(
    project: Path, *, output: TextIO, variables: dict[str, str]
) -> Iterator[subprocess.Popen[str]]:
    """Run ``python -m server.demo`` in an environment of its own, and end all its processes."""
    with subprocess.Popen(
        [sys.executable, "-m", "server.demo"],
        cwd=project,
        env={"PATH": os.environ["PATH"]} | variables,
        stdout=output,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as running:
        try:
            yield running
        finally:
            with suppress(ProcessLookupError):
                os.killpg(running.pid, signal.SIGKILL)


def reason_not_to_start(project: Path, **variables: str) -> str:
    """Return the only line of a start that fails, besides the one about ``.env``."""
    log = project / "log"
    with (
        log.open("w") as output,
        process(project, output=output, variables=variables) as running,
    ):
        assert running.wait(DEADLINE_SECONDS) == 1
    [reason] = [line for line in log.read_text().splitlines() if not line.startswith("Wrote ")]
    return reason


@contextmanager
def started(project: Path, **variables: str) -> Iterator[str]:
    """Run a server in the block. Yields what the server printed before it was up."""
    log = project / "log"
    with (
        log.open("w") as output,
        process(project, output=output, variables=variables) as running,
    ):
        wait_for_server(running, int(variables["PORT"]))
        yield log.read_text()
    assert "Traceback" not in log.read_text()


def wait_for_server(server: subprocess.Popen[str], port: int) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            time.sleep(0.05)
        else:
            return
    pytest.fail("The server did not start.")


def paste(line: str) -> str:
    """Run the line in a shell. Without curl, send the request that the line describes."""
    if shutil.which("curl"):
        return subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=True).stdout
    _, _, url, _, authorization, _, content_type, _, body = shlex.split(line)
    headers = dict(header.split(": ") for header in (authorization, content_type))
    with urllib.request.urlopen(urllib.request.Request(url, body.encode(), headers)) as answer:
        return f"HTTP/1.1 {answer.status} "


def health(root: str) -> Any:
    """Return the answer of ``/healthz``, or ``None`` while no server listens."""
    with suppress(OSError), urllib.request.urlopen(root.replace("api/", "healthz")) as answer:
        return json.load(answer)


@pytest.fixture(scope="class")
def used(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return one clone for all runs of a class."""
    return clone(tmp_path_factory.mktemp("clone"))


@pytest.fixture(scope="class")
def first_run(used: Path) -> Iterator[str]:
    with started(used, PORT=str(free_port())) as printed:
        yield printed


@pytest.fixture(scope="class")
def second_run(used: Path, first_run: str) -> Iterator[str]:
    (used / ".env").write_text(ENV_WITHOUT_SECRET)
    with started(used, PORT=str(free_port())) as printed:
        yield printed


class TestRun:
    """Start a clone twice: without ``.env``, and with the developer's own."""

    def test_the_first_run_writes_env_for_its_owner_only(self, used: Path, first_run: str) -> None:
        env_file = used / ".env"
        assert first_run.startswith(f"Wrote {env_file} with fresh random secrets.\n")
        assert stat.S_IMODE(env_file.stat().st_mode) == 0o600

    @pytest.mark.parametrize("ending", ["", "-wal", "-shm"])
    def test_the_database_is_for_its_owner_only(
        self, used: Path, first_run: str, ending: str
    ) -> None:
        with closing(sqlite3.connect(used / "db.sqlite3")) as connection:  # makes those beside it
            connection.execute("SELECT * FROM django_migrations").fetchone()
            mode = (used / f"db.sqlite3{ending}").stat().st_mode
        assert stat.S_IMODE(mode) == 0o600

    def test_the_secrets_in_env_are_random(self, used: Path, first_run: str) -> None:
        text = (used / ".env").read_text()
        secrets = dict(re.findall("^([A-Z_]+)=([0-9a-f]{64})$", text, re.MULTILINE))
        assert secrets.keys() == {"DJANGO_SECRET_KEY", "BETTER_AUTH_SECRET"}
        assert len(set(secrets.values())) == 2

    def test_the_printed_curl_creates_a_todo(self, first_run: str) -> None:
        [line] = re.findall("^curl .*", first_run, re.MULTILINE)
        assert paste(line).startswith("HTTP/1.1 201 ")

    def test_the_printed_token_opens_the_printed_api(self, first_run: str) -> None:
        [root] = re.findall("http://.*/api/$", first_run, re.MULTILINE)
        [token] = re.findall(r"^eyJ[\w-]+\.[\w-]+\.[\w-]+$", first_run, re.MULTILINE)
        request = urllib.request.Request(f"{root}me/", headers={"Authorization": f"Bearer {token}"})
        with urllib.request.urlopen(request) as answer:
            assert answer.status == 200

    def test_the_development_server_reads_a_chunked_body(self, first_run: str) -> None:
        [line] = re.findall("^curl .*", first_run, re.MULTILINE)
        _, _, url, _, authorization, _, content_type, *_ = shlex.split(line)
        headers = dict(each.split(": ") for each in (authorization, content_type))
        request = urllib.request.Request(
            url, (part for part in (b'{"title": ', b'"In parts"}')), headers
        )
        with urllib.request.urlopen(request) as answer:
            assert json.load(answer)["title"] == "In parts"

    def test_the_development_server_loads_changed_code(self, used: Path, first_run: str) -> None:
        [root] = re.findall("http://.*/api/$", first_run, re.MULTILINE)
        source = used / "operations" / "health.py"
        source.write_text(source.read_text().replace('"ok"', '"changed"'))
        deadline = time.monotonic() + DEADLINE_SECONDS
        while health(root) != {"status": "changed"}:
            assert time.monotonic() < deadline
            time.sleep(0.1)

    def test_an_env_file_of_the_developer_stays(self, used: Path, second_run: str) -> None:
        assert (used / ".env").read_text() == ENV_WITHOUT_SECRET
        assert "Wrote" not in second_run

    def test_a_read_only_database_stops_the_start(self, used: Path, second_run: str) -> None:
        database = used / "copy.sqlite3"
        shutil.copy(used / "db.sqlite3", database)
        pretend_read_only(database)
        url = f"sqlite:///{database}"
        reason = reason_not_to_start(used, PORT=str(free_port()), DATABASE_URL=url)
        assert f"The database file {database} cannot be written" in reason
        assert "DATABASE_URL" in reason


def test_ctrl_c_ends_a_server_without_a_traceback(used: Path, first_run: str) -> None:
    log = used / "interrupted"
    port = free_port()
    with (
        log.open("w") as output,
        process(used, output=output, variables={"PORT": str(port)}) as running,
    ):
        wait_for_server(running, port)
        os.killpg(running.pid, signal.SIGINT)
        assert running.wait(DEADLINE_SECONDS) == 0
    assert "Create a todo:" in log.read_text()
    assert "Traceback" not in log.read_text()


class TestUnusableDatabase:
    @pytest.mark.parametrize("name", ["missing/db.sqlite3", "todos"])
    def test_an_impossible_sqlite_file_stops_the_start(
        self, project: Path, port: int, name: str
    ) -> None:
        path = project / name
        reason = reason_not_to_start(project, PORT=str(port), DATABASE_URL=f"sqlite:///{path}")
        assert f"The database file {path} cannot be written" in reason

    def test_a_postgresql_that_is_down_stops_the_start(self, project: Path, port: int) -> None:
        url = f"postgres://todos:open-sesame@127.0.0.1:{port}/todos"
        reason = reason_not_to_start(project, PORT=str(port), DATABASE_URL=url)
        assert "Connection refused" in reason
        assert "sesame" not in reason


def pretend_read_only(database: Path) -> None:
    """Make SQLite take the file for one of a later format, which SQLite only reads.

    Permissions do not stop an administrator.
    """
    with database.open("r+b") as file:
        file.seek(18)  # the "file format write version" of the header
        file.write(b"\x03")
