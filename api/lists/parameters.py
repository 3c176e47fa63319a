from __future__ import annotations

from collections.abc import Iterator, Set
from typing import Any

from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.views import APIView

from api.errors.exceptions import InvalidParameter, Mistake


class KnownParametersOnly(APIView):
    """A view that refuses a query parameter which it would otherwise ignore in silence.

    That is one of a name that it does not know, and the second of a name that has one value.
    """

    repeatable_parameters: Set[str] = frozenset()

    def known_parameters(self) -> Set[str]:
        return frozenset()

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        made = super().initialize_request(request, *args, **kwargs)
        # Asked for most, and the framework finds them after a failed look-up only.
        made.META, made.method = request.META, request.method
        return made

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.check_target()
        if not request.META.get("QUERY_STRING") or request.method not in self.allowed_methods:
            return  # nothing to look at, or 405 whatever the query says
        if mistakes := list(self._mistakes(request)):
            raise InvalidParameter(*mistakes)

    def check_target(self) -> None:
        """What comes before 400: whether it is there, is the user's, and is as they believe."""

    def _mistakes(self, request: Request) -> Iterator[Mistake]:
        known = self.known_parameters()
        for name, values in request.query_params.lists():
            if name not in known:
                yield name, "unknown", "This query parameter is not known."
            elif len(values) > 1 and name not in self.repeatable_parameters:
                yield name, "repeated", "This query parameter has one value."
