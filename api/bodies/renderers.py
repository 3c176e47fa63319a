from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from rest_framework import renderers
from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.utils.mediatypes import media_type_matches

from api.errors.exceptions import PROBLEM_MEDIA_TYPE

# A slow reader keeps a worker from freeing this much.
MAX_ANSWER_OCTETS = 1024 * 1024
# Indentation and HTML multiply the JSON of a row by at most this.
MOST_MARKUP = 4
REFUSED = re.compile(r";\s*q=0(\.0*)?\s*(;|$)", re.IGNORECASE)  # RFC 9110 section 12.4.2


class JSONRenderer(renderers.JSONRenderer):
    """Subclass of DRF's that renders with orjson, several times as fast.

    DRF renders indented JSON, and values that orjson does not know.
    """

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> Any:
        # A parameter of the type may ask for indentation.
        if data is not None and (accepted_media_type or self.media_type) == self.media_type:
            try:
                return orjson.dumps(data, option=orjson.OPT_UTC_Z)
            except TypeError:
                pass
        return super().render(data, accepted_media_type, renderer_context)


def octets_of(data: Any) -> int:
    """Return the length of data as JSON without spaces."""
    return len(orjson.dumps(data, option=orjson.OPT_UTC_Z))


def octets_for(request: Request) -> int:
    """Return the most octets of an answer to this request as JSON without spaces."""
    plain = request.accepted_media_type == JSONRenderer.media_type
    return MAX_ANSWER_OCTETS if plain else MAX_ANSWER_OCTETS // MOST_MARKUP


class ContentNegotiation(DefaultContentNegotiation):
    """Subclass of DRF's that takes ``application/problem+json`` in ``Accept`` for JSON.

    A generated client names one media type of an operation. Where a success has no body, as of
    a ``DELETE``, the operation has no other type than that of its errors.
    """

    def select_renderer(
        self,
        request: Request,
        candidates: Sequence[BaseRenderer],  # type: ignore[override]
        format_suffix: str | None = None,
    ) -> tuple[BaseRenderer, str]:
        try:
            selected: tuple[BaseRenderer, str]
            selected = super().select_renderer(request, candidates, format_suffix)
        except NotAcceptable:
            if _admits_problems(request.META["HTTP_ACCEPT"]):
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
