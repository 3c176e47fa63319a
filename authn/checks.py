"""System checks of the ``BETTER_AUTH_*`` settings."""

from __future__ import annotations

from typing import Any

from django.core import checks

from authn.conf import AuthnConfig
from authn.exceptions import KeySetInvalid
from authn.fetching import proxy_for
from authn.mistakes import mistakes_in, unreadable_values
from authn.origins import is_plain_http, split_url


@checks.register(checks.Tags.security)
def check_configuration(**_: Any) -> list[checks.CheckMessage]:
    config = AuthnConfig()
    messages: list[checks.CheckMessage] = [*mistakes_in(config)]
    if any(unreadable_values()):
        return messages
    parts = split_url(config.key_set_url)
    if parts and config.key_set_algorithms:
        try:
            proxy_for(parts)
        except KeySetInvalid as reason:
            messages.append(
                checks.Error(
                    f"The key set cannot be fetched: {reason}.",
                    hint="Name a proxy like http://proxy.example.com:3128, or name the issuer in "
                    "NO_PROXY.",
                    id="authn.E011",
                )
            )
    return messages


@checks.register(checks.Tags.security, deploy=True)
def check_plain_http(**_: Any) -> list[checks.CheckMessage]:
    config = AuthnConfig()
    messages: list[checks.CheckMessage] = []
    if any(unreadable_values()):
        return messages
    if is_plain_http(config.expected_issuer):
        messages.append(
            checks.Warning(
                f"The issuer is {config.expected_issuer}: over http, anyone on the network path "
                "can read the tokens that it issues.",
                hint="Serve Better Auth over https, with an https URL in its baseURL and in "
                "BETTER_AUTH_URL or BETTER_AUTH_ISSUER.",
                id="authn.W009",
            )
        )
    if (
        config.key_set_algorithms
        and config.plain_http_allowed
        and is_plain_http(config.key_set_url)
    ):
        messages.append(
            checks.Warning(
                "The key set is fetched over http: anyone on the network path can replace the "
                "keys, and then sign in as any user.",
                hint="Use https and unset BETTER_AUTH_ALLOW_HTTP, unless a private network joins "
                "this server and the issuer.",
                id="authn.W010",
            )
        )
    return messages
