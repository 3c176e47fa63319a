"""Start a real Better Auth issuer and this API as processes, and talk to them over HTTP."""

from __future__ import annotations

import json
import os
import random
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from http.client import HTTPConnection
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

PROJECT = Path(__file__).resolve().parents[2]
EXAMPLE = PROJECT / "examples" / "better-auth"

START_SECONDS = 60
STOP_SECONDS = 10
COMMAND_SECONDS = 60
REQUEST_SECONDS = 10
# Unknown kids fetch the key set at most every ten seconds. The rest is for a slow machine.
PATIENCE_SECONDS = 15
POLL_SECONDS = 0.5
WAIT_SECONDS = 20


@dataclass(frozen=True, slots=True)
class Answer:
    """``headers`` have names in lower case, and ``cookies`` are those that were set."""

    status: int
    headers: Mapping[str, str]
    cookies: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def data(self) -> Any:
        return json.loads(self.body)

    @property
    def outcome(self) -> str:
        """Return ``"200"``, or status and code of a problem document: ``"401 key_unknown"``."""
        if self.headers.get("content-type") == "application/problem+json":
            return f"{self.status} {self.data['code']}"
        return str(self.status)


class Server:
    """A process that listens on its own port, also after a restart."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        port: int,
        directory: Path,
        log: Path,
        environment: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.environment = environment
        self._command = command
        self._directory = directory
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exc_info: object) -> None:
        self.stop()

    def start(self) -> Self:
        """Wait until the server answers. Raises ``RuntimeError`` with its log otherwise."""
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                self._command,
                cwd=self._directory,
                env=with_path(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_SECONDS
        try:
            while not self.is_ready():
                status = self._process.poll()
                if status is not None or time.monotonic() > deadline:
                    name = type(self).__name__
                    raise RuntimeError(f"{name} did not start (status: {status}):\n{self.log()}")
                time.sleep(0.05)
        except BaseException:
            self.stop()
            raise
        return self

    @property
    def pid(self) -> int:
        assert self._process is not None, "it is not running"
        return self._process.pid

    def wait(self) -> int:
        """Wait until the server ends, and return its status."""
        assert self._process is not None, "it is not running"
        return self._process.wait(STOP_SECONDS)

    def stop(self) -> None:
        if self._process is None:
            return
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_SECONDS)
        self.kill()

    def kill(self) -> None:
        """Kill the server and all its children."""
        assert self._process is not None, "it is not running"
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._process = None

    def is_ready(self) -> bool:
        raise NotImplementedError

    def log(self) -> str:
        """Return the output since the last start."""
        return self._log.read_text(errors="replace")

    def connection(self, source: str) -> HTTPConnection:
        return HTTPConnection("127.0.0.1", self.port, REQUEST_SECONDS, (source, 0))

    def send(
        self,
        method: str,
        path: str,
        token: str = "",
        body: Mapping[str, Any] | bytes | None = None,
        *,
        source: str = "127.0.0.1",
        **headers: str,
    ) -> Answer:
        """Send a request from an address of loopback, 127.0.0.1 to 127.255.255.254."""
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if body is not None:
            headers.setdefault("Content-Type", "application/json")
        payload = json.dumps(body) if isinstance(body, Mapping) else body
        with closing(self.connection(source)) as connection:
            connection.request(method, path, payload, headers)
            response = connection.getresponse()
            cookies = (
                line.partition(";")[0].partition("=")
                for line in response.headers.get_all("Set-Cookie", [])
            )
            return Answer(
                response.status,
                {name.lower(): value for name, value in response.headers.items()},
                {name: value for name, _, value in cookies},
                response.read(),
            )


@dataclass(frozen=True, slots=True)
class User:
    """A user who signed up, with the cookies of the issuer."""

    issuer: Issuer
    id: str
    email: str
    session_token: str
    signed_session_token: str
    cookies: Mapping[str, str] = field(repr=False)

    def token(self) -> str:
        """Return a new JWT."""
        answer = self.issuer.ask("GET", "/api/auth/token", self.session_token)
        token: str = answer.data["token"]
        return token

    def token_under_another_key_than(self, other: str) -> str:
        """Return a new JWT after the issuer has replaced the key that signed ``other``."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        # The header has only an algorithm and a kid.
        while (token := self.token()).partition(".")[0] == other.partition(".")[0]:
            assert time.monotonic() < deadline, "the issuer does not rotate its keys"
            time.sleep(POLL_SECONDS)
        return token

    def impersonated_by(self, admin: User) -> User:
        """Return this user in a session that ``admin`` started."""
        answer = self.issuer.ask(
            "POST",
            "/api/auth/admin/impersonate-user",
            admin.session_token,
            body={"userId": self.id},
        )
        return replace(self, session_token=answer.data["session"]["token"])

    def api_key(self) -> str:
        """Return a new API key of Better Auth."""
        answer = self.issuer.ask(
            "POST", "/api/auth/api-key/create", self.session_token, body={"name": "Script"}
        )
        key: str = answer.data["key"]
        return key

    @property
    def session_cookie(self) -> str:
        """Return the copy of the session that the issuer signs with SESSION_COOKIE_CACHE."""
        return self.cookies["better-auth.session_data"]


