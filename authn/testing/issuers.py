"""Issuers in the test's process, and the clock that they share with the verifier."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import count
from typing import Any

from jwt.algorithms import AllowedPrivateKeys

from authn.claims import ClaimPolicy
from authn.exceptions import KeySetInvalid
from authn.keys import KeySet, SecretKey
from authn.testing.tokens import KEY_SET_ALGORITHMS, forge, jwk, new_private_key
from authn.verifier import TokenVerifier, Trust


class Clock:
    """A clock that only ``advance()`` moves."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:  # 2027-01-15T08:00:00Z
        self.now = now

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


class Issuer:
    """Better Auth as a verifier sees it: a key set, and tokens signed with it.

    ``broken = True`` makes every fetch fail. ``fetches`` counts the fetches.
    """

    def __init__(
        self,
        *,
        algorithm: str = "EdDSA",
        url: str = "https://auth.example.com",
        clock: Clock | None = None,
    ) -> None:
        self.url = url
        self.clock = clock or Clock()
        self.keys: dict[str, tuple[str, AllowedPrivateKeys]] = {}
        self.withdrawn: set[str] = set()
        self.fetches = 0
        self.broken = False
        self.kid = self.rotate(algorithm)

    def rotate(self, algorithm: str | None = None) -> str:
        """Publish a new key beside the old ones, sign with it from now on, and return its kid."""
        algorithm = algorithm or self.keys[self.kid][0]
        self.kid = f"key-{next(_numbers)}"
        self.keys[self.kid] = (algorithm, new_private_key(algorithm))
        return self.kid

    def withdraw(self, kid: str) -> None:
        """Publish the key no longer. ``mint(kid=kid)`` still signs with it, like a thief."""
        self.withdrawn.add(kid)

    def jwks(self) -> dict[str, Any]:
        published = (kid for kid in self.keys if kid not in self.withdrawn)
        return {"keys": [jwk(*self.keys[kid], kid=kid) for kid in published]}

    def fetch(self) -> bytes:
        """Return the key set, in place of a request to the issuer."""
        self.fetches += 1
        if self.broken:
            raise KeySetInvalid("the issuer cannot be reached")
        return json.dumps(self.jwks()).encode()

    def mint(
        self, *, kid: str | None = None, header: Mapping[str, Any] | None = None, **claims: Any
    ) -> str:
        """Mint a token like Better Auth's. ``None`` omits a claim or a header parameter."""
        algorithm, key = self.keys[kid or self.kid]
        now = int(self.clock())
        payload = {"iat": now, "sub": "alice", "exp": now + 900, "iss": self.url, "aud": self.url}
        return forge(
            header={"alg": algorithm, "kid": kid or self.kid, **(header or {})},
            payload={**payload, **claims},
            key=key,
            algorithm=algorithm,
        )

    def mint_access_token(
        self,
        *,
        resource: str,
        scope: str | None = None,
        header: Mapping[str, Any] | None = None,
        **claims: Any,
    ) -> str:
        """Mint an OAuth access token like those of Better Auth's oauth-provider plug-in."""
        now = int(self.clock())
        return self.mint(
            header={"typ": "at+jwt", **(header or {})},
            **{
                "iss": f"{self.url}/api/auth",
                "aud": resource,
                "scope": scope,
                "client_id": "client",
                "azp": "client",
                "sid": "session",
                "jti": f"token-{next(_numbers)}",
                "exp": now + 3600,
                **claims,
            },
        )

    def verifier(self, **options: Any) -> TokenVerifier:
        """Return a verifier that trusts this issuer and shares its clock."""
        policy = ClaimPolicy(
            issuer=self.url,
            audiences=frozenset({self.url}),
            issuer_required=True,
            audience_required=True,
        )
        keys = KeySet(self.fetch, clock=self.clock)
        trust = Trust(algorithms=frozenset(KEY_SET_ALGORITHMS), keys=keys, policy=policy)
        return TokenVerifier([trust], clock=self.clock, **options)


class SecretIssuer:
    """A Better Auth that signs with the shared secret (HS256)."""

    def __init__(self, secret: str, *, clock: Clock | None = None) -> None:
        self.secret = secret
        self.clock = clock or Clock()

    def mint(self, *, header: Mapping[str, Any] | None = None, **claims: Any) -> str:
        """Mint a token. ``None`` omits a claim or a header parameter."""
        now = int(self.clock())
        return forge(
            header={"alg": "HS256", **(header or {})},
            payload={"sub": "alice", "iat": now, "exp": now + 900, **claims},
            key=self.secret.encode(),
            algorithm="HS256",
        )

    def verifier(self, policy: ClaimPolicy | None = None, **options: Any) -> TokenVerifier:
        """Return a verifier that trusts this secret and shares the clock."""
        trust = Trust(
            algorithms=frozenset({"HS256"}),
            keys=SecretKey(self.secret.encode()),
            policy=policy or ClaimPolicy(),
        )
        return TokenVerifier([trust], clock=self.clock, **options)


_numbers = count(1)
