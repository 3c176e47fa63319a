from __future__ import annotations

from typing import TYPE_CHECKING, cast

from rest_framework.request import Request
from rest_framework.views import APIView

from api.permissions import HasScopeOfMethod
from authn.users import TokenUser

if TYPE_CHECKING:
    from api.owned.models import OwnedModel


class IsOwner(HasScopeOfMethod):
    """Allow a row to its owner only, also if a view forgets ``owned_by``."""

    def has_object_permission(self, request: Request, view: APIView, obj: OwnedModel) -> bool:
        return obj.owner_id == cast("TokenUser", request.user).id
