from __future__ import annotations

from django.apps import AppConfig
from django.core import checks


class ApiConfig(AppConfig):
    name = "api"

    def ready(self) -> None:
        from api.checks import check_views
        from api.owned.checks import check_owned_models

        checks.register(check_views, checks.Tags.security)
        checks.register(check_owned_models, checks.Tags.models)
