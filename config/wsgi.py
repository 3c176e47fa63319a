"""What a server serves. Refuses to load where no token could be verified, or with public DEBUG."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.cache import close_caches
from django.core.exceptions import ImproperlyConfigured
from django.core.handlers.base import reset_urlconf
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, reset_queries

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"

_django = get_wsgi_application()

from api.bodies.headers import drop_unreadable_headers  # noqa: E402
from authn.conf import get_verifier  # noqa: E402
from operations.checks import debug_with_public_hosts  # noqa: E402 - needs the settings

get_verifier()
for error in debug_with_public_hosts():
    raise ImproperlyConfigured(f"{error.msg} {error.hint}")

# Around every request, and for nothing: no cache here has anything to close after it, the next
# request sets its own routes, a connection to the database is looked at after a request and
# before its first statement, and queries are kept with DEBUG only.
request_finished.disconnect(close_caches)
request_finished.disconnect(reset_urlconf)
request_started.disconnect(close_old_connections)
if not settings.DEBUG:
    request_started.disconnect(reset_queries)


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    drop_unreadable_headers(environ)
    response = _django(environ, start_response)
    if environ["REQUEST_METHOD"] == "HEAD":
        # Not every server leaves the body out, and one that is sent reads as the next answer.
        response.close()
        return []
    return response
