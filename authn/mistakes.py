"""Find the mistakes in a configuration that keep it from verifying tokens."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import jwt
from django.core.checks import Error
from jwt.algorithms import HMACAlgorithm

from authn.jwks import KEY_SET_ALGORITHMS
from authn.keys import SECRET_ALGORITHMS
from authn.origins import base_url, is_plain_http, split_url
from authn.secrets import versioned_secrets
from authn.settings import LIST, mistyped, setting

if TYPE_CHECKING:
    from authn.conf import AuthnConfig

MAX_LEEWAY_SECONDS = 300
MIN_SECRET_BYTES = 32  # RFC 7518 section 3.2
# Better Auth's own default outside production (packages/better-auth/src/utils/constants.ts).
PUBLIC_SECRET = b"better-auth-secret-12345678901234567890"
REALM = re.compile(r"[ !#-\[\]-~]*")  # RFC 9110 section 5.6.4, without escapes
HTTP = re.compile(r"\s*https?://", re.IGNORECASE)
RESOURCE = re.compile(r"[^\s?#]+")  # compared as text with aud
NEW_SECRET = "Set the same random secret in Better Auth and here: openssl rand -base64 32"  # noqa: S105


def mistakes_in(config: AuthnConfig) -> Iterator[Error]:
    """Yield each mistake. Unreadable values come first and alone, because others build on them."""
    if unreadable := [*unreadable_values()]:
        yield from unreadable
        return
    if not config.key_set_algorithms and not config.secret_algorithms:
        yield Error(
            "Neither BETTER_AUTH_URL nor BETTER_AUTH_SECRET is in use: every token is refused.",
            hint="Set BETTER_AUTH_URL to the base URL of Better Auth, or BETTER_AUTH_SECRET to its "
            "secret. If BETTER_AUTH_ALGORITHMS is set, name an algorithm of that source in it.",
            id="authn.E001",
        )
    for name, parse in (("BETTER_AUTH_URL", base_url), ("BETTER_AUTH_JWKS_URL", split_url)):
        url = setting(name)
        if url and not parse(url):
            begin = "" if HTTP.match(url) else "Begin it with https://. "
            yield Error(
                f"{name} is not an http or https URL that every browser reads the same way.",
                hint=f"{begin}Write it like https://app.example.com or "
                "https://app.example.com/auth, without a user, spaces, backslashes or dot "
                "segments. BETTER_AUTH_URL also takes no query and no fragment. Write a host "
                "beyond ASCII in its xn-- form.",
                id="authn.E004",
            )
    if config.secret_algorithms:
        if config.secret:
            yield from _mistakes_with_secrets("BETTER_AUTH_SECRET", [config.secret])
        yield from _mistakes_with_secrets("BETTER_AUTH_SECRETS", config.versioned_secrets)
    if config.key_set_algorithms:
        yield from _mistakes_with_key_set(config)
    if unknown := config.algorithms - KEY_SET_ALGORITHMS - SECRET_ALGORITHMS:
        yield Error(
            f"BETTER_AUTH_ALGORITHMS names {', '.join(sorted(unknown))}, which is not supported.",
            hint=f"Choose from {', '.join(sorted(KEY_SET_ALGORITHMS | SECRET_ALGORITHMS))}.",
            id="authn.E006",
        )
    if not 0 <= setting("BETTER_AUTH_LEEWAY") <= MAX_LEEWAY_SECONDS:
        yield Error(
            f"BETTER_AUTH_LEEWAY is not between 0 and {MAX_LEEWAY_SECONDS} seconds.",
            hint="Set it to the largest difference between clocks. For tokens that live longer, "
            "change their lifetime in Better Auth.",
            id="authn.E007",
        )
    if not REALM.fullmatch(config.realm):
        yield Error(
            "BETTER_AUTH_REALM cannot stand between the quotes of a challenge.",
            hint="Write a word or a few, in ASCII, without quotes and backslashes.",
            id="authn.E014",
        )
    if config.resource:
        yield from _mistakes_with_resource(config)
    yield from _mistakes_with_resolver(config)


def unreadable_values() -> Iterator[Error]:
    """Yield the mistakes that keep ``AuthnConfig`` from being read at all."""
    for name, wanted in mistyped():
        value = setting(name)
        hint = f"Set {name} to {wanted}, or remove it."
        if wanted == LIST and value and isinstance(value, str):
            hint = f"Write {name} = {[value]!r}."
        yield Error(
            f"{name} is not {wanted}.",
            hint=hint,
            id="authn.E012",
        )
    secrets = setting("BETTER_AUTH_SECRETS")
    try:
        versioned_secrets(secrets if isinstance(secrets, str) else "")
    except ValueError as error:
        yield Error(
            f"BETTER_AUTH_SECRETS cannot be read: {error}.",
            hint="Write it as for Better Auth, the newest first: 2:new-secret,1:old-secret. A "
            "version is a whole number, and a secret has no comma.",
            id="authn.E013",
        )


def _mistakes_with_secrets(name: str, secrets: Sequence[bytes]) -> Iterator[Error]:
    if PUBLIC_SECRET in secrets:
        yield Error(
            f"{name} is Better Auth's public default: anyone can sign with it.",
            hint=NEW_SECRET,
            id="authn.E002",
        )
    is_short = any(len(secret) < MIN_SECRET_BYTES for secret in secrets)
    if is_short or any(map(_is_key_file, secrets)):
        yield Error(
            f"{name} is {f'shorter than {MIN_SECRET_BYTES} bytes' if is_short else 'a key file'}.",
            hint=NEW_SECRET,
            id="authn.E003",
        )


def _is_key_file(secret: bytes) -> bool:
    """Tell a PEM, SSH or DER key, which PyJWT refuses as an HMAC secret, from a password."""
    try:
        HMACAlgorithm(HMACAlgorithm.SHA256).prepare_key(secret)
    except jwt.InvalidKeyError:
        return True
    return False


def _mistakes_with_key_set(config: AuthnConfig) -> Iterator[Error]:
    if is_plain_http(config.key_set_url) and not config.plain_http_allowed:
        yield Error(
            "The key set has an http URL: anyone on the network path could replace the keys.",
            hint="Use https in BETTER_AUTH_URL or BETTER_AUTH_JWKS_URL. In a private network, set "
            "BETTER_AUTH_ALLOW_HTTP. DEBUG and loopback addresses allow http.",
            id="authn.E005",
        )
    if not config.expected_issuer or not config.expected_audience:
        yield Error(
            "A key set is configured without an issuer or an audience to accept.",
            hint="Set BETTER_AUTH_URL, or both BETTER_AUTH_ISSUER and BETTER_AUTH_AUDIENCE.",
            id="authn.E008",
        )


def _mistakes_with_resource(config: AuthnConfig) -> Iterator[Error]:
    if not RESOURCE.fullmatch(config.resource) or not split_url(config.resource):
        yield Error(
            "OAUTH_RESOURCE is not an http or https URL that every browser reads the same way.",
            hint="Write the URL of this API, as clients ask Better Auth for it in resource=: "
            "https://api.example.com, without spaces, a query and a fragment.",
            id="authn.E015",
        )
    if not config.key_set_algorithms or not config.access_token_issuer:
        yield Error(
            "OAUTH_RESOURCE is set, and no key set to verify access tokens with.",
            hint="Set BETTER_AUTH_URL. With BETTER_AUTH_JWKS_URL alone, set BETTER_AUTH_ISSUER to "
            "the iss of access tokens.",
            id="authn.E016",
        )


def _mistakes_with_resolver(config: AuthnConfig) -> Iterator[Error]:
    try:
        resolver: object = config.resolve_user
    except ImportError as error:
        reason = f"cannot be imported: {error}"
    else:
        if callable(resolver):
            return
        reason = "is not a function"
    yield Error(
        f"BETTER_AUTH_USER_RESOLVER {reason}.",
        hint="Set it to the dotted path of a function that takes Claims and returns a user, like "
        '"accounts.users.user_of".',
        id="authn.E017",
    )
