"""What every client needs before it has a todo: where things are, and who it is."""

from __future__ import annotations

from datetime import datetime
from typing import cast

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from api.parameters import KnownParametersOnly
from api.requests import user_of
from authn.claims import Claims


class RootView(KnownParametersOnly):
    """Where things are."""

    def get(self, request: Request) -> Response:
        routes = {"todos": "todo-list", "me": "me"}
        return Response({name: reverse(route, request=request) for name, route in routes.items()})


class MeView(KnownParametersOnly):
    """Who the token says is asking. Answers from the token alone, without a query."""

    def get(self, request: Request) -> Response:
        user, claims = user_of(request), cast("Claims", request.auth)
        return Response(
            {
                "id": user.id,
                "email": user.email,
                "name": user.name,
                "token_expires_at": _rfc3339(claims.expires_at),
            }
        )


def _rfc3339(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
