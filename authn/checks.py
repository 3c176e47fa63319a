"""System checks: what ``manage.py check`` says about the ``BETTER_AUTH_*`` settings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.apps import AppConfig
from django.core import checks

from authn.conf import AuthnConfig
from authn.exceptions import KeySetInvalid
from authn.fetching import proxy_for
from authn.mistakes import mistakes_in
from authn.origins import is_plain_http, split_url


def check_configuration(
    *,
    app_configs: Sequence[AppConfig] | None,
    **kwargs: Any,
) -> list[checks.CheckMessage]:
    config = AuthnConfig.from_settings()
    return [
        *(checks.Error(each.message, hint=each.hint, id=each.id) for each in mistakes_in(config)),
        *_unusable_proxy(config),
    ]


def _unusable_proxy(config: AuthnConfig) -> Iterator[checks.CheckMessage]:
    """No request would find keys. A proxy of another protocol is for other programs."""
    parts = split_url(config.key_set_url)
    if parts is None or not config.key_set_algorithms:
        return
    try:
        proxy_for(parts)
    except KeySetInvalid as reason:
        yield checks.Error(
            f"The key set cannot be fetched: {reason}.",
            hint="Name a proxy as http://proxy.example.com:3128, or the issuer in NO_PROXY.",
            id="authn.E011",
        )


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
