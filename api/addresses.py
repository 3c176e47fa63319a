"""Whose request it is, as far as an address can tell."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from django.conf import settings
from django.http import HttpRequest


def client_of(request: HttpRequest) -> str:
    """The address that a client is counted by: an IPv4 address, or the /64 of an IPv6 one.

    Each of the ``NUM_PROXIES`` trusted proxies has put the address that it was called from at the
    right end of ``X-Forwarded-For``. What is further left was written by the client.
    """
    peer: str = request.META.get("REMOTE_ADDR", "")
    address = _forwarded(request) or _parsed(peer)
    if isinstance(address, IPv6Address):
        # Every subscriber has a whole /64 to choose addresses from (RFC 6177).
        return str(IPv6Network((int(address), 64), strict=False))
    return str(address or peer)  # the peer at a Unix socket has no address


def _forwarded(request: HttpRequest) -> IPv4Address | IPv6Address | None:
    number: int = settings.NUM_PROXIES
    entries = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    return _parsed(entries[-number].strip()) if 0 < number <= len(entries) else None


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
