"""The server of ``make serve`` and of ``make run``: granian, with the same limits in both.

Imports nothing of this project. ``python -m config.server HOST PORT`` is the development server:
its workers load all code anew, because the process that forks them has loaded none of it.
"""

from __future__ import annotations

import resource
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from watchfiles import PythonFilter

if TYPE_CHECKING:
    from granian.server.common import AbstractServer

BASE_DIR = Path(__file__).resolve().parent.parent
# For each worker, so that connections which say nothing keep nobody out. The number of threads
# in config.asgi bounds the work.
MAX_CONNECTIONS = 16_384
SPARE_DESCRIPTORS = 256
MAX_HEADER_OCTETS = 32 * 1024
HEADER_SECONDS = 20  # also for a connection that is kept open
STOP_SECONDS = 30  # for requests that are being answered


class Sources(PythonFilter):
    """The files whose change reloads the development server. The database is none of them."""

    def __init__(self) -> None:
        super().__init__(extra_extensions=(".env", ".html", ".css"))


def server(host: str, port: int, **options: Any) -> AbstractServer[Any]:
    """Make a server of the API (https://github.com/emmett-framework/granian)."""
    return Granian(
        "server.asgi:application",
        address=host,
        port=port,
        interface=Interfaces.ASGINL,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(
            header_read_timeout=HEADER_SECONDS * 1000, max_buffer_size=MAX_HEADER_OCTETS
        ),
        websockets=False,
        workers_kill_timeout=STOP_SECONDS,
        backlog=1024,
        backpressure=MAX_CONNECTIONS,
        log_level=LogLevels.warning,
        **options,
    )


def allow_connections(count: int = MAX_CONNECTIONS) -> None:
    """Raise this process's own limit of open files as far as it may."""
    wanted = count + SPARE_DESCRIPTORS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if wanted > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def main() -> None:
    """Serve with one worker, and with another one whenever a source file has changed."""
    host, port = sys.argv[1:]
    allow_connections()
    development = server(
        host,
        int(port),
        reload=True,
        reload_paths=[BASE_DIR],
        reload_filter=Sources,
        reload_ignore_worker_failure=True,  # a typing mistake is mended, and loaded anew
    )
    development.on_reload(lambda: print("A file has changed: loading it.", flush=True))
    development.serve()


if __name__ == "__main__":
    main()
