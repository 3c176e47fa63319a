from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.views import APIView

if TYPE_CHECKING:
    from todos.models import Todo


class IsOwner(IsAuthenticated):
    """A todo is for the user whose id it carries.

    Views load todos through ``owned_by`` already; this is what stands if one forgets to. It
    is asked for every todo that is loaded to be shown or changed by itself.
    """

    def has_object_permission(self, request: Request, view: APIView, obj: Todo) -> bool:
        return obj.owner_id == request.user.pk
