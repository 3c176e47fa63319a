"""Read URLs as browsers (https://url.spec.whatwg.org) and Better Auth do."""

from __future__ import annotations

import re
import unicodedata
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import SplitResult, unquote, urlsplit

DEFAULT_PORTS = {"http": 80, "https": 443}
BASE_PATH = "/api/auth"  # Better Auth's default for a base URL without a path

AUTHORITY = re.compile(
    r"(?:\[(?P<ipv6>[0-9A-Fa-f:.]+)\]|(?P<name>[^\[\]:@]+))(?::(?P<port>[0-9]*))?"
)
HOST_NAME = re.compile(r"[a-z0-9_*-]+(?:\.[a-z0-9_*-]+)*\.?")
# A browser reads a host with such an end as an IPv4 address.
ENDS_IN_A_NUMBER = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)\.?")
REST = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*")  # RFC 3986 sections 3.3 to 3.5


def split_url(url: str) -> SplitResult | None:
    """Split an http or https URL, with its authority as in a browser's ``URL.origin``.

    The authority is in lower case and IDNA, without the default port. Returns ``None`` for any
    other URL, for one with a user, and for one that a browser would repair: with backslashes,
    spaces, dot segments, or a host like ``127.1``.
    """
    try:
        parts = urlsplit(url.strip(" \t\r\n"))
        authority = _authority(parts)
    except ValueError:
        return None
    if not REST.fullmatch(parts.path + parts.query + parts.fragment):
        return None
    if any(unquote(segment) in (".", "..") for segment in parts.path.split("/")):
        return None
    return parts._replace(netloc=authority)


def origin_of(url: str) -> str:
    """Return the browser's ``URL.origin`` of ``url``; empty if ``url`` is invalid."""
    parts = split_url(url)
    return f"{parts.scheme}://{parts.netloc}" if parts else ""


def base_url(url: str) -> str:
    """Return the URL of Better Auth's routes for its ``baseURL``.

    A path is the base path, and an origin alone gets ``/api/auth``. Empty if ``url`` is invalid or
    has a query or a fragment.
    """
    parts = split_url(url)
    if parts is None or parts.query or parts.fragment:
        return ""
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/') or BASE_PATH}"


def is_loopback(parts: SplitResult) -> bool:
    if parts.hostname == "localhost":
        return True
    try:
        return ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False


def is_plain_http(url: str) -> bool:
    """Tell http to another machine, which the network can read and change, from other URLs."""
    parts = split_url(url)
    return parts is not None and parts.scheme == "http" and not is_loopback(parts)


def _authority(parts: SplitResult) -> str:
    """Raise ``ValueError`` for an invalid scheme, host or port."""
    match = AUTHORITY.fullmatch(parts.netloc)
    if match is None or parts.scheme not in DEFAULT_PORTS:
        raise ValueError
    host = f"[{_ipv6(match['ipv6'])}]" if match["ipv6"] else _host_name(match["name"])
    port = int(match["port"] or DEFAULT_PORTS[parts.scheme])
    if not 0 < port < 2**16:
        raise ValueError
    return host if port == DEFAULT_PORTS[parts.scheme] else f"{host}:{port}"


def _ipv6(text: str) -> str:
    address = IPv6Address(text)
    if address.ipv4_mapped:  # Python 3.13 and browsers write these differently
        raise ValueError
    return str(address)


def _host_name(name: str) -> str:
    host = name.lower() if name.isascii() else _in_ascii(name)
    if not HOST_NAME.fullmatch(host):
        raise ValueError
    return str(IPv4Address(host)) if ENDS_IN_A_NUMBER.fullmatch(host) else host


def _in_ascii(name: str) -> str:
    """Encode ``name`` by IDNA 2003, Python's version.

    It replaces characters that browsers keep, such as ``ß`` by ``ss``. A name with one of them
    must be written in its ``xn--`` form.
    """
    encoded = name.encode("idna")
    if encoded.decode("idna") != unicodedata.normalize("NFKC", name).lower():
        raise ValueError
    return encoded.decode("ascii")
