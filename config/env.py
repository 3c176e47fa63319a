"""The environment, and under it the file ``.env``: what the settings are made of.

A blank value counts as unset. ``os.environ`` is not filled from the file: what this process
starts would inherit that.
"""

from __future__ import annotations

import os
import re
from ipaddress import IPv6Address
from pathlib import Path
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

from authn.origins import DEFAULT_PORTS, origin_of
from config import connections
from config.dotenv import read_dotenv

BASE_DIR = Path(__file__).resolve().parent.parent
WINDOW_SECONDS = {"s": 1, "min": 60, "h": 3600}
FALSE = ("false", "off", "no", "n", "0")
NAME = r"[a-z0-9_-]+(\.[a-z0-9_-]+)*"
ORIGIN = rf"(?P<scheme>[a-z][a-z0-9+.-]*)://(?P<sub>\*\.)?(?P<host>{NAME}|\[[0-9a-f:.]+\])(:(?P<port>[0-9]{{1,5}}))?"
PATH = r"(?P<path>(/(?!\.{1,2}(/|$))[\w.~-]+)*)"
# Origins that django-cors-headers takes besides those with a host, and its word for all of them.
ORIGINS_WITHOUT_HOST = ("*", "null", "file://")
# The suite must not depend on a developer's file.
_file = {} if "PYTEST_VERSION" in os.environ else read_dotenv(BASE_DIR / ".env")
ENVIRONMENT = {**_file, **os.environ}


def text(name: str, default: str = "") -> str:
    return ENVIRONMENT.get(name) or default


def items(name: str) -> list[str]:
    """A comma list. Spaces around its items do not count."""
    return [item.strip() for item in text(name).split(",") if item.strip()]


def flag(name: str, *, default: bool = False) -> bool:
    """A typing mistake opens nothing, and is told."""
    value = text(name).strip().lower()
    if value and value not in (*environ.Env.BOOLEAN_TRUE_STRINGS, *FALSE):
        raise ImproperlyConfigured(f"{name} must be true or false.")
    return value in environ.Env.BOOLEAN_TRUE_STRINGS if value else default


def whole_number(
    name: str, default: int, *, minimum: int | None = None, maximum: int | None = None
) -> int:
    value = text(name, str(default))
    if not re.fullmatch("-?[0-9]{1,9}", value):
        raise ImproperlyConfigured(f"{name} must be a whole number.")
    if minimum is not None and int(value) < minimum:
        raise ImproperlyConfigured(f"{name} must be {minimum} or more.")
    if maximum is not None and int(value) > maximum:
        raise ImproperlyConfigured(f"{name} must be {maximum} or less.")
    return int(value)


def rate(name: str, default: str) -> tuple[int, int]:
    """``"600/min"`` -> how many, and in how many seconds."""
    match = re.fullmatch("([1-9][0-9]{0,8})/(s|min|h)", text(name, default))
    if not match:
        raise ImproperlyConfigured(f"{name} must be a number and a time: N/s, N/min or N/h.")
    return int(match[1]), WINDOW_SECONDS[match[2]]


def secret(name: str) -> str:
    """What a client sends after ``Bearer`` (RFC 6750 section 2.1), too long to be guessed."""
    value = text(name)
    if value and not re.fullmatch("[A-Za-z0-9._~+/-]{32,}=*", value):
        raise ImproperlyConfigured(
            f"{name} must be 32 characters or more, of letters, digits and - . _ ~ + / only."
        )
    return value


def choice(name: str, *, of: tuple[str, ...], default: str) -> str:
    value = text(name, default).strip().upper()
    if value not in of:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(of)}.")
    return value


def hosts(name: str) -> list[str]:
    """Names as Django compares them with a ``Host``: without a scheme, a port or a path."""
    found = items(name)
    # Django takes no underscore in a Host, whatever is allowed.
    pattern = re.compile(
        rf"\*|\.?{NAME.replace('_', '')}|\[[0-9a-f:.]+\]", re.IGNORECASE | re.ASCII
    )
    for number, host in enumerate(found, start=1):
        if not pattern.fullmatch(host):
            raise ImproperlyConfigured(
                f"{name} must be names without scheme, port and path, as todos.example.com, or "
                f".example.com with all its subdomains: number {number} matches no request."
            )
    return found


def public_url(name: str) -> tuple[str, str]:
    """The origin, and the path without its trailing slash; both empty where it is unset."""
    url = text(name).strip()
    if not url:
        return "", ""
    match = re.fullmatch(f"{ORIGIN}{PATH}/?", url, re.IGNORECASE | re.ASCII)
    if not match or match["sub"] or match["scheme"].lower() not in DEFAULT_PORTS:
        raise ImproperlyConfigured(
            f"{name} must be http:// or https://, a host and perhaps a path, as "
            "https://app.example.com/backend: no user, query or fragment."
        )
    return _as_browsers_write(name, match), match["path"]


def origins(name: str) -> tuple[list[str], list[str]]:
    """Origins as a browser writes them, and patterns for those of subdomains."""
    exact, patterns = [], []
    for number, item in enumerate(items(name), start=1):
        match = re.fullmatch(f"{ORIGIN}/?", item, re.IGNORECASE | re.ASCII)
        if item in ORIGINS_WITHOUT_HOST:
            exact.append(item)
        elif not match or (match["sub"] and not _has_subdomains(match["host"])):
            raise ImproperlyConfigured(
                f"{name} must be origins as a browser sends them, as https://app.example.com, "
                "https://*.example.com or https://xn--bcher-kva.example, without a path: "
                f"number {number} is none."
            )
        elif match["sub"]:
            scheme, _, rest = _as_browsers_write(name, match).partition("://")
            patterns.append(rf"^{scheme}://([a-z0-9_-]+\.)+{re.escape(rest)}\Z")
        else:
            exact.append(_as_browsers_write(name, match))
    return exact, patterns


def _has_subdomains(host: str) -> bool:
    """Refuse ``https://*.com``: every site of the world would match."""
    return host == "localhost" or ("." in host and not host[-1].isdigit())


def _as_browsers_write(name: str, match: re.Match[str]) -> str:
    """In lower case, and without the port that the scheme has by itself."""
    scheme, host, port = match["scheme"].lower(), match["host"].lower(), match["port"]
    if port and not 0 < int(port) < 2**16:
        raise ImproperlyConfigured(f"{name} has a port that is none.")
    if host.startswith("["):
        try:
            host = f"[{IPv6Address(host[1:-1])}]"
        except ValueError:
            raise ImproperlyConfigured(f"{name} has an IPv6 address that is none.") from None
    is_needed = port and int(port) != DEFAULT_PORTS.get(scheme)
    origin = f"{scheme}://{host}:{int(port)}" if is_needed else f"{scheme}://{host}"
    if scheme in DEFAULT_PORTS and origin_of(origin) != origin:  # such as https://127.1
        raise ImproperlyConfigured(f"{name} has a host that a browser writes otherwise.")
    return origin


def database(name: str, *, default: Path) -> dict[str, Any]:
    return connections.database(name, text(name), default=default)


def cache(name: str) -> dict[str, Any]:
    return connections.cache(name, text(name))
