from __future__ import annotations

from collections.abc import Iterator, Set
from typing import Any

from rest_framework.request import Request
from rest_framework.views import APIView

from api.errors.exceptions import InvalidParameter, Mistake


class KnownParametersOnly(APIView):
    """Refuse unknown query parameters, and a second value of a parameter that has one."""

    repeatable_parameters: Set[str] = frozenset()

    def known_parameters(self) -> Set[str]:
        return frozenset()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.check_target()
        if not request.META.get("QUERY_STRING") or request.method not in self.allowed_methods:
            return  # 405 comes before 400
        if mistakes := list(self._mistakes(request)):
            raise InvalidParameter(*mistakes)

    def check_target(self) -> None:
        """Raise the 403, 404 or 412 of what the path names, which come before 400."""

    def _mistakes(self, request: Request) -> Iterator[Mistake]:
        known = self.known_parameters()
        for name, values in request.query_params.lists():
            if name not in known:
                yield name, "unknown", "This query parameter is not known. Leave it out."
            elif len(values) > 1 and name not in self.repeatable_parameters:
                yield name, "repeated", "This query parameter has one value. Send it once."
