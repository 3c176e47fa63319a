"""Server processes, their processor time and memory."""

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
    """A server in a session of its own, with its descendants."""

    pid: int

    def members(self) -> list[int]:
        pids = (int(path.name) for path in Path("/proc").glob("[0-9]*"))
        return [pid for pid in pids if _session(pid) == self.pid]

    def cpu_seconds(self) -> float:
        """Sum the processor time used so far, in steps of 10 ms."""
        ticks = sum(sum(map(int, _stat(pid)[11:13])) for pid in self.members())
        return ticks / os.sysconf("SC_CLK_TCK")

    def workers_mib(self) -> str:
        """List the resident memory of each descendant."""
        pages = [int(_stat(pid)[21]) for pid in sorted(self.members()) if pid != self.pid]
        return ", ".join(f"{each * os.sysconf('SC_PAGE_SIZE') / 2**20:.0f}" for each in pages)


@contextmanager
def running(
    command: Sequence[str],
    environment: Mapping[str, str],
    *,
    log: Path,
    is_ready: Callable[[], bool],
) -> Iterator[Process]:
    """Run a server for the block. Raises ``CannotRun`` with its log if it does not start."""
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
            raise CannotRun(f"A server did not start, see its log:\n{log.read_text()[-4000:]}")
        time.sleep(0.01)


def _stat(pid: int) -> list[str]:
    """Read the fields of proc_pid_stat(5) after the name. An ended process has zeros."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ["0"] * 50


def _session(pid: int) -> int:
    return int(_stat(pid)[3])
