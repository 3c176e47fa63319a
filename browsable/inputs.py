"""A field of a serializer as an input of a form: how it is asked for, and how an answer is read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

from rest_framework import serializers
from rest_framework.fields import empty

Field = serializers.Field[Any, Any, Any, Any]

CHECKED = "on"
LONG_CHARACTERS = 1000  # from here on a text gets an area of several lines
KINDS: tuple[tuple[type[Field], str], ...] = (
    (serializers.BooleanField, "checkbox"),
    (serializers.ListField, "lines"),
    (serializers.ChoiceField, "select"),
    (serializers.DateField, "date"),
    (serializers.TimeField, "time"),
)


@dataclass(frozen=True, slots=True)
class Input:
    """Its texts are what a browser shows and sends; an absent one is ``""``."""

    name: str
    kind: str
    label: str
    help: str = ""
    required: bool = False
    nullable: bool = False
    choices: Sequence[str] = ()
    default: str = ""

    @classmethod
    def of(cls, name: str, field: Field) -> Self:
        kind = _kind(field)
        default = None if field.default is empty else field.get_default()
        return cls(
            name=name,
            kind=kind,
            label=name.replace("_", " ").capitalize(),
            help=help_of(field) + (" One on each line." if kind == "lines" else ""),
            required=field.required,
            nullable=field.allow_null,
            choices=[str(choice) for choice in getattr(field, "choices", ())],
            default=text_of(None if default is None else field.to_representation(default)),
        )

    def value_of(self, text: str) -> Any:
        """The JSON value that a browser's text stands for."""
        text = as_typed(text)
        match self.kind:
            case "checkbox":
                return bool(text)
            case "lines":
                return [line for line in text.split("\n") if line.strip()]
        return None if self.nullable and not text else text


def inputs_of(serializer: serializers.Serializer[Any]) -> Iterator[Input]:
    for name, field in serializer.fields.items():
        if not field.read_only:
            yield Input.of(name, field)


def as_typed(text: str) -> str:
    """Browsers send a line break as CR LF, whatever it was."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def described_by(element: str, *, help: str, errors: Sequence[str]) -> str:  # noqa: A002
    """The ids of what tells more of the input with the id ``element``."""
    parts = [("help", help), ("errors", errors)]
    return " ".join(f"{element}-{name}" for name, given in parts if given)


def help_of(field: Field) -> str:
    """Written for the OpenAPI document, in which backticks mean code."""
    return str(field.help_text or "").replace("`", "")


def text_of(value: Any) -> str:
    """A JSON value as an input shows it."""
    match value:
        case None | False:
            return ""
        case True:
            return CHECKED
        case list():
            return "\n".join(map(str, value))
    return str(value)


def _kind(field: Field) -> str:
    for base, kind in KINDS:
        if isinstance(field, base):
            return kind
    return "area" if (getattr(field, "max_length", None) or 0) >= LONG_CHARACTERS else "text"
