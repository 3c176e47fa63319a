"""Who owns the seeded todos, and their ids, alike in every database: SQL makes the same."""

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

# A token of a subject. No two of its devices have the same.
Mint = Callable[[str, int], str]


@dataclass(frozen=True, slots=True)
class Group:
    """Owners with as many todos each."""

    name: str
    owners: int
    todos_each: int

    def owner(self, number: int) -> str:
        """From 1. Has 32 characters, as Better Auth's ids have."""
        return _md5(f"{self.name} {number}")

    def todo_id(self, number: int, todo: int) -> str:
        """Of a todo of this owner, which is older than those with a higher number, from 1."""
        digits = _md5(f"{self.owner(number)} {todo}")
        digits = f"{digits[:12]}4{digits[13:16]}a{digits[17:]}"
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))

    def tokens(self, mint: Mint) -> Iterator[tuple[int, str]]:
        """As many for every group, so that a cache of tokens serves them alike: each with the
        number of its owner, in turn, so that none comes again before all others have.
        """
        sampled = min(self.owners, TOKENS // 4)
        for place in range(TOKENS):
            device, sample = divmod(place, sampled)
            number = 1 + sample * self.owners // sampled
            yield number, mint(self.owner(number), device)


def token(subject: str, device: int = 0) -> str:
    """Signed with the secret. This project and every peer accept it."""
    return jwt.encode(claims_of(subject, device), SECRET.encode(), "HS256")


def claims_of(subject: str, device: int) -> dict[str, Any]:
    now = int(time.time())
    return {
        "sub": subject,
        "email": f"{subject}@example.com",
        "name": f"Somebody at device {device}",
        "role": "todo_user",  # what PostgREST asks for
        "iat": now,
        "exp": now + LIFETIME_SECONDS,
    }


def _md5(text: str) -> str:
    return md5(text.encode(), usedforsecurity=False).hexdigest()
