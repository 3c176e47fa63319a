"""Make granian with the limits of this project (https://github.com/emmett-framework/granian)."""

from __future__ import annotations

import resource
from typing import TYPE_CHECKING, Any

from django.conf import settings
from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels

from server.preflight import Address

if TYPE_CHECKING:
    from granian.server.common import AbstractServer

# Per worker: idle connections keep no client out. The threads of server.asgi bound the work.
MAX_CONNECTIONS = 16_384
SPARE_DESCRIPTORS = 256
MAX_HEADER_OCTETS = 32 * 1024


def make_server(address: Address, **options: Any) -> AbstractServer[Any]:
    allow_connections()
    return Granian(
        "server.asgi:application",
        address=address.host,
        port=address.port,
        interface=Interfaces.ASGINL,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(
            header_read_timeout=settings.HEADER_SECONDS * 1000, max_buffer_size=MAX_HEADER_OCTETS
        ),
        websockets=False,
        workers_kill_timeout=settings.STOP_SECONDS,
        backlog=1024,
        backpressure=MAX_CONNECTIONS,
        log_level=LogLevels.warning,
        **options,
    )


def allow_connections() -> None:
    """Raise the limit of open files of this process as far as it may."""
    wanted = MAX_CONNECTIONS + SPARE_DESCRIPTORS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if wanted > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
