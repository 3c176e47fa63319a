"""Make tokens and keys at run time, also wrong ones."""

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

KEY_SET_ALGORITHMS = ("EdDSA", "ES256", "ES512", "RS256", "PS256")


def forge(
    *,
    header: Mapping[str, Any] | bytes,
    payload: Mapping[str, Any] | bytes,
    key: AllowedPrivateKeys | bytes,
    algorithm: str,
) -> str:
    """Sign any header and payload, well-formed or not."""
    signing_input = f"{_segment(header)}.{_segment(payload)}"
    signature = jwt.get_algorithm_by_name(algorithm).sign(signing_input.encode(), key)
    return f"{signing_input}.{_base64url(signature)}"


def jwk(algorithm: str, key: AllowedPrivateKeys, *, kid: str | None = None) -> dict[str, Any]:
    """Return the public half of ``key`` as Better Auth publishes it."""
    public = jwt.get_algorithm_by_name(algorithm).to_jwk(key.public_key(), as_dict=True)
    public.pop("key_ops", None)
    return {"alg": algorithm, "kid": kid, **public} if kid else {"alg": algorithm, **public}


def new_private_key(algorithm: str) -> AllowedPrivateKeys:
    """Generate a key for one of ``KEY_SET_ALGORITHMS``. Raises ``ValueError`` for any other."""
    match algorithm:
        case "EdDSA":
            return ed25519.Ed25519PrivateKey.generate()
        case "ES256":
            return ec.generate_private_key(ec.SECP256R1())
        case "ES512":
            return ec.generate_private_key(ec.SECP521R1())
        case "RS256" | "PS256":
            return _rsa_key(next(_rsa_numbers) % 2)  # generating one takes over 0.1 seconds
    raise ValueError(f"{algorithm} is not supported: use {', '.join(KEY_SET_ALGORITHMS)}")


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


_rsa_numbers = count()
