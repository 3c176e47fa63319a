from __future__ import annotations

from django.apps import AppConfig
from django.core import checks


class OperationsConfig(AppConfig):
    name = "operations"

    def ready(self) -> None:
        from operations.checks import check_debug, check_deployment
        from operations.encoding import check_encoding

        checks.register(check_debug, checks.Tags.security)
        checks.register(check_deployment, checks.Tags.security, deploy=True)
        checks.register(check_encoding, checks.Tags.database)
