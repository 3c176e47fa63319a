"""Serializer fields that take the type they say and no other: the framework's own convert."""

from __future__ import annotations

import unicodedata
from typing import Any

from rest_framework import serializers


class TextField(serializers.CharField):
    """A JSON string. A number is not one."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class LineField(TextField):
    """One line of text: trimmed, NFC (Unicode Annex 15), without control characters.

    ``max_length`` counts the characters that are left.
    """

    default_error_messages = {"control_character": "Control characters are not allowed."}

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        # What becomes one character is at most four before, and marks take the square of
        # their number to put in order.
        if self.max_length is not None and len(text) > 4 * self.max_length:
            self.fail("max_length", max_length=self.max_length)
        text = unicodedata.normalize("NFC", text)
        if any(unicodedata.category(character) == "Cc" for character in text):
            self.fail("control_character")
        return text


class FlagField(serializers.BooleanField):
    """A JSON boolean. ``"yes"`` and ``1`` are not."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data
