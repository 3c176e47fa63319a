"""Typed readers of the environment and of the file that ``ENV_FILE`` names.

A variable of the environment overrides the same one in the file, and a blank value counts as
unset. The file does not change ``os.environ``, which child processes inherit.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Mapping
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from dotenv.parser import parse_stream
from environ import Env

from authn.origins import split_url

BASE_DIR = Path(__file__).resolve().parent.parent
WINDOW_SECONDS = {"s": 1, "min": 60, "h": 3600}
BOOLEANS = {*Env.BOOLEAN_TRUE_STRINGS, "false", "off", "no", "n", "0"}
# Values that npm's dotenv and Node read like python-dotenv. Those end a value at any #, have
# backticks as a third quote, and know no escapes but \n and \r.
ALIKE = re.compile(
    r"""\s*('([^'\\]|\\[^'\\])*'\s*(#.*)?|"([^"\\]|\\[nr])*"\s*(#.*)?"""
    r"""|([^\s'"`#][^#]*)?((?<=\s)#.*)?)\s*"""
)
NAME = "[a-z0-9_-]+([.][a-z0-9_-]+)*"
ORIGIN_OF_AN_APP = re.compile(
    f"(?ai)(?P<host>(?!https?:)[a-z][a-z0-9+.-]*://{NAME})(:(?P<port>[0-9]{{1,5}}))?"
)
PUBLIC_URL = re.compile(r"(?ai)(https?://[^/]*)((/(?!\.{1,2}(/|$))[\w.~-]+)*)/?")
# django-cors-headers accepts these origins as they are.
ORIGINS_WITHOUT_HOST = ("*", "null", "file://")


def read_env_file(path: Path) -> dict[str, str]:
    """Return what a file of ``NAME=value`` lines sets.

    Raises ``ImproperlyConfigured`` with the number of a line that sets nothing, or that the
    front end's tools read differently. The error quotes no line, because it may hold a secret.
    """
    try:
        content = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ImproperlyConfigured(
            f"ENV_FILE {path} cannot be read ({error.strerror}): name another file, or leave the "
            "value blank to read none."
        ) from None
    except UnicodeDecodeError:
        raise ImproperlyConfigured(f"ENV_FILE {path} is not in UTF-8: save it in UTF-8.") from None
    values = {}
    for binding in parse_stream(io.StringIO(content)):
        source = binding.original.string
        blank = source[: len(source) - len(source.lstrip())]
        line = binding.original.line + blank.count("\n")
        if binding.key is None and not binding.error:
            continue
        if binding.key is None or binding.value is None:
            raise ImproperlyConfigured(f"Line {line} of {path} is not NAME=value: correct it.")
        if not ALIKE.fullmatch(source.partition("=")[2]):
            raise ImproperlyConfigured(
                f"Line {line} of {path} has a value that other tools read differently: put it in "
                "single quotes, and choose one without quotes, backticks and backslashes."
            )
        values[binding.key] = binding.value
    return values


def environment_of(process: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of a process, over those of the file that its ``ENV_FILE`` names."""
    default = BASE_DIR / ".env"
    name = process.get("ENV_FILE", str(default) if default.exists() else "")
    return {**(read_env_file(Path(name)) if name else {}), **process}


ENVIRONMENT = environment_of(os.environ)


def text(name: str, default: str = "") -> str:
    """Read to the letter: django-environ takes a value with a leading ``$`` for a reference."""
    return ENVIRONMENT.get(name) or default


def items(name: str) -> list[str]:
    """Read a comma list, without the spaces around its items."""
    return [item.strip() for item in text(name).split(",") if item.strip()]


def boolean(value: str) -> bool:
    """Raise ``ValueError`` for a typing mistake, which django-environ takes for ``False``."""
    if value.strip().lower() not in BOOLEANS:
        raise ValueError
    return bool(Env.parse_value(value, bool))


def flag(name: str, *, default: bool = False) -> bool:
    value = text(name).strip()
    try:
        return boolean(value) if value else default
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be true or false.") from None


def whole_number(name: str, default: int, *, allowed: range) -> int:
    value = text(name, str(default))
    # Python also reads 1_0, +5 and digits of other scripts.
    if not re.fullmatch("-?[0-9]{1,9}", value) or int(value) not in allowed:
        raise ImproperlyConfigured(
            f"{name} must be a whole number from {allowed[0]} to {allowed[-1]}."
        )
    return int(value)


def rate(name: str, default: str) -> tuple[int, int]:
    """Read ``"600/min"`` as 600 requests in 60 seconds."""
    match = re.fullmatch("([1-9][0-9]{0,8})/(s|min|h)", text(name, default))
    if not match:
        raise ImproperlyConfigured(f"{name} must be a number and a time: N/s, N/min or N/h.")
    return int(match[1]), WINDOW_SECONDS[match[2]]


def secret(name: str) -> str:
    """Read a Bearer token (RFC 6750 section 2.1) that is too long to be guessed."""
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
    """Read names as Django compares them with a ``Host``: without scheme, port and path."""
    # Django accepts no underscore in a Host.
    pattern = rf"\*|\.?{NAME.replace('_', '')}|\[[0-9a-f:.]+\]"
    for number, host in enumerate(items(name), start=1):
        if not re.fullmatch(pattern, host, re.IGNORECASE | re.ASCII):
            raise ImproperlyConfigured(
                f"Item {number} of {name} is not a host: write it like todos.example.com, or "
                ".example.com for all subdomains, without scheme, port and path."
            )
    return items(name)


def public_url(name: str) -> tuple[str, str]:
    """Return the origin and the path without its trailing slash; both empty if unset."""
    url = text(name).strip()
    match = PUBLIC_URL.fullmatch(url)
    origin = browser_origin(match[1]) if match else ""
    if url and not origin:
        raise ImproperlyConfigured(
            f"{name} must be http:// or https://, a host and perhaps a path, as "
            "https://app.example.com/backend: no user, query or fragment."
        )
    return origin, match[2] if match else ""


def origins(name: str) -> tuple[list[str], list[str]]:
    """Return origins as browsers write them, and patterns for those of subdomains."""
    exact, patterns = [], []
    for number, item in enumerate(items(name), start=1):
        scheme, wildcard, domain = item.partition("://*.")
        origin = browser_origin(f"{scheme}://{domain}" if wildcard else item)
        if not origin or (wildcard and not _has_subdomains(origin)):
            raise ImproperlyConfigured(
                f"Item {number} of {name} is not an origin: write it like "
                "https://app.example.com, without a path."
            )
        if wildcard:
            scheme, _, domain = origin.partition("://")
            patterns.append(rf"^{scheme}://([a-z0-9_-]+\.)+{re.escape(domain)}\Z")
        else:
            exact.append(origin)
    return exact, patterns


def browser_origin(url: str) -> str:
    """Return an origin as browsers write it; empty if no browser sends it."""
    if url in ORIGINS_WITHOUT_HOST:
        return url
    url = url.removesuffix("/")
    if app := ORIGIN_OF_AN_APP.fullmatch(url):
        host, port = app["host"].lower(), app["port"]
        if port is None:
            return host
        return f"{host}:{int(port)}" if 0 < int(port) < 2**16 else ""
    parts = split_url(url) if re.fullmatch(r"\w+://[\w.:\[\]-]+", url, re.ASCII) else None
    if parts is None or (parts.hostname or "").endswith("."):
        return ""
    return f"{parts.scheme}://{parts.netloc}"


def _has_subdomains(origin: str) -> bool:
    """Refuse ``https://*.com``, which every site of that domain matches."""
    host = re.sub(":[0-9]+$", "", origin.partition("://")[2])
    return host == "localhost" or ("." in host and not host[-1].isdigit())
