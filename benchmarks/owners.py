"""Owners and ids of the seeded todos. The SQL in ``seed`` makes the same ones."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import md5
from typing import Any

import jwt

TOKENS = 2000
LIFETIME_SECONDS = 12 * 3600
SECRET = secrets.token_hex(32)

# Make the token of a subject on one of its devices.
Mint = Callable[[str, int], str]


@dataclass(frozen=True, slots=True)
class Group:
    """Owners with equally many todos. Owners and todos count from 1."""

    name: str
    owners: int
    todos_each: int

    def owner(self, number: int) -> str:
        """Make an id of 32 characters, as Better Auth does."""
        return _md5(f"{self.name} {number}")

    def todo_id(self, number: int, todo: int) -> str:
        """Make the id of an owner's todo. A higher number is a newer todo."""
        digits = _md5(f"{self.owner(number)} {todo}")
        digits = f"{digits[:12]}4{digits[13:16]}a{digits[17:]}"
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))

    def tokens(self, mint: Mint) -> Iterator[tuple[int, str]]:
        """Yield ``TOKENS`` tokens, each with the number of its owner.

        Every group has equally many, so that the cache of tokens serves all groups alike. Owners
        take turns, so that a token returns only after all others.
        """
        sampled = min(self.owners, TOKENS // 4)
        for place in range(TOKENS):
            device, sample = divmod(place, sampled)
            number = 1 + sample * self.owners // sampled
            yield number, mint(self.owner(number), device)


def token(subject: str, device: int = 0) -> str:
    """Sign a token with the secret, which this project and every peer accept."""
    return jwt.encode(claims_of(subject, device), SECRET.encode(), "HS256")


def claims_of(subject: str, device: int) -> dict[str, Any]:
    now = int(time.time())
    return {
        "sub": subject,
        "email": f"{subject}@example.com",
        "name": f"Device {device}",
        "role": "todo_user",  # PostgREST requires it
        "iat": now,
        "exp": now + LIFETIME_SECONDS,
    }


def _md5(text: str) -> str:
    return md5(text.encode(), usedforsecurity=False).hexdigest()
