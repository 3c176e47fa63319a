from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Any

from django.conf import settings
from django.http import HttpRequest

# An address, alone or with a port, as RFC 7239 section 6 and Azure write it.
WITH_PORT = re.compile(r'"?(?:\[([0-9A-Fa-f:.]*:[^\[\]]*)\]|([0-9.]+))(?::[0-9]{1,5})?"?')
# 8 groups and the name of an interface fit. The cache below holds nothing longer.
MAX_ADDRESS_CHARACTERS = 64


def client_of(request: HttpRequest) -> str:
    return address_in(request.META)


def address_in(environ: Mapping[str, Any]) -> str:
    """Return the address that a client is counted by: IPv4, or the /64 of an IPv6 address.

    Each of the ``NUM_PROXIES`` trusted proxies adds the address of its caller to the right end of
    ``X-Forwarded-For``. The client has written everything further left.
    """
    peer: str = environ.get("REMOTE_ADDR", "")
    # The peer at a Unix socket has no address.
    return _counted(_forwarded(environ)) or _counted(peer) or peer


def _forwarded(environ: Mapping[str, Any]) -> str:
    number: int = settings.NUM_PROXIES
    entries = environ.get("HTTP_X_FORWARDED_FOR", "").split(",")
    text = entries[-number].strip() if 0 < number <= len(entries) else ""
    if len(text) > MAX_ADDRESS_CHARACTERS:
        return ""
    match = WITH_PORT.fullmatch(text)
    return match[1] or match[2] if match else text


@lru_cache(1024)
def _counted(text: str) -> str | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    address = getattr(address, "ipv4_mapped", None) or address
    if isinstance(address, IPv6Address):
        # A subscriber chooses addresses from a whole /64 (RFC 6177).
        return str(IPv6Network((int(address), 64), strict=False))
    return str(address)
