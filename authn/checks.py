"""System checks: what ``manage.py check`` says about the ``BETTER_AUTH_*`` settings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core import checks

from authn.conf import AuthnConfig
from authn.mistakes import mistakes_in
from authn.origins import is_loopback, split_url


def check_configuration(
    *,
    app_configs: Sequence[AppConfig] | None,
    **kwargs: Any,
) -> list[checks.CheckMessage]:
    return [
        checks.Error(mistake.message, hint=mistake.hint, id=mistake.id)
        for mistake in mistakes_in(AuthnConfig.from_settings())
    ]


def check_issuer(
    *,
    app_configs: Sequence[AppConfig] | None,
    **kwargs: Any,
) -> list[checks.CheckMessage]:
    """A name is only compared, so that this is no mistake that could let anybody in."""
    issuer = AuthnConfig.from_settings().expected_issuer
    parts = split_url(issuer)
    if parts is None or parts.scheme != "http" or is_loopback(parts):
        return []
    return [
        checks.Warning(
            f"The issuer is {issuer}: over http anybody on the way can take the tokens it gives.",
            hint="Serve Better Auth over https, and say so in BETTER_AUTH_URL or "
            "BETTER_AUTH_ISSUER, and in its own baseURL.",
            id="authn.W009",
        )
    ]
