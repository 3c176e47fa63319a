"""Users without a database table. No claim makes one staff."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, Self

from authn.claims import Claims


@dataclass(frozen=True, slots=True)
class TokenUser:
    """The subject of a verified token: ``id`` is its ``sub``, the others are for display."""

    id: str
    email: str | None = None
    name: str | None = None

    is_authenticated: ClassVar[Literal[True]] = True
    is_anonymous: ClassVar[Literal[False]] = False
    is_active: ClassVar[Literal[True]] = True
    is_staff: ClassVar[Literal[False]] = False
    is_superuser: ClassVar[Literal[False]] = False

    @classmethod
    def from_claims(cls, claims: Claims) -> Self:
        return cls(id=claims.subject, email=claims.email, name=claims.name)

    @property
    def pk(self) -> str:
        return self.id

    def __str__(self) -> str:
        return self.id


@dataclass(frozen=True, slots=True)
class AnonymousUser:
    """The user of a request without a token. Django's ``AnonymousUser`` needs the auth tables."""

    id: ClassVar[None] = None
    pk: ClassVar[None] = None
    is_authenticated: ClassVar[Literal[False]] = False
    is_anonymous: ClassVar[Literal[True]] = True
    is_active: ClassVar[Literal[False]] = False
    is_staff: ClassVar[Literal[False]] = False
    is_superuser: ClassVar[Literal[False]] = False

    def __str__(self) -> str:
        return "anonymous"
