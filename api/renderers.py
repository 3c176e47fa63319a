from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from rest_framework import renderers


class JSONRenderer(renderers.JSONRenderer):
    """The framework's, several times as fast.

    What is to be indented, and what orjson does not know, is left to the framework's own.
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
