"""``make serve`` under clients that are slow, idle, too large or too many, and when it is stopped.

Real processes; run with ``pytest -m live``.
"""

from __future__ import annotations

import os
import resource
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from authn.testing import SECRET
from tests.support.processes import PROJECT, Api, Servers, api_environment, repeating, wait_until
from tests.support.settings import run

pytestmark = pytest.mark.live

SLOW_CLIENTS = 200
IDLE_CLIENTS = 10_000
METRICS_TOKEN = "a-token-of-the-operators-own-0123456789"
MODULES_LOADED_BY_A_WORKER = """
import sys
from unittest import mock
from server import __main__ as serve
with mock.patch("server.__main__.make_server"), mock.patch("server.__main__.require_free"):
    serve.main()
before = {*sys.modules}
import server.asgi
print(*sorted({*sys.modules} - before))
"""
QUICK_SECONDS = 2.0  # on a busy machine


@pytest.fixture(scope="module")
def api(servers: Servers) -> Api:
    return two_workers(servers)


def two_workers(servers: Servers) -> Api:
    return servers.api(
        secret=SECRET,
        WEB_CONCURRENCY="2",
        THROTTLE_USER="1000000/min",
        THROTTLE_ANON="1000000/min",
        METRICS_TOKEN=METRICS_TOKEN,
    )


def connect(api: Api) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", api.port), timeout=10)
    connection.settimeout(10)
    return connection


def head(token: str, *fields: str, method: str = "POST") -> bytes:
    lines = [f"{method} /api/todos/ HTTP/1.1", "Host: 127.0.0.1", f"Authorization: Bearer {token}"]
    return "\r\n".join([*lines, *fields, "", ""]).encode()


def answer(connection: socket.socket) -> bytes:
    """Read until the server closes the connection."""
    received = b""
    while chunk := connection.recv(65536):
        received += chunk
    return received


def status(received: bytes) -> int:
    return int(received.split(b" ", 2)[1])


def assert_served(api: Api, token: str) -> None:
    for _ in range(5):
        start = time.monotonic()
        assert api.get("/api/todos/", token).status == 200
        assert time.monotonic() - start < QUICK_SECONDS


class TestClients:
    def test_slow_clients_delay_no_other_client(self, api: Api, token: str) -> None:
        with ExitStack() as stack:
            slow = [stack.enter_context(connect(api)) for _ in range(SLOW_CLIENTS)]
            for connection in slow:
                connection.sendall(
                    head(token, "Content-Type: application/json", "Content-Length: 30")
                )
            for _ in range(3):
                for connection in slow:
                    connection.sendall(b" ")
                assert_served(api, token)
                time.sleep(0.5)
            slow[0].sendall(b'{"title": "After all"}'.rjust(27))
            assert status(slow[0].recv(65536)) == 201

    def test_idle_clients_delay_no_other_client(self, api: Api, token: str) -> None:
        with more_files(IDLE_CLIENTS + 500), ExitStack() as stack:
            for number in range(IDLE_CLIENTS):
                connection = stack.enter_context(connect(api))
                if number % 3 == 0:
                    connection.sendall(b"GET /api/todos/ HTTP/1.1\r\nHost: 127.")
            assert_served(api, token)

    def test_a_request_that_never_ends_is_refused(self, api: Api, token: str) -> None:
        with connect(api) as connection:
            connection.settimeout(45)
            connection.sendall(head(token, "Content-Type: application/json", "Content-Length: 9"))
            received = answer(connection)
        assert status(received) == 408
        assert b'"code":"request_timeout"' in received
        assert b"x-request-id" in received

    def test_large_headers_are_refused(self, api: Api, token: str) -> None:
        with connect(api) as connection:
            connection.sendall(head(token, f"X-Large: {'x' * 100_000}", method="GET"))
            assert status(answer(connection)) == 431
        assert_served(api, token)

    @pytest.mark.parametrize("length", [256 * 1024 + 1, 3_000_000_000])
    def test_a_large_body_is_refused_after_authentication(
        self, api: Api, token: str, length: int
    ) -> None:
        media_type = "Content-Type: application/json"
        for each, expected in ((token, 413), ("x.y.z", 401)):
            with connect(api) as connection:
                connection.sendall(head(each, media_type, f"Content-Length: {length}"))
                with suppress(OSError):  # the server may not read all
                    connection.sendall(b" " * (256 * 1024 + 1))
                received = connection.recv(65536)
                assert status(received) == expected
                assert b"application/problem+json" in received

    @pytest.mark.parametrize(
        "request_",
        [
            b"\x00\x01\r\n\r\n",
            b"GET / HTTP/9.9\r\n\r\n",
            head("x", "Content-Length: 5", "Content-Length: 6"),
            head("x", "Content-Length: -1"),
        ],
    )
    def test_invalid_http_is_refused(self, api: Api, token: str, request_: bytes) -> None:
        with connect(api) as connection:
            connection.sendall(request_)
            received = answer(connection)
            assert not received or status(received) in (400, 505)
        assert_served(api, token)


