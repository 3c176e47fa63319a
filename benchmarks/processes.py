"""Servers as processes, and what they cost."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.installed import PROJECT, CannotRun, plain_environment

START_SECONDS = 60
STOP_SECONDS = 10


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@dataclass(frozen=True, slots=True)
class Process:
    """A server, with all that it starts in a session of its own."""

    pid: int

    def members(self) -> list[int]:
        """It and its descendants that run."""
        pids = (int(path.name) for path in Path("/proc").glob("[0-9]*"))
        return [pid for pid in pids if _session(pid) == self.pid]

    def cpu_seconds(self) -> float:
        """That they have used so far. The clock ticks a hundred times a second."""
        ticks = sum(sum(map(int, _stat(pid)[11:13])) for pid in self.members())
        return ticks / os.sysconf("SC_CLK_TCK")

    def resident_mib(self) -> dict[int, float]:
        """Of each of them."""
        page = os.sysconf("SC_PAGE_SIZE")
        return {pid: int(_stat(pid)[21]) * page / 2**20 for pid in self.members()}


@contextmanager
def running(
    command: Sequence[str],
    environment: Mapping[str, str],
    *,
    log: Path,
    is_ready: Callable[[], bool],
) -> Iterator[Process]:
    """Until the block ends. Starts when it is ready, or raises ``CannotRun`` with its log."""
    with log.open("wb") as output:
        started = subprocess.Popen(
            command,
            cwd=PROJECT,
            env={**plain_environment(), **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        wait_until(is_ready, started, log)
        yield Process(started.pid)
    finally:
        started.terminate()
        with suppress(subprocess.TimeoutExpired):
            started.wait(STOP_SECONDS)
        with suppress(ProcessLookupError):
            os.killpg(started.pid, signal.SIGKILL)
        started.wait()


def wait_until(is_ready: Callable[[], bool], started: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not is_ready():
        if started.poll() is not None or time.monotonic() > deadline:
            raise CannotRun(f"A server did not start:\n{log.read_text()[-4000:]}")
        time.sleep(0.01)


def _stat(pid: int) -> list[str]:
    """The fields of proc(5) behind the name, from the state on; zeros where it has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ["0"] * 50


def _session(pid: int) -> int:
    return int(_stat(pid)[3])
