"""What a URL says about where it leads."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

DEFAULT_PORTS = {"http": 80, "https": 443}


def split_url(url: str) -> SplitResult | None:
    """The parts of an http or https URL with a host and without a user, or ``None``."""
    try:
        parts = urlsplit(url)
        valid = parts.scheme in DEFAULT_PORTS and parts.hostname and parts.port != 0
    except ValueError:
        return None
    return parts if valid and parts.username is None else None


def origin_of(url: str) -> str:
    """As a browser's ``URL.origin``: lower case, and no port where it is the scheme's own.

    Empty where ``url`` is no URL.
    """
    parts = split_url(url)
    if parts is None:
        return ""
    host = f"[{parts.hostname}]" if "[" in parts.netloc else parts.hostname
    if parts.port and parts.port != DEFAULT_PORTS[parts.scheme]:
        host = f"{host}:{parts.port}"
    return f"{parts.scheme}://{host}"


def is_loopback(parts: SplitResult) -> bool:
    if parts.hostname == "localhost":
        return True
    try:
        return ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False
