"""A view of DRF, and requests to it through DRF's own exception handler."""

from __future__ import annotations

from typing import Any

from rest_framework.authentication import SessionAuthentication
from rest_framework.permissions import IsAuthenticated
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView

from authn import JWTAuthentication


class Answer(APIView):
    """Answer with the id of the user."""

    authentication_classes = [JWTAuthentication]
    permission_classes = [IsAuthenticated]
    renderer_classes = [JSONRenderer]
    throttle_classes = []

    def answer(self, request: Request) -> Response:
        return Response({"id": request.user.pk})

    get = post = put = patch = delete = answer


class SessionUser:
    pk = "from a session"
    is_authenticated = True


class InSession(SessionAuthentication):
    """Subclass of SessionAuthentication whose user has signed in to Django."""

    def authenticate(self, request: Request) -> tuple[Any, None]:
        return SessionUser(), None


def ask(token: str | None = None, *, method: str = "GET", **view: Any) -> Any:
    """Send a request to ``Answer``, whose attributes may be others: ``permission_classes=[…]``."""
    headers = {"authorization": f"Bearer {token}"} if token is not None else {}
    request = APIRequestFactory().generic(method, "/", headers=headers)
    response: Any = Answer.as_view(**view)(request)
    return response.render()
