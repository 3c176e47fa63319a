"""A client that keeps a server busy does not delay the others."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path

import psycopg
import pytest

from authn.testing import SECRET
from tests.faults.language import UNLIMITED, token_of
from tests.support.postgresql import Cluster
from tests.support.processes import Api, Servers, repeating

logger = logging.getLogger(__name__)
pytestmark = pytest.mark.faults

SEARCHES = READERS = 60
BODIES = 258
BODY_OCTETS = 256 * 1024
TOLERABLE_P99_SECONDS = 0.5
TOLERABLE_PROBE_SECONDS = 0.1
MAX_RESIDENT_OCTETS = 250 * 1024 * 1024
SEED = """
INSERT INTO todos_todo (id, owner_id, title, description, completed, priority, tags, created_at,
    updated_at, version, title_folded, description_folded, tags_folded)
SELECT gen_random_uuid(), %(owner)s, 'Todo ' || n, repeat(%(text)s, 10000), false, 0, '[]',
    now(), now(), 'v' || n, 'todo ' || n, repeat(%(text)s, 10000), E'\n'
FROM generate_series(1, %(count)s) n
"""


@pytest.fixture
def api(servers: Servers, database: Cluster) -> Api:
    """A server of one worker. Alice has many long todos, and Bob has one."""
    url = database.new_database()
    with psycopg.connect(url) as connection:
        connection.execute(SEED, {"owner": "alice", "text": "a", "count": 2000})
        connection.execute(SEED, {"owner": "carol", "text": "😀", "count": 200})
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE todos_todo")
    api = servers.api(secret=SECRET, DATABASE_URL=url, **UNLIMITED)
    assert api.post("/api/todos/", token_of("bob"), {"title": "Mine"}).status == 201
    return api


def open_request(api: Api, head: str, *, token: str, receive_octets: int = 0) -> socket.socket:
    """Return a connection that has sent a request and read nothing."""
    connection = socket.socket()
    if receive_octets:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_octets)
    connection.settimeout(10)
    connection.connect(("127.0.0.1", api.port))
    authorization = f"Authorization: Bearer {token}\r\n" if token else ""
    connection.sendall(f"{head}\r\nHost: 127.0.0.1\r\n{authorization}\r\n".encode())
    return connection


class Timings:
    """The seconds until other clients were answered."""

    def __init__(self) -> None:
        self.users: list[float] = []
        self.probes: list[float] = []

    def assert_tolerable(self) -> None:
        users, probes = sorted(self.users), sorted(self.probes)
        logger.info(
            "users: %d, p50 %.3f s, p99 %.3f s; probes: %d, slowest %.3f s",
            *(len(users), users[len(users) // 2], users[int(len(users) * 0.99)]),
            *(len(probes), probes[-1]),
        )
        assert len(users) > 20
        assert users[int(len(users) * 0.99)] < TOLERABLE_P99_SECONDS
        assert probes[int(len(probes) * 0.99)] < TOLERABLE_PROBE_SECONDS


@contextmanager
def others(api: Api) -> Iterator[Timings]:
    """Send requests of Bob and a probe until the block ends."""
    timings, bob = Timings(), token_of("bob")

    def ask(path: str, token: str, seconds: list[float]) -> None:
        start = time.monotonic()
        assert api.get(path, token).status == 200
        seconds.append(time.monotonic() - start)

    with repeating(
        partial(ask, "/api/me/", bob, timings.users),
        partial(ask, "/api/todos/", bob, timings.users),
        partial(ask, "/healthz", "", timings.probes),
        pause_seconds=0.02,
    ):
        yield timings


def test_abandoned_searches_delay_no_other_user(api: Api) -> None:
    alice, head = token_of("alice"), f"GET /api/todos/?q={'a' * 99}b HTTP/1.1"
    with others(api) as timings:
        searches = [open_request(api, head, token=alice) for _ in range(SEARCHES)]
        time.sleep(0.5)
        for each in searches:
            each.close()
        time.sleep(5)
    timings.assert_tolerable()
    assert max(timings.probes) < TOLERABLE_PROBE_SECONDS
    # The server had begun few of them before their clients left.
    assert api.log().count("user_id=alice") < SEARCHES / 2


def test_slow_searches_delay_no_other_user(api: Api) -> None:
    alice, head = token_of("alice"), f"GET /api/todos/?q={'a' * 99}b HTTP/1.1"
    with others(api) as timings, ExitStack() as stack:
        for _ in range(SEARCHES):
            stack.enter_context(open_request(api, head, token=alice))
        time.sleep(5)
    timings.assert_tolerable()


def test_slow_readers_do_not_fill_the_memory(api: Api) -> None:
    carol = token_of("carol")
    with others(api) as timings, ExitStack() as stack:
        for _ in range(READERS):
            head = "GET /api/todos/?limit=200 HTTP/1.1"
            stack.enter_context(open_request(api, head, token=carol, receive_octets=4096))
        most = 0
        for _ in range(80):
            most = max([most, *map(resident_octets, api.workers())])
            time.sleep(0.1)
    logger.info("a worker had %d MiB", most // 1024 // 1024)
    assert most < MAX_RESIDENT_OCTETS
    timings.assert_tolerable()
    assert api.get("/api/todos/?limit=200", carol).status == 200


def test_stalled_bodies_keep_out_no_other_user(api: Api) -> None:
    head = (
        "POST /api/todos/ HTTP/1.1\r\nContent-Type: application/json\r\n"
        f"Content-Length: {BODY_OCTETS}"
    )
    with others(api) as timings, ExitStack() as stack:
        for _ in range(BODIES):
            connection = stack.enter_context(open_request(api, head, token=""))
            with suppress(OSError):  # the server may have given it up by then
                connection.sendall(b" " * (BODY_OCTETS - 1))
        bob = token_of("bob")
        for size in (10, 200_000):
            body = {"title": "One", "description": "x" * min(size, 9000), "tags": []}
            padding = {f"{number}": "x" * 1000 for number in range(size // 1000)}
            answer = api.post("/api/todos/", bob, {**body, **padding})
            # A body as large as the stalled ones is read to its end.
            assert answer.status == (400 if padding else 201)
        time.sleep(3)
    timings.assert_tolerable()


def test_a_chunk_without_a_size_is_refused_and_logged(api: Api) -> None:
    connection = open_request(
        api, "POST /api/todos/ HTTP/1.1\r\nTransfer-Encoding: chunked", token=""
    )
    with connection:
        connection.sendall(b"zz\r\nabc\r\n")
        received = b""
        while part := connection.recv(65536):
            received += part
    assert received.startswith(b"HTTP/1.1 400 ")
    assert b'"code":"bad_request"' in received
    assert b"RateLimit: " in received or b"ratelimit: " in received
    assert "status=400 code=bad_request" in api.log()


def resident_octets(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096
