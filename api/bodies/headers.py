from __future__ import annotations

from typing import Any

from django.utils.http import parse_header_parameters

MAX_ACCEPT_CHARACTERS = 1000  # the time to parse it grows with the square of its length


def drop_unreadable_headers(environ: dict[str, Any]) -> None:
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
