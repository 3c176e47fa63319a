"""Who may read ``/metrics``: whoever has ``METRICS_TOKEN``, which is no user's token."""

from __future__ import annotations

from hmac import compare_digest

from django.conf import settings
from django.http import HttpRequest

from authn.authentication import bearer_token

PATH = "/metrics"


def is_scrape(request: HttpRequest) -> bool:
    """Whether this is a request for the metrics, by who may read them."""
    if request.path_info != PATH:
        return False
    token, expected = bearer_token(request) or "", settings.METRICS_TOKEN
    known = compare_digest(token.encode(errors="replace"), expected.encode())
    return bool(expected) and known
