from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from api.owned.registry import resources


def menu(request: HttpRequest) -> dict[str, Any]:
    """Give the resources to the template of every page: a context processor."""
    return {"menu": resources}
