"""Answer an operator's probes: is the process alive, and can it serve requests?"""

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
from operations.applied_migrations import MigrationsPending, require_migrated
from operations.encoding import EncodingUnsuitable, require_utf8


class ProbeView(KnownParametersOnly):
    authentication_classes = []
    permission_classes = [AllowAny]
    throttle_classes = []
    renderer_classes = [JSONRenderer]


class HealthView(ProbeView):
    """Tell that the process answers, whatever the database and the issuer do."""

    def get(self, request: Request) -> Response:
        return Response({"status": "ok"})


class ReadinessView(ProbeView):
    """Tell if the database answers and is migrated, and if there are keys to verify tokens."""

    def get(self, request: Request) -> Response:
        if errors := [*_database_errors(), *_key_errors()]:
            raise NotReady(errors)
        return Response({"database": "ok", "migrations": "ok", "keys": "ok"})


PROBES = {"/healthz": HealthView, "/readyz": ReadinessView}


def _database_errors() -> Iterator[dict[str, str]]:
    try:
        connection.ensure_connection()
        require_utf8()
        require_migrated()
    except (OperationalError, InterfaceError):
        code, detail = DatabaseUnavailable.default_code, DatabaseUnavailable.default_detail
        yield {"check": "database", "code": code, "detail": detail}
    except EncodingUnsuitable as reason:
        yield {"check": "database", "code": reason.code, "detail": reason.detail}
    except MigrationsPending as reason:
        yield {"check": "migrations", "code": reason.code, "detail": reason.detail}


def _key_errors() -> Iterator[dict[str, str]]:
    try:
        get_verifier().require_keys()
    except KeysUnavailable as reason:
        yield {"check": "keys", "code": reason.code, "detail": reason.detail}
