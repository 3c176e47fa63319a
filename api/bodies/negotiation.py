from __future__ import annotations

import re
from collections.abc import Iterable

from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.utils.mediatypes import media_type_matches

from api.errors.exceptions import PROBLEM_MEDIA_TYPE

REFUSED = re.compile(r";\s*q=0(\.0*)?\s*(;|$)", re.IGNORECASE)  # RFC 9110 section 12.4.2


class ContentNegotiation(DefaultContentNegotiation):
    """Subclass of DRF's that takes ``application/problem+json`` in ``Accept`` for JSON.

    A generated client names one media type of an operation. Where a success has no body, as of
    a ``DELETE``, the operation has no other type than that of its errors.
    """

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        candidates = [*renderers]
        try:
            selected: tuple[BaseRenderer, str]
            selected = super().select_renderer(request, candidates, format_suffix)
        except NotAcceptable:
            if not _admits_problems(request.META["HTTP_ACCEPT"]):
                raise
            for renderer in candidates:
                if renderer.format == "json":
                    return renderer, renderer.media_type
            raise
        return selected


def _admits_problems(accept: str) -> bool:
    return any(
        media_type_matches(PROBLEM_MEDIA_TYPE, each.strip())
        for each in accept.split(",")
        if not REFUSED.search(each)
    )
