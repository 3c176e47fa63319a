"""What an operator's probes ask: is the process alive, and can it do its work?"""

from __future__ import annotations

from collections.abc import Iterator

from django.db import InterfaceError, OperationalError, connection
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from api.bodies.renderers import JSONRenderer
from api.errors.exceptions import DatabaseUnavailable, NotReady
from api.lists.parameters import KnownParametersOnly
from authn.conf import get_verifier
from authn.exceptions import KeysUnavailable
from operations.applied_migrations import MigrationsPending, get_applied_migrations
from operations.encoding import EncodingUnsuitable, require_utf8


class ProbeView(KnownParametersOnly):
    authentication_classes = []
    permission_classes = [AllowAny]
    throttle_classes = []
    renderer_classes = [JSONRenderer]


class HealthView(ProbeView):
    """Whether the process answers. Touches nothing else."""

    def get(self, request: Request) -> Response:
        return Response({"status": "ok"})


class ReadinessView(ProbeView):
    """Whether the database answers and is up to date, and there are keys to verify tokens with."""

    def get(self, request: Request) -> Response:
        if errors := [*_wrong_with_database(), *_wrong_with_keys()]:
            raise NotReady(errors)
        return Response({"database": "ok", "migrations": "ok", "keys": "ok"})


PROBES = {"/healthz": HealthView, "/readyz": ReadinessView}


def _wrong_with_database() -> Iterator[dict[str, str]]:
    """Of one that does not answer, nobody asks for its migrations: that takes as long again."""
    try:
        _require_database()
        require_utf8()
        get_applied_migrations().require()
    except (OperationalError, InterfaceError):
        code, detail = DatabaseUnavailable.default_code, DatabaseUnavailable.default_detail
        yield {"check": "database", "code": code, "detail": detail}
    except EncodingUnsuitable as reason:
        yield {"check": "database", "code": reason.code, "detail": reason.detail}
    except MigrationsPending as reason:
        yield {"check": "migrations", "code": reason.code, "detail": reason.detail}


def _wrong_with_keys() -> Iterator[dict[str, str]]:
    try:
        get_verifier().require_keys()
    except KeysUnavailable as reason:
        yield {"check": "keys", "code": reason.code, "detail": reason.detail}


def _require_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
