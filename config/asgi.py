"""What ``make serve`` serves, in each of its workers."""

from __future__ import annotations

import gc

from django.conf import settings
from django.urls import resolve

from config.gateway import Gateway
from config.wsgi import application as wsgi_application

THREADS = 4  # of each worker for requests, and so its connections to the database, but one
BODY_SECONDS = 30  # for all of a request's body to arrive

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