class Issuer(Server):
    """``examples/better-auth``."""

    def is_ready(self) -> bool:
        return f"Better Auth is ready: {self.url}\n" in self.log()

    def sign_up(self, email: str = "") -> User:
        email = email or f"{secrets.token_hex(8)}@example.com"
        body = {"name": "Ada", "email": email, "password": secrets.token_hex()}
        answer = self.ask("POST", "/api/auth/sign-up/email", body=body, Origin=self.url)
        return User(
            issuer=self,
            id=answer.data["user"]["id"],
            email=email,
            session_token=answer.data["token"],
            signed_session_token=answer.headers["set-auth-token"],
            cookies=answer.cookies,
        )

    def link_mailed_to(self, user: User) -> str:
        start = f"mail to {user.email}: "
        links = [line for line in self.log().splitlines() if line.startswith(start)]
        assert links, self.log()
        return links[-1].removeprefix(start)

    def ask(self, method: str, path: str, token: str = "", **rest: Any) -> Answer:
        answer = self.send(method, path, token, **rest)
        assert answer.status == 200, f"{method} {path}: {answer.status} {answer.body!r}"
        return answer


class Api(Server):
    """This project under its production server."""

    def is_ready(self) -> bool:
        try:
            return self.get("/api/me/").status == 401
        except OSError:
            return False

    def get(self, path: str, token: str = "") -> Answer:
        return self.send("GET", path, token)

    def post(self, path: str, token: str, body: Mapping[str, Any] | None = None) -> Answer:
        return self.send("POST", path, token, body)

    def me(self, token: str) -> Answer:
        return self.get("/api/me/", token)

    def wait_for(self, outcome: str, token: str, *, meanwhile: str) -> Answer:
        """Return the first answer with this outcome. Every answer before must be ``meanwhile``."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (answer := self.me(token)).outcome != outcome:
            wanted = f"{outcome}, meanwhile {meanwhile}"
            assert answer.outcome == meanwhile, f"{answer.outcome} instead of {wanted}"
            assert time.monotonic() < deadline, f"waited {PATIENCE_SECONDS} seconds for {wanted}"
            time.sleep(POLL_SECONDS)
        return answer

    def workers(self) -> list[int]:
        """Return the ids of the children, without the resource tracker of Python."""
        children = []
        for status_file in Path("/proc").glob("[0-9]*/status"):
            with suppress(OSError):
                fields = dict(
                    line.split(":\t", 1)
                    for line in status_file.read_text().splitlines()
                    if ":\t" in line
                )
                command = (status_file.parent / "cmdline").read_bytes()
                if int(fields["PPid"]) == self.pid and b"resource_tracker" not in command:
                    children.append(int(fields["Pid"]))
        return sorted(children)

    def manage(self, *arguments: str) -> str:
        """Return the output of a management command under the settings of this server."""
        return run([sys.executable, "manage.py", *arguments], PROJECT, self.environment)


class Servers:
    """Starts servers, and stops them all when its block ends. Threads may share it."""

    def __init__(self, directory: Path, migrated_database: Path) -> None:
        self._directory = directory
        self._migrated_database = migrated_database
        self._started = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._started.close()

    def issuer(self, **environment: str) -> Issuer:
        port = free_port()
        server = Issuer(
            ["node", "server.mjs"],
            port=port,
            directory=EXAMPLE,
            environment={"PORT": str(port), **environment},
            log=self._directory / f"issuer-{port}.log",
        )
        return self._started.enter_context(server)

    def api(
        self,
        issuer: Issuer | None = None,
        /,
        *,
        secret: str = "",
        within: Sequence[str] = (),
        **environment: str,
    ) -> Api:
        """Start an API with an empty database that trusts ``issuer`` or ``secret``, or both.

        ``within`` is a command that starts the one that it is given.
        """
        issuer_url = issuer.url if issuer else ""
        port = free_port()
        database = self._directory / f"api-{port}.sqlite3"
        shutil.copy(self._migrated_database, database)
        server = Api(
            [*within, sys.executable, "-m", "server"],
            port=port,
            directory=PROJECT,
            environment={
                "PORT": str(port),
                **api_environment(database, issuer_url=issuer_url, secret=secret),
                **environment,
            },
            log=self._directory / f"api-{port}.log",
        )
        return self._started.enter_context(server)


def api_environment(database: Path, *, issuer_url: str, secret: str = "") -> dict[str, str]:
    return {
        "DJANGO_SECRET_KEY": secrets.token_urlsafe(50),
        "DJANGO_ALLOWED_HOSTS": "127.0.0.1",
        "DATABASE_URL": f"sqlite:///{database}",
        "BETTER_AUTH_URL": issuer_url,
        "BETTER_AUTH_SECRET": secret,
        "THROTTLE_REFUSED": "1000000/min",  # tokens are sent until they are accepted
    }


def migrate(database: Path) -> None:
    environment = api_environment(database, issuer_url="https://issuer.example")
    run([sys.executable, "manage.py", "migrate"], PROJECT, environment)


def run(
    command: Sequence[str],
    directory: Path,
    environment: Mapping[str, str],
    *,
    patience_seconds: float = COMMAND_SECONDS,
) -> str:
    """Return the output of a command, which must succeed."""
    result = result_of(command, directory, environment, patience_seconds=patience_seconds)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def result_of(
    command: Sequence[str],
    directory: Path = PROJECT,
    environment: Mapping[str, str] = MappingProxyType({}),
    *,
    stdin: str = "",
    patience_seconds: float = COMMAND_SECONDS,
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=directory,
        env=with_path(environment),
        input=stdin,
        capture_output=True,
        check=False,
        text=True,
        timeout=patience_seconds,
    )


def wait_until(condition: Callable[[], object], *, seconds: float = WAIT_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} seconds"
        time.sleep(0.02)


@contextmanager
def repeating(*calls: Callable[[], object], pause_seconds: float = 0) -> Iterator[None]:
    """Repeat each call in a thread of its own until the block ends, and raise its error."""
    over = threading.Event()

    def repeat(call: Callable[[], object]) -> None:
        while not over.wait(pause_seconds):
            call()

    with ThreadPoolExecutor(len(calls)) as pool:
        repeated = [pool.submit(repeat, call) for call in calls]
        try:
            yield
        finally:
            over.set()
    for each in repeated:
        each.result()


def with_path(environment: Mapping[str, str]) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "ENV_FILE": "", **environment}


# Outgoing connections take no port below this range, so a stopped server can start again on its
# port. Each port is returned once, because the port of a stopped server looks free.
PORTS = range(20_000, 32_000)
_ports = iter(random.SystemRandom().sample(PORTS, len(PORTS)))
_taking_a_port = threading.Lock()


def free_port() -> int:
    """Return a port that nothing listens on, and that no other server of these tests has."""
    with _taking_a_port:
        return next(port for port in _ports if is_free(port))


def is_free(port: int) -> bool:
    with socket.socket() as candidate:
        try:
            candidate.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
