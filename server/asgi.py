"""Define the ASGI application of each worker."""

from __future__ import annotations

import gc
from contextlib import suppress
from ctypes import CDLL

from django.conf import settings
from django.urls import resolve

from config.wsgi import application as wsgi_application
from server.gateway import Gateway

M_MMAP_THRESHOLD, LARGE_OCTETS = -3, 32 * 1024  # of mallopt(3)

# Return large values to the system. glibc would keep 50 MiB for each thread after a page of the
# longest todos: slow readers of them made a worker 695 MiB large, and now 197. musl has no mallopt.
with suppress(AttributeError):
    CDLL(None).mallopt(M_MMAP_THRESHOLD, LARGE_OCTETS)

application = Gateway(
    wsgi_application,
    threads=settings.WORKER_THREADS,
    max_body_octets=settings.DATA_UPLOAD_MAX_MEMORY_SIZE,
    body_seconds=settings.BODY_SECONDS,
)

resolve("/")  # loads every view before the first request
# Exempt loaded code from garbage collection, which would stop every thread for tens of
# milliseconds once in a thousand requests.
gc.collect()
gc.freeze()
