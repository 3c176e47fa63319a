"""Put a server under load with wrk."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from benchmarks.installed import BENCHMARKS, CannotRun, wrk

THREADS = 2
TIMEOUT_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Measurement:
    """``cpu_ms`` is the processor time of the server for one request."""

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float
    mean_ms: float
    cpu_ms: float = 0.0

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds


def write_requests(folder: Path, name: str, requests: Iterable[bytes]) -> Path:
    path = folder / f"{name}-{next(_numbers)}"
    path.write_bytes(b"".join(each + b"\0" for each in requests))
    return path


def measure(port: int, requests: Path, *, connections: int, seconds: float) -> Measurement:
    """Send the requests over and over. Raises ``CannotRun`` if one fails."""
    threads = min(THREADS, connections)
    command = [
        wrk(),
        f"-t{threads}",
        f"-c{connections}",
        f"-d{seconds}s",
        f"--timeout={TIMEOUT_SECONDS}s",
        f"--script={BENCHMARKS / 'load.lua'}",
        f"http://127.0.0.1:{port}",
        "--",
        str(requests),
        str(threads),
    ]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    counted = json.loads(output.splitlines()[-1])
    refused, broken = counted.pop("refused"), counted.pop("broken")
    if refused or broken:
        raise CannotRun(
            f"{requests.name}: of {counted['requests']} requests {refused} got an error and "
            f"{broken} no answer: run fewer --connections, or look at the server."
        )
    return Measurement(**counted)


_numbers = count(1)
