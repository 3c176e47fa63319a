from __future__ import annotations

from typing import Any

from django.utils.http import parse_header_parameters

MAX_ACCEPT_CHARACTERS = 1000  # what parsing costs grows with its square


def drop_unreadable_headers(environ: dict[str, Any]) -> None:
    """Forget what Django's parser of media types raises on, such as ``x*=nonsense''y``.

    The Content-Type is parsed while the request is being built, where nothing could turn an
    error into an answer, and a charset in it would choose how the query string is decoded.
    Nothing here reads a parameter of it: JSON is UTF-8 (RFC 8259 section 8.1).
    """
    if "CONTENT_TYPE" in environ:
        environ["CONTENT_TYPE"] = environ["CONTENT_TYPE"].partition(";")[0]
    if "HTTP_ACCEPT" in environ:
        accept = environ["HTTP_ACCEPT"]
        usable = accept.strip() and len(accept) <= MAX_ACCEPT_CHARACTERS
        if not usable or not all(map(_is_readable, accept.split(","))):
            del environ["HTTP_ACCEPT"]


def _is_readable(media_type: str) -> bool:
    try:
        parse_header_parameters(media_type)
    except (ValueError, TypeError):
        return False
    return True
