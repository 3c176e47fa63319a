"""Everything that must keep a configuration from verifying tokens, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from authn.jwks import KEY_SET_ALGORITHMS
from authn.origins import is_plain_http, split_url
from authn.secret import MIN_SECRET_BYTES, SECRET_ALGORITHMS, is_usable_secret

if TYPE_CHECKING:
    from authn.conf import AuthnConfig

MAX_LEEWAY_SECONDS = 300
# What Better Auth falls back to outside production, known to everyone (its
# packages/better-auth/src/utils/constants.ts).
PUBLIC_SECRET = "better-auth-secret-12345678901234567890"  # noqa: S105 - it is public
HOW_TO_MAKE_ONE = "Set the same random secret in Better Auth and here: openssl rand -base64 32"


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing wrong with the configuration: a stable id, what it is, what to do about it."""

    id: str
    message: str
    hint: str


def mistakes_in(config: AuthnConfig) -> Iterator[Mistake]:
    if not config.key_set_algorithms and not config.secret_algorithms:
        yield Mistake(
            "authn.E001",
            "Neither BETTER_AUTH_URL nor BETTER_AUTH_SECRET is in use: no token can pass.",
            "Set BETTER_AUTH_URL to the base URL of Better Auth to verify with its key set, "
            "or BETTER_AUTH_SECRET to its secret to verify HS256 tokens, and leave "
            "BETTER_AUTH_ALGORITHMS unset or let it name algorithms of the one that is set.",
        )
    for name, url, is_usable in (
        ("BETTER_AUTH_URL", config.url, bool(config.base_url)),
        ("BETTER_AUTH_JWKS_URL", config.jwks_url, split_url(config.jwks_url) is not None),
    ):
        if url and not is_usable:
            yield Mistake(
                "authn.E004",
                f"{name} is no http or https URL with a host that a browser would read as it is.",
                "Write it like https://app.example.com or https://app.example.com/auth, without a "
                "user, spaces, backslashes or dot segments; BETTER_AUTH_URL also without a query "
                "or a fragment. A host beyond ASCII may need its xn-- form.",
            )
    if config.secret_algorithms:
        yield from _mistakes_with_secret(config)
    if config.key_set_algorithms:
        yield from _mistakes_with_key_set(config)
    if unknown := set(config.algorithms) - KEY_SET_ALGORITHMS - SECRET_ALGORITHMS:
        yield Mistake(
            "authn.E006",
            f"BETTER_AUTH_ALGORITHMS names {', '.join(sorted(unknown))}, not supported here.",
            f"Choose from {', '.join(sorted(KEY_SET_ALGORITHMS | SECRET_ALGORITHMS))}.",
        )
    if not 0 <= config.leeway_seconds <= MAX_LEEWAY_SECONDS:
        yield Mistake(
            "authn.E007",
            f"BETTER_AUTH_LEEWAY is not between 0 and {MAX_LEEWAY_SECONDS} seconds.",
            "It allows for clocks that differ, not for tokens that live longer.",
        )


def _mistakes_with_secret(config: AuthnConfig) -> Iterator[Mistake]:
    if config.secret == PUBLIC_SECRET:
        yield Mistake(
            "authn.E002",
            "BETTER_AUTH_SECRET is Better Auth's public default: anybody can sign with it.",
            HOW_TO_MAKE_ONE,
        )
    if not is_usable_secret(config.secret):
        yield Mistake(
            "authn.E003",
            f"BETTER_AUTH_SECRET is shorter than {MIN_SECRET_BYTES} bytes, or a key file.",
            HOW_TO_MAKE_ONE,
        )


def _mistakes_with_key_set(config: AuthnConfig) -> Iterator[Mistake]:
    if is_plain_http(config.key_set_url) and not config.plain_http_allowed:
        yield Mistake(
            "authn.E005",
            "The key set would be fetched over http: anybody on the way could replace it.",
            "Use https in BETTER_AUTH_URL or BETTER_AUTH_JWKS_URL. "
            "Plain http is for loopback and DEBUG, and with BETTER_AUTH_ALLOW_HTTP for a private "
            "network.",
        )
    if not config.expected_issuer or not config.expected_audience:
        yield Mistake(
            "authn.E008",
            "There is a key set, but nothing says whose tokens, or for whom, to accept.",
            "Set BETTER_AUTH_URL, or both BETTER_AUTH_ISSUER and BETTER_AUTH_AUDIENCE.",
        )
