"""The WSGI application. Refuses to load without a way to verify tokens, or with a public DEBUG."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"

_django = get_wsgi_application()

from api.bodies.headers import drop_unreadable_headers  # noqa: E402
from authn.conf import get_verifier  # noqa: E402
from operations.checks import debug_with_public_hosts  # noqa: E402

get_verifier()
for error in debug_with_public_hosts():
    raise ImproperlyConfigured(f"{error.msg} {error.hint}")


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    drop_unreadable_headers(environ)
    response = _django(environ, start_response)
    if environ["REQUEST_METHOD"] == "HEAD":
        # Some servers send the body, which the client takes for the next response.
        response.close()
        return []
    return response
