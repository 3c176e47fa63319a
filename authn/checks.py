"""System checks: what ``manage.py check`` says about the ``BETTER_AUTH_*`` settings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core import checks

from authn.conf import AuthnConfig
from authn.mistakes import mistakes_in
from authn.origins import is_plain_http


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
    if not is_plain_http(issuer):
        return []
    return [
        checks.Warning(
            f"The issuer is {issuer}: over http anybody on the way can take the tokens it gives.",
            hint="Serve Better Auth over https, and say so in BETTER_AUTH_URL or "
            "BETTER_AUTH_ISSUER, and in its own baseURL.",
            id="authn.W009",
        )
    ]


def check_key_set(
    *,
    app_configs: Sequence[AppConfig] | None,
    **kwargs: Any,
) -> list[checks.CheckMessage]:
    """BETTER_AUTH_ALLOW_HTTP and DEBUG let this pass. Without them it is a mistake."""
    config = AuthnConfig.from_settings()
    allowed = config.key_set_algorithms and config.plain_http_allowed
    if not allowed or not is_plain_http(config.key_set_url):
        return []
    return [
        checks.Warning(
            "The key set is fetched over plain http: anybody on the way can replace it, and then "
            "sign in as anybody.",
            hint="Use https and unset BETTER_AUTH_ALLOW_HTTP, unless this server and the issuer "
            "share a network that nobody else can reach.",
            id="authn.W010",
        )
    ]
