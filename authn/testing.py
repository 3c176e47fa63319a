"""An issuer for tests: real keys, real signatures, no network.

clock = Clock()
issuer = Issuer(clock=clock)
verifier = issuer.verifier()
verifier.verify(issuer.mint(sub="alice"))
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from functools import cache
from itertools import count
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import AllowedPrivateKeys

from authn.claims import ClaimPolicy
from authn.exceptions import KeySetInvalid
from authn.keys import KeySet
from authn.secret import SecretKey
from authn.verifier import TokenVerifier, Trust

KEY_SET_ALGORITHMS = ("EdDSA", "ES256", "ES512", "RS256", "PS256")
START = 1_800_000_000.0  # 2027-01-15T08:00:00Z


class Clock:
    """Seconds that pass only when told to."""

    def __init__(self, now: float = START) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


class Issuer:
    """Better Auth as far as a verifier can see: a key set, and tokens signed with it.

    ``rotate()`` publishes a new signing key beside the old ones, ``withdraw()`` takes one
    back, ``broken`` makes every fetch fail, ``fetches`` counts them.
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
        self.fetches = 0
        self.broken = False
        self.kid = self.rotate(algorithm)

    def rotate(self, algorithm: str | None = None) -> str:
        """The ``kid`` of a new key, with which tokens are signed from now on."""
        algorithm = algorithm or self.keys[self.kid][0]
        self.kid = f"key-{next(_numbers)}"
        self.keys[self.kid] = (algorithm, new_private_key(algorithm))
        return self.kid

    def withdraw(self, kid: str) -> None:
        del self.keys[kid]

    def jwks(self) -> dict[str, Any]:
        return {"keys": [jwk(*self.keys[kid], kid=kid) for kid in self.keys]}

    def fetch(self) -> bytes:
        """What the verifier gets instead of the network."""
        self.fetches += 1
        if self.broken:
            raise KeySetInvalid("the issuer cannot be reached")
        return json.dumps(self.jwks()).encode()

    def mint(
        self, *, kid: str | None = None, header: Mapping[str, Any] | None = None, **claims: Any
    ) -> str:
        """A token as Better Auth's. ``None`` for a claim or header parameter leaves it out."""
        algorithm, key = self.keys[kid or self.kid]
        now = int(self.clock())
        payload = {"iat": now, "sub": "alice", "exp": now + 900, "iss": self.url, "aud": self.url}
        return forge(
            header={"alg": algorithm, "kid": kid or self.kid, **(header or {})},
            payload={**payload, **claims},
            key=key,
            algorithm=algorithm,
        )

    def verifier(self, **options: Any) -> TokenVerifier:
        """A verifier that trusts this issuer and shares its clock."""
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
    """A front end that signs with the shared secret (HS256)."""

    def __init__(self, secret: str, *, clock: Clock | None = None) -> None:
        self.secret = secret
        self.clock = clock or Clock()

    def mint(self, *, header: Mapping[str, Any] | None = None, **claims: Any) -> str:
        now = int(self.clock())
        return forge(
            header={"alg": "HS256", **(header or {})},
            payload={"sub": "alice", "iat": now, "exp": now + 900, **claims},
            key=self.secret.encode(),
            algorithm="HS256",
        )

    def verifier(self, policy: ClaimPolicy | None = None, **options: Any) -> TokenVerifier:
        trust = Trust(
            algorithms=frozenset({"HS256"}),
            keys=SecretKey(self.secret),
            policy=policy or ClaimPolicy(),
        )
        return TokenVerifier([trust], clock=self.clock, **options)


def forge(
    *,
    header: Mapping[str, Any] | bytes,
    payload: Mapping[str, Any] | bytes,
    key: AllowedPrivateKeys | bytes,
    algorithm: str,
) -> str:
    """A token with any header and payload, well-formed or not, and a valid signature."""
    signing_input = f"{_segment(header)}.{_segment(payload)}"
    signature = jwt.get_algorithm_by_name(algorithm).sign(signing_input.encode(), key)
    return f"{signing_input}.{_base64url(signature)}"


def jwk(algorithm: str, key: AllowedPrivateKeys, *, kid: str | None = None) -> dict[str, Any]:
    """The public half of ``key`` as Better Auth publishes it."""
    public = jwt.get_algorithm_by_name(algorithm).to_jwk(key.public_key(), as_dict=True)
    public.pop("key_ops", None)
    return {"alg": algorithm, "kid": kid, **public} if kid else {"alg": algorithm, **public}


def new_private_key(algorithm: str) -> AllowedPrivateKeys:
    if algorithm in ("RS256", "PS256"):
        return _rsa_key(next(_numbers) % 2)  # a new one takes a tenth of a second or more
    if algorithm == "EdDSA":
        return ed25519.Ed25519PrivateKey.generate()
    return ec.generate_private_key(ec.SECP256R1() if algorithm == "ES256" else ec.SECP521R1())


@cache
def _rsa_key(number: int) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _segment(content: Mapping[str, Any] | bytes) -> str:
    if isinstance(content, bytes):
        return _base64url(content)
    present = {name: value for name, value in content.items() if value is not None}
    return _base64url(json.dumps(present, separators=(",", ":")).encode())


def _base64url(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


_numbers = count(1)
