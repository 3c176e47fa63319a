from __future__ import annotations

from django.apps import AppConfig


class BrowsableConfig(AppConfig):
    name = "browsable"
