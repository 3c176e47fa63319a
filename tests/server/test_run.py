"""``make run`` and ``make serve`` from outside, in a copy of the project."""

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
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO
from urllib.error import HTTPError

import pytest
from pytest_django import Settings

from authn.testing import Clock, SecretIssuer
from server.__main__ import write_env_file
from server.preflight import Address, CannotStart, require_free

BASE_DIR = Path(__file__).resolve().parent.parent.parent
SECRET = "s" * 32
PRODUCTION = {
    "DJANGO_ALLOWED_HOSTS": "127.0.0.1",
    "DJANGO_SECRET_KEY": "0123456789" * 5,
    "BETTER_AUTH_SECRET": SECRET,
}
ENV_WITHOUT_SECRET = "DEBUG=true\nBETTER_AUTH_URL=http://127.0.0.1:1"
DEADLINE_SECONDS = 20
LOADED_BY_A_WORKER = """
import sys
from server.preflight import load_settings, require_passing_checks
from server.__main__ import prepare_to_fork
load_settings()
require_passing_checks(deployment=True)
prepare_to_fork()
before = {*sys.modules}
import server.asgi
print(*sorted({*sys.modules} - before))
"""


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")


def clone(folder: Path) -> Path:
    """The project as it is before its first run."""
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
    project: Path, *arguments: str, output: TextIO, variables: dict[str, str]
) -> Iterator[subprocess.Popen[str]]:
    """``python -m config.run``, gone at the end with what it has started.

    No variable of whoever runs the suite takes part.
    """
    with subprocess.Popen(
        [sys.executable, "-m", "server", *arguments],
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


def reason_not_to_start(project: Path, *arguments: str, **variables: str) -> str:
    """The one line that a start which fails says after what it did, and no other."""
    log = project / "log"
    with (
        log.open("w") as output,
        process(project, *arguments, output=output, variables=variables) as running,
    ):
        assert running.wait(DEADLINE_SECONDS) == 1
    [reason] = [line for line in log.read_text().splitlines() if not line.startswith("Wrote ")]
    return reason


@contextmanager
def started(project: Path, *arguments: str, **variables: str) -> Iterator[str]:
    """What a server has printed once it is up, which it is in here."""
    log = project / "log"
    with (
        log.open("w") as output,
        process(project, *arguments, output=output, variables=variables) as running,
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
    """The answer to this line in a shell, where there is a curl to be run."""
    if shutil.which("curl"):
        return subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=True).stdout
    _, _, url, _, authorization, _, content_type, _, body = shlex.split(line)
    headers = dict(header.split(": ") for header in (authorization, content_type))
    with urllib.request.urlopen(urllib.request.Request(url, body.encode(), headers)) as answer:
        return f"HTTP/1.1 {answer.status} "


def health(root: str) -> Any:
    """The answer of /healthz, or None while no server listens."""
    with suppress(OSError), urllib.request.urlopen(root.replace("api/", "healthz")) as answer:
        return json.load(answer)


@pytest.fixture(scope="class")
def used(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One clone for all the runs of a class."""
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
    """The first run of a clone, and a second one with an ``.env`` of the developer's own."""

    def test_env_is_written_for_its_owner_only(self, used: Path, first_run: str) -> None:
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

    def test_secrets_are_random(self, used: Path, first_run: str) -> None:
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

    def test_a_chunked_body_is_read(self, first_run: str) -> None:
        """The development server and the production server are one."""
        [line] = re.findall("^curl .*", first_run, re.MULTILINE)
        _, _, url, _, authorization, _, content_type, *_ = shlex.split(line)
        headers = dict(each.split(": ") for each in (authorization, content_type))
        request = urllib.request.Request(
            url, (part for part in (b'{"title": ', b'"In parts"}')), headers
        )
        with urllib.request.urlopen(request) as answer:
            assert json.load(answer)["title"] == "In parts"

    def test_changed_code_is_loaded(self, used: Path, first_run: str) -> None:
        [root] = re.findall("http://.*/api/$", first_run, re.MULTILINE)
        source = used / "operations" / "health.py"
        source.write_text(source.read_text().replace('"ok"', '"changed"'))
        deadline = time.monotonic() + DEADLINE_SECONDS
        while health(root) != {"status": "changed"}:
            assert time.monotonic() < deadline
            time.sleep(0.1)

    def test_env_is_never_written_over(self, used: Path, second_run: str) -> None:
        assert (used / ".env").read_text() == ENV_WITHOUT_SECRET
        assert "Wrote" not in second_run

    def test_without_a_secret_it_says_where_tokens_come_from(self, second_run: str) -> None:
        assert "/api/auth/token" in second_run
        assert 'Bearer $TOKEN"' in second_run

    def test_a_database_that_became_read_only(self, used: Path, second_run: str) -> None:
        database = used / "copy.sqlite3"
        shutil.copy(used / "db.sqlite3", database)
        pretend_read_only(database)
        url = f"sqlite:///{database}"
        reason = reason_not_to_start(used, PORT=str(free_port()), DATABASE_URL=url)
        assert f"The database file {database} cannot be written" in reason
        assert "DATABASE_URL" in reason


class TestServe:
    def test_it_serves(self, project: Path, port: int) -> None:
        with (
            started(project, "--production", PORT=str(port), **PRODUCTION),
            pytest.raises(HTTPError, match="401"),
        ):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/api/me/")

    def test_a_host_may_be_a_name(self, project: Path, port: int) -> None:
        with (
            started(project, "--production", PORT=str(port), HOST="localhost", **PRODUCTION),
            pytest.raises(HTTPError, match="401"),
        ):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/api/me/")

    def test_an_answer_to_head_is_not_followed_by_a_body(self, project: Path, port: int) -> None:
        """A body would be read as the start of the next answer on the same connection."""
        request = "{} /api/me/ HTTP/1.1\r\nHost: 127.0.0.1\r\n{}\r\n"
        with (
            started(project, "--production", PORT=str(port), **PRODUCTION),
            socket.create_connection(("127.0.0.1", port), timeout=DEADLINE_SECONDS) as connection,
        ):
            connection.sendall(request.format("HEAD", "").encode())
            connection.sendall(request.format("GET", "Connection: close\r\n").encode())
            with connection.makefile("rb") as file:
                answers = file.read()
        head, _, after = answers.partition(b"\r\n\r\n")
        assert b"content-length: 201" in head.lower()
        assert after.startswith(b"HTTP/1.1 401 ")

    def test_links_are_https_behind_a_proxy_that_ends_tls(self, project: Path, port: int) -> None:
        token = SecretIssuer(SECRET, clock=Clock(time.time())).mint()
        headers = {"Authorization": f"Bearer {token}", "X-Forwarded-Proto": "https"}
        request = urllib.request.Request(f"http://127.0.0.1:{port}/api/", headers=headers)
        with (
            started(project, "--production", PORT=str(port), **PRODUCTION),
            urllib.request.urlopen(request) as response,
        ):
            assert json.load(response)["todos"] == f"https://127.0.0.1:{port}/api/todos/"

    def test_addresses_are_those_of_public_url(self, project: Path, port: int) -> None:
        token = SecretIssuer(SECRET, clock=Clock(time.time())).mint()
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/api/", headers={"Authorization": f"Bearer {token}"}
        )
        public = {"PUBLIC_URL": "https://app.example.com/backend", "BROWSABLE_API": "true"}
        with (
            started(project, "--production", PORT=str(port), **PRODUCTION, **public),
            urllib.request.urlopen(request) as response,
        ):
            assert json.load(response)["todos"] == "https://app.example.com/backend/api/todos/"
            # The proxy takes the prefix away from this, too.
            style = f"http://127.0.0.1:{port}/static/browsable/style.css"
            assert urllib.request.urlopen(style).status == 200

    def test_connections_that_say_nothing_keep_nobody_out(self, project: Path, port: int) -> None:
        unfinished = b"POST /api/todos/ HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{"
        with ExitStack() as connections:
            connections.enter_context(
                started(project, "--production", PORT=str(port), **PRODUCTION)
            )
            for _ in range(150):
                connection = socket.create_connection(("127.0.0.1", port))
                connections.enter_context(connection).sendall(unfinished)
            with pytest.raises(HTTPError, match="401"):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/api/me/", timeout=5)

    def test_unconfigured_it_does_not(self, project: Path) -> None:
        configured = PRODUCTION | {"BETTER_AUTH_SECRET": ""}
        reason = reason_not_to_start(project, "--production", **configured)
        assert reason.startswith("authn.E001: ")
        assert not (project / ".env").exists()

    def test_a_start_that_fails_or_is_stopped_leaves_no_folder(self, project: Path) -> None:
        folder = project / "temporary"
        folder.mkdir()
        counting = {**PRODUCTION, "METRICS_TOKEN": "m" * 32, "TMPDIR": str(folder)}
        reason_not_to_start(project, "--production", **{**counting, "BETTER_AUTH_SECRET": ""})
        assert not [*folder.iterdir()]
        with (
            (project / "log").open("w") as output,
            process(project, "--production", output=output, variables=counting) as running,
        ):
            deadline = time.monotonic() + DEADLINE_SECONDS
            while not [*folder.glob("todos-metrics-*")]:
                assert time.monotonic() < deadline
                time.sleep(0.01)
            running.terminate()  # before anything listens
            assert running.wait(DEADLINE_SECONDS) == 128 + signal.SIGTERM
        assert not [*folder.glob("todos-metrics-*")]

    def test_a_worker_that_comes_later_is_of_the_code_that_was_checked(self, project: Path) -> None:
        loaded = subprocess.run(
            [sys.executable, "-c", LOADED_BY_A_WORKER],
            cwd=project,
            env={"PATH": os.environ["PATH"]} | PRODUCTION,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        ).stdout.split()
        ours = [name for name in loaded if (project / name.partition(".")[0]).is_dir()]
        assert ours == ["api.bodies.headers", "config.wsgi", "server.asgi"]


class TestWhyNot:
    """One line each, which says what to do."""

    def test_port_in_use(self, project: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            (project / ".env").write_text(f"PORT={port}")
            assert reason_not_to_start(project) == (
                f"Something listens on 127.0.0.1:{port} already: stop it, or make run PORT=8001"
            )

    def test_port_of_administrators(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(*args: object, **options: object) -> None:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr("server.preflight.socket.create_server", refuse)
        with pytest.raises(CannotStart, match="make serve PORT=8001"):
            require_free(Address("127.0.0.1", 80), command="make serve")

    @pytest.mark.parametrize("value", ["0", "65536", "http", "-1", "8_0", "٣"])
    def test_not_a_port(self, settings: Settings, value: str) -> None:
        settings.PORT = value
        with pytest.raises(CannotStart, match=f"PORT is {value}: "):
            Address.from_settings()

    @pytest.mark.parametrize(
        "host",
        [
            "192.0.2.1",
            "2001:db8::1",
            "127.0.0.0.1",
            "a" * 64,
            "no-such-host.invalid",
            "http://127.0.0.1",
            "127.0.0.1:8000",
            "127.0.0.1 ",
            "*",
        ],
    )
    def test_not_a_host(self, settings: Settings, host: str) -> None:
        settings.HOST = host
        with pytest.raises(CannotStart, match=f"^HOST is {re.escape(host)}, no address of this"):
            require_free(Address.from_settings(), command="make run")

    def test_a_host_that_requests_may_not_name(self, project: Path, port: int) -> None:
        reason = reason_not_to_start(project, PORT=str(port), HOST="127.0.0.2")
        assert "Requests for 127.0.0.2 would be refused: name it in DJANGO_ALLOWED_HOSTS" in reason

    @pytest.mark.parametrize("name", ["missing/db.sqlite3", "todos"])
    def test_no_database_file(self, project: Path, port: int, name: str) -> None:
        path = project / name
        reason = reason_not_to_start(project, PORT=str(port), DATABASE_URL=f"sqlite:///{path}")
        assert f"The database file {path} cannot be written" in reason

    def test_database_server_down(self, project: Path, port: int) -> None:
        url = f"postgres://todos:open-sesame@127.0.0.1:{port}/todos"
        reason = reason_not_to_start(project, PORT=str(port), DATABASE_URL=url)
        assert "Connection refused" in reason
        assert "sesame" not in reason

    def test_secret_too_short(self, project: Path, port: int) -> None:
        (project / ".env").write_text("DEBUG=true\nBETTER_AUTH_SECRET=short\n")
        reason = reason_not_to_start(project, PORT=str(port))
        assert reason.startswith("authn.E003: ")
        assert "openssl rand" in reason

    @pytest.mark.parametrize(
        ("name", "value", "reason"),
        [
            ("BETTER_AUTH_LEEWAY", "half a minute", "BETTER_AUTH_LEEWAY must be a whole number."),
            ("LOG_LEVEL", "loud", "LOG_LEVEL must be one of DEBUG, INFO, WARNING, ERROR."),
            (
                "DATABASE_URL",
                "postgress://u:sesame@h/db",
                "DATABASE_URL must start with postgres://",
            ),
            ("DATABASE_URL", "postgres://u:sesame/x@h/db", "must be percent-encoded."),
            ("DATABASE_URL", "$OTHER", "DATABASE_URL must start with postgres://"),
        ],
    )
    def test_value_of_another_kind(self, project: Path, name: str, value: str, reason: str) -> None:
        said = reason_not_to_start(project, **{name: value})
        assert reason in said
        assert "sesame" not in said

    def test_env_in_no_folder(self, tmp_path: Path) -> None:
        with pytest.raises(CannotStart, match=r"\.env cannot be written \(No such file"):
            write_env_file(tmp_path / "missing" / ".env")


@pytest.mark.parametrize(
    ("host", "shown", "reachable"),
    [
        ("127.0.0.1", "127.0.0.1:8000", "127.0.0.1:8000"),
        ("0.0.0.0", "0.0.0.0:8000", "127.0.0.1:8000"),
        ("::1", "[::1]:8000", "[::1]:8000"),
        ("[::]", "[::]:8000", "[::1]:8000"),
        ("localhost", "localhost:8000", "localhost:8000"),
    ],
)
def test_addresses(settings: Settings, host: str, shown: str, reachable: str) -> None:
    settings.HOST, settings.PORT = host, "8000"
    address = Address.from_settings()
    assert (str(address), str(address.reachable)) == (shown, reachable)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", "127.0.0.1"),
        ("127.0.0.1", "127.0.0.1"),
        ("127.1", "127.0.0.1"),
        ("::1", "::1"),
        ("0.0.0.0", "0.0.0.0"),
    ],
)
def test_a_server_is_told_an_address_and_not_a_name(
    settings: Settings, host: str, expected: str
) -> None:
    settings.HOST, settings.PORT = host, "8000"
    assert Address.from_settings().host == expected


def test_the_address_of_a_name_is_the_one_that_is_found_to_be_free(
    settings: Settings, port: int
) -> None:
    settings.HOST, settings.PORT = "localhost", str(port)
    address = Address.from_settings()
    with (
        socket.create_server(("127.0.0.1", port)),
        pytest.raises(CannotStart, match=f"listens on localhost:{port} already"),
    ):
        require_free(address, command="make serve")
    require_free(address, command="make serve")


def pretend_read_only(database: Path) -> None:
    """Make SQLite take the file for one of a later format, which it only reads.

    Permissions would not do: they do not stop an administrator.
    """
    with database.open("r+b") as file:
        file.seek(18)  # the "file format write version" of the header
        file.write(b"\x03")
