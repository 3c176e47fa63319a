"""What ``make serve`` serves, in each of its workers."""

from __future__ import annotations

import gc
from contextlib import suppress
from ctypes import CDLL

from django.conf import settings
from django.urls import resolve

from config.wsgi import application as wsgi_application
from server.gateway import Gateway

THREADS = 4  # of each worker for requests, and so its connections to the database, but one
BODY_SECONDS = 30  # for all of a request's body to arrive
M_MMAP_THRESHOLD, LARGE_OCTETS = -3, 32 * 1024  # of mallopt(3)

# glibc keeps what a thread frees for its next request. A page of the longest todos would leave
# 50 MiB to each thread. Values from this size on go back to the system. musl has no such call.
with suppress(AttributeError):
    CDLL(None).mallopt(M_MMAP_THRESHOLD, LARGE_OCTETS)

application = Gateway(
    wsgi_application,
    threads=THREADS,
    max_body_octets=settings.DATA_UPLOAD_MAX_MEMORY_SIZE,
    body_seconds=BODY_SECONDS,
)

resolve("/")  # loads every view now, and not in the first request
# What is loaded stays. Without this, a look through all of it for what may go would stop every
# thread for tens of milliseconds, once in a thousand requests.
gc.collect()
gc.freeze()
