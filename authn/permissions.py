"""Permissions of DRF by what a token says: its scopes and its claims.

Use them in ``permission_classes``, composed with ``&``, ``|`` and ``~`` or in a list. Like DRF's
own, they answer 401 to an anonymous request and 403 to any other that they refuse.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from django.views import View
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request

from authn.challenges import bearer_challenge, parameters
from authn.claims import Claims

if TYPE_CHECKING:
    from rest_framework.views import APIView  # loads the default permissions of the project

METHODS = frozenset(map(str.upper, View.http_method_names))
LIKE_GET = ("HEAD", "OPTIONS")
SCOPE = re.compile(r"[!#-\[\]-~]+")  # RFC 6749 section 3.3


class InsufficientScope(PermissionDenied):
    """403, with the scopes that the request needs in its challenge (RFC 6750 section 3.1)."""

    def __init__(self, scopes: Collection[str]) -> None:
        names = sorted(scopes)
        super().__init__(f"The token lacks the scope {', '.join(names)}.", "insufficient_scope")
        self._error = parameters(error="insufficient_scope", scope=" ".join(names))

    @property
    def auth_header(self) -> str:
        return f"{bearer_challenge()}, {self._error}"


class HasScope(IsAuthenticated):
    """Limit OAuth access tokens to those with certain scopes.

    Scopes limit clients, not users: a token of the user's own session passes, and so does a user
    of another authenticator. In a list of ``permission_classes``, the refusal
    (``InsufficientScope``) and the OpenAPI document name the scopes. Composed with an operator they
    do not: DRF drops the reasons of permissions in it.
    """

    scopes: ClassVar[Mapping[str, frozenset[str]]]  # method -> scopes that it needs, all of them
    _refusal: InsufficientScope | None = None

    @classmethod
    def of(cls, *scopes: str | Mapping[str, str | Iterable[str]]) -> type[HasScope]:
        """Make a permission: ``of("a", "b")``, or ``of({"GET": ["a"], "POST": ["a", "b"]})``.

        HEAD and OPTIONS need what GET needs, unless the mapping names them. No scope allows a
        method that the mapping does not name. Raises ``ValueError`` for a mistake.
        """
        match scopes:
            case [Mapping() as by_method]:
                pass
            case _:
                by_method = dict.fromkeys(METHODS, scopes)
        needed = {method: _checked(method, names) for method, names in by_method.items()}
        if not needed:
            raise ValueError("HasScope.of() needs a scope.")
        if "GET" in needed:
            needed = {**dict.fromkeys(LIKE_GET, needed["GET"]), **needed}
        return type(cls.__name__, (cls,), {"scopes": needed, "__module__": cls.__module__})

    def required_scopes(self, method: str) -> Collection[str] | None:
        """Return the scopes that ``method`` needs; ``None`` if none allows it."""
        return self.scopes.get(method)

    def has_permission(self, request: Request, view: APIView) -> bool:
        if not super().has_permission(request, view):
            return False
        granted = request.auth.scopes if isinstance(request.auth, Claims) else None
        if granted is None:
            return True
        required = self.required_scopes(str(request.method))
        if required is not None and granted.issuperset(required):
            return True
        self.before_refusal(request, view)
        self._refusal = None if required is None else InsufficientScope(required)
        return False

    def before_refusal(self, request: Request, view: APIView) -> None:
        """Raise here to answer something else than 403."""

    @property
    def message(self) -> None:
        """DRF reads it from the permission that has refused. Raises ``InsufficientScope``."""
        if self._refusal:
            raise self._refusal


class HasClaim(IsAuthenticated):
    """Admit tokens with a certain value in a claim: ``HasClaim.of("role", "admin")``.

    The claim equals the value, or is an array that contains it. A text with commas is one value. A
    member of ``TextChoices`` is its text. A claim is as old as its token: who loses a role has it
    until the token expires. Refuses users of other authenticators, who have no claims.
    """

    name: str
    value: str | int

    @classmethod
    def of(cls, name: str, value: str | int) -> type[HasClaim]:
        """Make a permission. Raises ``ValueError`` for an empty name or value, or another type."""
        if not isinstance(name, str) or not name:
            raise ValueError(f"HasClaim.of() needs the name of a claim, not {name!r}.")
        if not isinstance(value, str | int) or value == "":
            raise ValueError(
                f"HasClaim.of() needs a text, a whole number or a boolean, not {value!r}."
            )
        return type(
            cls.__name__, (cls,), {"name": name, "value": value, "__module__": cls.__module__}
        )

    def has_permission(self, request: Request, view: APIView) -> bool:
        name, value = self.name, self.value
        if not super().has_permission(request, view) or not isinstance(request.auth, Claims):
            return False
        claim: Any = request.auth.payload.get(name)
        found = claim if isinstance(claim, tuple) else (claim,)
        # In Python, True equals 1.
        alike = (each for each in found if isinstance(each, bool) is isinstance(value, bool))
        return value in alike


def _checked(method: str, scopes: str | Iterable[Any]) -> frozenset[str]:
    if method not in METHODS:
        raise ValueError(f"HasScope.of() got {method!r}: use {', '.join(sorted(METHODS))}.")
    names = [scopes] if isinstance(scopes, str) else [*scopes]
    if not names:
        raise ValueError("HasScope.of() needs a scope.")
    for name in names:
        if not isinstance(name, str) or not SCOPE.fullmatch(name):
            raise ValueError(f"HasScope.of() got {name!r}, which is not the name of one scope.")
    return frozenset(names)
