"""The permission that every view has by default."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request

from api.requests import USAGE
from authn.permissions import HasScope

if TYPE_CHECKING:
    from rest_framework.views import APIView  # loads this module, which the settings name

READ, WRITE = "todos:read", "todos:write"


class HasScopeOfMethod(HasScope):
    """Admit users, and OAuth clients of theirs within the scope of the method.

    A client that is refused spends the allowance of its user, because 429 comes before 403. DRF
    asks for throttles after permissions.
    """

    def required_scopes(self, method: str) -> frozenset[str]:
        return frozenset({READ if method in SAFE_METHODS else WRITE})

    def before_refusal(self, request: Request, view: APIView) -> None:
        if not _is_counted(request):
            view.check_throttles(request)


def _is_counted(request: Request) -> bool:
    """Tell whether the user has spent a request already, as when DRF makes an answer to OPTIONS."""
    usage = request.META.get(USAGE)
    return usage is not None and usage.scope == "user"
