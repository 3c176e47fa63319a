from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from rest_framework.renderers import BaseRenderer

from api.bodies.renderers import JSONRenderer
from browsable.pages import MEDIA_TYPE, mark_as_page
from browsable.submissions import submission_in


class PageRenderer(BaseRenderer):
    """For whoever asks for HTML."""

    media_type = MEDIA_TYPE
    format = "html"
    charset = "utf-8"

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> str:
        # Not above: it needs the framework's views, which need this module first.
        from browsable.answer_page import page_of

        context = renderer_context or {}
        response, request = context["response"], context["request"]
        html = page_of(context["view"], request, response, as_clients_read_it(data))
        mark_as_page(request, response)
        is_empty = response.status_code == HTTPStatus.NO_CONTENT
        if is_empty and submission_in(request._request):  # noqa: SLF001 - the one that middleware has
            response.status_code = HTTPStatus.OK  # else a browser stays where it is
        return html


def as_clients_read_it(data: Any) -> Any:
    return None if data is None else json.loads(JSONRenderer().render(data))
