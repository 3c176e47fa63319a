from __future__ import annotations

from django.apps import AppConfig
from django.core import checks


class BrowsableConfig(AppConfig):
    name = "browsable"

    def ready(self) -> None:
        from browsable.checks import check_pages

        checks.register(check_pages, checks.Tags.security, deploy=True)
