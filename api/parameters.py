from __future__ import annotations

from collections.abc import Set
from typing import Any

from rest_framework.request import Request
from rest_framework.views import APIView

from api.exceptions import InvalidParameter


class KnownParametersOnly(APIView):
    """A view that refuses a query parameter which it would otherwise ignore in silence."""

    def known_parameters(self) -> Set[str]:
        return frozenset()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        unknown = [name for name in request.query_params if name not in self.known_parameters()]
        if unknown:
            self.refuse_parameter(unknown[0])

    def refuse_parameter(self, name: str) -> None:
        raise InvalidParameter(name, "unknown", "This query parameter is not known.")
