"""What an operator's probes ask: is the process alive, and can it do its work?"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from django.db import InterfaceError, OperationalError, connection
from rest_framework import status
from rest_framework.exceptions import APIException
from rest_framework.permissions import AllowAny
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from api.exceptions import DatabaseUnavailable
from api.parameters import KnownParametersOnly
from authn.conf import get_verifier
from authn.exceptions import KeysUnavailable


class NotReady(APIException):
    """503. ``errors`` says what is missing."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_code, default_detail = "not_ready", "This server cannot do its work at the moment."
    wait = 5

    def __init__(self, errors: list[dict[str, str]]) -> None:
        super().__init__()
        self.errors = errors


class ProbeView(KnownParametersOnly):
    authentication_classes = []
    permission_classes = [AllowAny]
    throttle_classes = []
    renderer_classes = [JSONRenderer]
    open_because = "A probe has no token, and learns nothing of anybody."
    schema = None  # for operators, not for clients


class HealthView(ProbeView):
    """Whether the process answers. Touches nothing else."""

    def get(self, request: Request) -> Response:
        return Response({"status": "ok"})


class ReadinessView(ProbeView):
    """Whether the database answers and there are keys to verify tokens with."""

    def get(self, request: Request) -> Response:
        if errors := [*_missing()]:
            raise NotReady(errors)
        return Response({"database": "ok", "keys": "ok"})


def _missing() -> Iterator[dict[str, str]]:
    checks: dict[str, Callable[[], None]] = {
        "database": _require_database,
        "keys": get_verifier().require_keys,
    }
    for name, check in checks.items():
        try:
            check()
        except (OperationalError, InterfaceError):
            code, detail = DatabaseUnavailable.default_code, DatabaseUnavailable.default_detail
            yield {"check": name, "code": code, "detail": detail}
        except KeysUnavailable as reason:
            yield {"check": name, "code": reason.code, "detail": reason.detail}


def _require_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
