"""A request as ASGI has it -> a call of a WSGI application (PEP 3333) -> its answer, as a whole."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable, MutableMapping
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

Headers = list[tuple[str, str]]
Answer = tuple[int, Headers, bytes]  # its status, header fields and body

# The names under which CGI has two header fields.
PLAIN = {"CONTENT_TYPE", "CONTENT_LENGTH"}


def environ_of(scope: MutableMapping[str, Any]) -> dict[str, Any]:
    """The environ of a request, as long as it has no body."""
    path, (host, port) = scope["raw_path"].partition(b"?")[0], scope["server"]
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": host,
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": scope["client"][0],
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        **_header_fields(scope["headers"]),
    }
    set_body(environ, b"")
    return environ


def set_body(environ: dict[str, Any], body: bytes, *, max_octets: int = 0) -> None:
    """Give a request its body, or only the length of one that is too large.

    The application refuses that when it reads it, and knows by then who is asking.
    """
    environ["CONTENT_LENGTH"] = str(len(body))
    environ["wsgi.input"] = io.BytesIO(body if len(body) <= max_octets else b"")


def _header_fields(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """A field that comes twice is one, as a list (RFC 9110 section 5.3)."""
    fields: dict[str, str] = {}
    for name, value in headers:
        if b"_" in name:
            continue  # would pass for another field, such as one that only a proxy may set
        key = name.decode("latin-1").upper().replace("-", "_")
        key = key if key in PLAIN else f"HTTP_{key}"
        text = value.decode("latin-1")
        separator = "; " if key == "HTTP_COOKIE" else ","
        fields[key] = f"{fields[key]}{separator}{text}" if key in fields else text
    return fields


def call(wsgi: WSGIApplication, environ: dict[str, Any]) -> Answer:
    started: list[tuple[str, Headers]] = []

    def start_response(status: str, headers: Headers, exc_info: Any = None) -> Any:
        started[:] = [(status, headers)]

    chunks = wsgi(environ, start_response)
    try:
        body = b"".join(chunks)
    finally:
        if close := getattr(chunks, "close", None):
            close()
    [(status, headers)] = started
    return int(status[:3]), headers, body
