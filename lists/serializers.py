from __future__ import annotations

import re
from typing import Any

from api.bodies.text import LineField, TextField
from api.owned.serializers import OwnedSerializer


class ColorField(TextField):
    """``#rrggbb`` in lower case."""

    openapi: dict[str, Any] = {"pattern": "^#[0-9a-f]{6}$"}
    default_error_messages = {"invalid": "Write a color as #rrggbb in lower case, such as #ff8800."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(trim_whitespace=False, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        color = super().to_internal_value(data)
        if not re.fullmatch("#[0-9a-f]{6}", color):
            self.fail("invalid")
        return color


class ListSerializer(OwnedSerializer):
    """A list as its owner sees it."""

    example = {"name": "Groceries", "color": "#2e7d32"}

    name = LineField(max_length=100, help_text="1 to 100 characters on one line.")
    color = ColorField(
        default=None, allow_null=True, help_text="`#rrggbb` in lower case, such as `#ff8800`."
    )
