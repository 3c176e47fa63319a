"""What an answer is rendered by, and as which media type."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from django.http import HttpRequest
from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.utils.mediatypes import media_type_matches

from api.errors.exceptions import PROBLEM_MEDIA_TYPE

# Each at most of api.headers.MAX_ACCEPT_CHARACTERS: clients can fill no more than that.
MAX_REMEMBERED = 256
MAX_CONTENT_TYPE_CHARACTERS = 100
REFUSED = re.compile(r";\s*q=0(\.0*)?\s*(;|$)", re.IGNORECASE)  # RFC 9110 section 12.4.2


class ContentNegotiation(DefaultContentNegotiation):
    """Subclass of DRF's that takes a media type apart once and not in every request.

    Generated clients name one media type of an operation, and where it answers without a body that
    is ``application/problem+json``. It stands for JSON where nothing else in ``Accept`` will do.
    """

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        sent = request.content_type
        if len(sent) > MAX_CONTENT_TYPE_CHARACTERS:
            return super().select_parser(request, parsers)
        return next((parser for parser in parsers if _matches(parser.media_type, sent)), None)

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        accept: str = request.META.get("HTTP_ACCEPT", "*/*")
        candidates = [*renderers]
        index, media_type = _selected(accept, tuple(map(type, candidates)))
        return candidates[index], media_type


@lru_cache(MAX_REMEMBERED)
def _matches(media_type: str, sent: str) -> bool:
    return bool(media_type_matches(media_type, sent))


@lru_cache(MAX_REMEMBERED)
def _selected(accept: str, renderers: tuple[type[BaseRenderer], ...]) -> tuple[int, str]:
    """Which of them, and the media type. Raises ``NotAcceptable``, which is not remembered."""
    request = HttpRequest()
    request.META["HTTP_ACCEPT"] = accept
    made = [renderer() for renderer in renderers]
    try:
        selected, media_type = DefaultContentNegotiation().select_renderer(Request(request), made)
    except NotAcceptable:
        selected, media_type = _for_problems(accept, made)
    return made.index(selected), media_type


def _for_problems(accept: str, renderers: list[BaseRenderer]) -> tuple[BaseRenderer, str]:
    """Raises ``NotAcceptable`` where the problems of these renderers are not asked for either."""
    asked = any(
        media_type_matches(PROBLEM_MEDIA_TYPE, each.strip())
        for each in accept.split(",")
        if not REFUSED.search(each)
    )
    for renderer in renderers if asked else ():
        if renderer.format == "json":
            return renderer, renderer.media_type
    raise NotAcceptable(available_renderers=renderers)
