"""The disk of an SQLite file is full or read-only."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

import pytest

from authn.testing import SECRET
from tests.faults.language import (
    UNAVAILABLE,
    UNLIMITED,
    assert_answered_or_unavailable,
    note,
    token_of,
    wait_for_refusals,
    wait_for_writes,
)
from tests.faults.load import Attempt, assert_kept, assert_repeatable, load, outcomes
from tests.support.processes import PROJECT, Api, Servers, run, wait_until

pytestmark = pytest.mark.faults

METRICS_TOKEN = "a-token-of-the-operators-own-0123456789"
# A small file system that ends with the server, and root without privileges.
SMALL_DISK = """
mount -t tmpfs -o size=32m none "$0" && cp "$1" "$0/db.sqlite3" && shift &&
exec setpriv --bounding-set=-dac_override,-dac_read_search -- "$@"
"""


@pytest.fixture
def mount_point(tmp_path: Path) -> Path:
    (tmp_path / "disk").mkdir()
    return tmp_path / "disk"


@pytest.fixture
def within(migrated: Path, mount_point: Path) -> list[str]:
    """Return the command that starts a server with a small disk of its own."""
    script = ["sh", "-c", SMALL_DISK, str(mount_point), str(migrated)]
    return ["unshare", "--map-root-user", "--mount", *script]


@pytest.fixture
def on_small_disk(servers: Servers, within: list[str], mount_point: Path) -> Api:
    url = f"sqlite:///{mount_point}/db.sqlite3"
    return servers.api(
        secret=SECRET, within=within, DATABASE_URL=url, WEB_CONCURRENCY="2", **UNLIMITED
    )


@pytest.fixture
def counting(servers: Servers, within: list[str], mount_point: Path) -> Api:
    """Return a server that counts on the small disk."""
    metrics = {"TMPDIR": str(mount_point), "METRICS_TOKEN": METRICS_TOKEN}
    return servers.api(secret=SECRET, within=within, WEB_CONCURRENCY="2", **metrics, **UNLIMITED)


@pytest.fixture
def disk(on_small_disk: Api, mount_point: Path) -> Path:
    """Return the file system that the server sees."""
    return Path(f"/proc/{on_small_disk.pid}/root{mount_point}")


class TestSQLiteDisk:
    def test_a_full_disk_is_503_and_loses_nothing(
        self, on_small_disk: Api, disk: Path, tmp_path: Path
    ) -> None:
        token = token_of("alice")
        with load(on_small_disk, token) as attempts:
            wait_for_writes(attempts, 20)
            fill(disk / "ballast")
            wait_for_refusals(attempts, 20)
            reads = [on_small_disk.get("/api/todos/", token) for _ in range(10)]
            (disk / "ballast").unlink()
            wait_for_writes(attempts, 20)
        for read in reads:  # SQLite may have to create a small file to read
            assert read.status == 200 or read.outcome == UNAVAILABLE
        self.check(on_small_disk, token, attempts, disk, tmp_path)

    def test_a_read_only_file_is_503(self, on_small_disk: Api, disk: Path, tmp_path: Path) -> None:
        token = token_of("alice")
        with load(on_small_disk, token) as attempts:
            wait_for_writes(attempts, 20)
        (disk / "db.sqlite3").chmod(0o444)
        with load(on_small_disk, token) as meanwhile:
            wait_for_refusals(meanwhile, 20)
            reads = [on_small_disk.get("/api/todos/", token) for _ in range(10)]
        for file in disk.iterdir():  # SQLite gives its other files the same mode
            file.chmod(0o644)
        with load(on_small_disk, token) as afterwards:
            wait_for_writes(afterwards, 20)
        assert {read.status for read in reads} == {200}
        assert {*outcomes(meanwhile)} == {UNAVAILABLE}
        self.check(on_small_disk, token, attempts + meanwhile + afterwards, disk, tmp_path)

    def test_a_read_only_file_system_is_503(
        self, on_small_disk: Api, disk: Path, tmp_path: Path, mount_point: Path
    ) -> None:
        token = token_of("alice")
        with load(on_small_disk, token) as attempts:
            wait_for_writes(attempts, 20)
        remount(on_small_disk, mount_point, "ro")
        with load(on_small_disk, token) as meanwhile:
            wait_for_refusals(meanwhile, 20)
        remount(on_small_disk, mount_point, "rw")
        with load(on_small_disk, token) as afterwards:
            wait_for_writes(afterwards, 20)
        assert {*outcomes(meanwhile)} == {UNAVAILABLE}
        self.check(on_small_disk, token, attempts + meanwhile + afterwards, disk, tmp_path)

    def check(
        self, api: Api, token: str, attempts: list[Attempt], disk: Path, directory: Path
    ) -> None:
        note(attempts)
        assert_answered_or_unavailable(attempts)
        assert_kept(api, token, attempts)
        assert_repeatable(api, token, attempts, within=beside(api))
        for file in disk.iterdir():
            shutil.copy(file, directory)
        with closing(sqlite3.connect(directory / "db.sqlite3")) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert "Traceback" not in api.log()


class TestFolderOfMetrics:
    """Workers count in files that are mapped into memory."""

    def test_a_full_folder_kills_no_worker(self, counting: Api, mount_point: Path) -> None:
        token = token_of("alice")
        fill(Path(f"/proc/{counting.pid}/root{mount_point}/ballast"))
        for path in ("/api/todos/", "/api/me/", "/api/", "/api/schema/", "/nowhere", "/"):
            for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
                counting.send(method, path, token)
        workers = counting.workers()
        assert counting.get("/metrics", METRICS_TOKEN).status == 200
        assert counting.workers() == workers
        assert "Unexpected exit" not in counting.log()

    def test_a_removed_folder_stops_counting_and_no_worker(
        self, counting: Api, mount_point: Path
    ) -> None:
        token, before = token_of("alice"), counting.workers()
        for folder in Path(f"/proc/{counting.pid}/root{mount_point}").glob("todos-metrics-*"):
            shutil.rmtree(folder)
        os.kill(before[0], signal.SIGKILL)
        wait_until(lambda: "Nothing is counted: " in counting.log())
        for _ in range(20):
            assert counting.post("/api/todos/", token, {"title": "Counted or not"}).status == 201
        assert "Worker crash loop" not in counting.log()


def fill(ballast: Path) -> None:
    with ballast.open("wb", buffering=0) as file:
        for size in (1024 * 1024, 4096):
            with suppress(OSError):  # there is no space left
                while True:
                    file.write(bytes(size))


def remount(api: Api, mount_point: Path, mode: str) -> None:
    run([*beside(api), "mount", "-o", f"remount,{mode}", str(mount_point)], Path("/"), {})


def beside(api: Api) -> list[str]:
    """Return the command that runs another among the file systems of the server."""
    there = [f"--target={api.pid}", "--user", "--mount", f"--wd={PROJECT}"]
    return ["nsenter", *there, "--preserve-credentials", "--"]
