from __future__ import annotations

from django.apps import AppConfig
from django.core import checks


class ApiConfig(AppConfig):
    name = "api"

    def ready(self) -> None:
        from api.checks import check_views
        from api.deployment import check_debug, check_deployment
        from api.encoding import check_encoding

        checks.register(check_views, checks.Tags.security)
        checks.register(check_debug, checks.Tags.security)
        checks.register(check_deployment, checks.Tags.security, deploy=True)
        checks.register(check_encoding, checks.Tags.database)
