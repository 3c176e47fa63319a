"""Reads URLs as browsers (https://url.spec.whatwg.org) and Better Auth read them."""

from __future__ import annotations

import re
import unicodedata
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import SplitResult, unquote, urlsplit

DEFAULT_PORTS = {"http": 80, "https": 443}
BASE_PATH = "/api/auth"  # of a Better Auth whose base URL is an origin alone

AUTHORITY = re.compile(
    r"(?:\[(?P<ipv6>[0-9A-Fa-f:.]+)\]|(?P<name>[^\[\]:@]+))(?::(?P<port>[0-9]*))?"
)
HOST_NAME = re.compile(r"[a-z0-9_*-]+(?:\.[a-z0-9_*-]+)*\.?")
# A browser takes a host for an IPv4 address that ends like this, whatever comes before.
ENDS_IN_A_NUMBER = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)\.?")
REST = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*")  # RFC 3986 sections 3.3 to 3.5


def split_url(url: str) -> SplitResult | None:
    """The parts of an http or https URL with a host and without a user, or ``None``.

    The authority is as ``URL.origin`` of a browser writes it: lower case, IDNA, and no port
    where it is the scheme's own. ``None`` also where this reading and a browser's could differ:
    a browser repairs backslashes, spaces, dot segments, ``https:///host`` and ``http://127.1``.
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
    """The ``URL.origin`` of a browser. Empty where ``url`` is no URL."""
    parts = split_url(url)
    return f"{parts.scheme}://{parts.netloc}" if parts else ""


def base_url(url: str) -> str:
    """The address that Better Auth's routes begin with, for what its ``baseURL`` is set to.

    A path is the base path; an origin alone has ``/api/auth``. Empty where ``url`` is no URL,
    or has a query or a fragment.
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
    """Tell http elsewhere from https and loopback: anybody on the way can read and change it."""
    parts = split_url(url)
    return parts is not None and parts.scheme == "http" and not is_loopback(parts)


def _authority(parts: SplitResult) -> str:
    """Raises ``ValueError`` for a scheme, host or port that is none."""
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
    if address.ipv4_mapped:  # Python 3.13 writes it another way than browsers do
        raise ValueError
    return str(address)


def _host_name(name: str) -> str:
    host = name.lower() if name.isascii() else _in_ascii(name)
    if not HOST_NAME.fullmatch(host):
        raise ValueError
    return str(IPv4Address(host)) if ENDS_IN_A_NUMBER.fullmatch(host) else host


def _in_ascii(name: str) -> str:
    """Encode by IDNA 2003, which is what Python has.

    Browsers keep some characters that it replaces: ``faß`` is not ``fass`` to them. Such names
    are refused; their ``xn--`` form is ASCII already.
    """
    encoded = name.encode("idna")
    if encoded.decode("idna") != unicodedata.normalize("NFKC", name).lower():
        raise ValueError
    return encoded.decode("ascii")