def test_an_answer_to_head_is_not_followed_by_a_body(api: Api) -> None:
    """The client would take a body for the next answer on the same connection."""
    request = "{} /api/me/ HTTP/1.1\r\nHost: 127.0.0.1\r\n{}\r\n"
    with connect(api) as connection:
        connection.sendall(request.format("HEAD", "").encode())
        connection.sendall(request.format("GET", "Connection: close\r\n").encode())
        received, _, after = answer(connection).partition(b"\r\n\r\n")
    assert b"content-length: 201" in received.lower()
    assert after.startswith(b"HTTP/1.1 401 ")


class TestStopping:
    def test_a_server_that_stops_answers_accepted_requests(
        self, servers: Servers, token: str
    ) -> None:
        api = two_workers(servers)
        with load(api, token) as outcomes:
            time.sleep(2)
            api.stop()
        assert outcomes["answered"] > 50
        # The system accepts connections for a worker that stops before it reads their requests.
        assert {*outcomes} <= {"answered", "refused", "unread"}, outcomes
        assert outcomes["answered"] == api.log().count("route=/api/todos/ status=200")
        assert "Traceback" not in api.log()

    def test_a_worker_that_dies_is_replaced(self, servers: Servers, token: str) -> None:
        api = two_workers(servers)
        before = api.workers()
        assert len(before) == 2
        os.kill(before[0], signal.SIGKILL)
        wait_until(lambda: len({*api.workers()} - {before[0]}) == 2)
        assert_served(api, token)


def test_workers_give_different_request_ids(api: Api, token: str) -> None:
    """Workers are forked from one process, with the same state of its random generator."""
    with ThreadPoolExecutor(8) as pool:
        answers = pool.map(lambda _: api.get("/api/me/", token), range(200))
    assert len({answer.headers["x-request-id"] for answer in answers}) == 200


def test_a_scrape_counts_the_answers_of_every_worker(servers: Servers, token: str) -> None:
    api = two_workers(servers)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: api.get("/api/me/", token).status, range(200)))
    assert answers == [200] * 200
    os.kill(api.workers()[0], signal.SIGKILL)
    time.sleep(0.5)  # until the worker has ended
    counted = api.get("/metrics", METRICS_TOKEN).body
    assert b'method="GET",route="/api/me/",status="200"} 200.0' in counted


def test_a_stopped_server_removes_its_folder_of_metrics(servers: Servers, tmp_path: Path) -> None:
    api = servers.api(secret=SECRET, METRICS_TOKEN=METRICS_TOKEN, TMPDIR=str(tmp_path))
    assert [folder.name[:14] for folder in tmp_path.iterdir()] == ["todos-metrics-"]
    api.stop()
    assert not [*tmp_path.iterdir()]


def test_a_server_that_is_stopped_while_it_starts_leaves_no_folder(tmp_path: Path) -> None:
    environment = api_environment(tmp_path / "db.sqlite3", issuer_url="", secret=SECRET)
    counting = {**environment, "METRICS_TOKEN": METRICS_TOKEN, "TMPDIR": str(tmp_path)}
    with subprocess.Popen([sys.executable, "-m", "server"], cwd=PROJECT, env=counting) as starting:
        wait_until(lambda: [*tmp_path.glob("todos-metrics-*")])
        starting.terminate()  # before granian handles signals
        assert starting.wait(20) == 128 + signal.SIGTERM
    assert not [*tmp_path.glob("todos-metrics-*")]


def test_a_worker_that_replaces_another_loads_no_other_code() -> None:
    key = "0123456789" * 5
    result = run(MODULES_LOADED_BY_A_WORKER, BETTER_AUTH_SECRET=SECRET, DJANGO_SECRET_KEY=key)
    rooms = {package.parent.name for package in PROJECT.glob("*/__init__.py")}
    loaded = [name for name in result.stdout.split() if name.partition(".")[0] in rooms]
    assert loaded == ["config.wsgi", "server.asgi"], result.stderr


@contextmanager
def load(api: Api, token: str) -> Iterator[Counter[str]]:
    """Run sixteen clients in the block, and count the outcomes of their requests."""
    outcomes: Counter[str] = Counter()
    request = head(token, "Connection: close", method="GET")

    def ask() -> None:
        try:
            connection = connect(api)
        except OSError:
            outcomes["refused"] += 1
            return
        with connection:
            try:
                connection.sendall(request)
                received = answer(connection)
            except ConnectionResetError:
                received = b""
        if not received:
            outcomes["unread"] += 1
        else:
            outcomes["answered" if b" 200 OK\r\n" in received[:30] else str(received[:60])] += 1

    with repeating(*[ask] * 16):
        yield outcomes


@contextmanager
def more_files(count: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(soft, count), hard), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
