"""The WSGI application. Refuses to load without a way to verify tokens, or with a public DEBUG."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application
from django.utils.http import parse_header_parameters

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

MAX_ACCEPT_CHARACTERS = 1000  # the time to parse it grows with the square of its length

os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"

_django = get_wsgi_application()

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


def drop_unreadable_headers(environ: WSGIEnvironment) -> None:
    """Drop a media type that Django's parser raises on, such as ``x*=nonsense''y``.

    Django parses ``Content-Type`` before any middleware, where an error has no answer. A charset
    in it would decode the query string. Nothing here reads its parameters, because JSON is UTF-8
    (RFC 8259 section 8.1).
    """
    if "CONTENT_TYPE" in environ:
        environ["CONTENT_TYPE"] = environ["CONTENT_TYPE"].partition(";")[0]
    if "HTTP_ACCEPT" in environ and not _is_readable(environ["HTTP_ACCEPT"]):
        del environ["HTTP_ACCEPT"]


def _is_readable(accept: str) -> bool:
    if not accept.strip() or len(accept) > MAX_ACCEPT_CHARACTERS:
        return False
    try:
        for media_type in accept.split(","):
            parse_header_parameters(media_type)
    except (ValueError, TypeError):
        return False
    return True
