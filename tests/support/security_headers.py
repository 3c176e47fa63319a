"""The security headers of every response."""

from __future__ import annotations

from typing import Any

OF_JSON = "default-src 'none'; frame-ancestors 'none'"
EVERYWHERE = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), "
    "payment=(), usb=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
HSTS = "max-age=31536000"


def assert_guarded(response: Any, *, status: int, policy: str = OF_JSON) -> None:
    assert response.status_code == status
    found = {name: response.headers.get(name) for name in EVERYWHERE}
    assert found == EVERYWHERE
    assert response.headers.get("Content-Security-Policy") == policy
