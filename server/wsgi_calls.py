"""Call a WSGI application (PEP 3333) with a whole ASGI request, and return the whole answer."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable, MutableMapping
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

Headers = list[tuple[str, str]]
Answer = tuple[int, Headers, bytes]  # status, header fields and body

# CGI writes these two without HTTP_.
PLAIN = {"CONTENT_TYPE", "CONTENT_LENGTH"}


def environ_of(scope: MutableMapping[str, Any]) -> dict[str, Any]:
    """Return the environ of a request without a body."""
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
    """Add a body to a request, or only the length of a body that is too large.

    The application reads the length after it has verified the token, and refuses the body.
    """
    environ["CONTENT_LENGTH"] = str(len(body))
    environ["wsgi.input"] = io.BytesIO(body if len(body) <= max_octets else b"")


def _header_fields(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Join the values of a repeated field (RFC 9110 section 5.3)."""
    fields: dict[str, str] = {}
    for name, value in headers:
        if b"_" in name:
            continue  # X_Forwarded_For would pass for X-Forwarded-For, which only a proxy may set
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
