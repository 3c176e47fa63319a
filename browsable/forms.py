"""Django forms for what the API takes: the body of a request, and the parameters of a list.

Only the API validates. These forms show values, and the errors that the API answered.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django import forms
from rest_framework import serializers
from rest_framework.fields import empty

SerializerField = serializers.Field[Any, Any, Any, Any]
LONG_CHARACTERS = 1000  # a text that may be this long gets a textarea


class TextField(forms.Field):
    """A JSON string, or null where the field is nullable and its input empty.

    Browsers send every line break as CR LF, which becomes LF.
    """

    def __init__(self, *, nullable: bool, **options: Any) -> None:
        super().__init__(**options)
        self.nullable = nullable
        if self.required:
            self.widget.attrs["aria-required"] = "true"

    def to_python(self, value: str | None) -> Any:
        text = (value or "").replace("\r\n", "\n").replace("\r", "\n")
        return None if self.nullable and not text else text

    def validate(self, value: Any) -> None:
        """Leave an empty required field to the API."""


class LinesField(TextField):
    """A JSON array with a string for each line."""

    widget = forms.Textarea(attrs={"rows": 3})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(map(str, value)) if isinstance(value, list) else value

    def to_python(self, value: str | None) -> list[str]:
        return [line for line in super().to_python(value).split("\n") if line.strip()]


class RepeatedInput(forms.Widget):
    """One text input for each value of a parameter, and an empty one for another value."""

    template_name = "browsable/repeated.html"

    def format_value(self, value: Any) -> Any:
        return [*(value or ()), ""]

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        return data.getlist(name)


class ApiForm(forms.Form):
    """``errors`` are the API's, by the name of a field."""

    use_required_attribute = False  # a browser would validate, too

    def __init__(
        self,
        fields: Mapping[str, forms.Field],
        *,
        errors: Mapping[str, Sequence[str]] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(label_suffix="", **options)
        self.fields.update(fields)
        self._api_errors = errors or {}

    def clean(self) -> None:
        for name in self.fields.keys() & self._api_errors.keys():
            self.add_error(name, list(self._api_errors[name]))


def body_fields(serializer: serializers.Serializer[Any]) -> dict[str, forms.Field]:
    """The fields that a request may set, each with its default. The server makes the id."""
    fields = serializer.fields.items()
    return {
        name: _body_field(field) for name, field in fields if not field.read_only and name != "id"
    }


def _body_field(field: SerializerField) -> forms.Field:
    default = None if field.default is empty else field.get_default()
    options: dict[str, Any] = {
        "initial": None if default is None else field.to_representation(default),
        "help_text": _help(field),
        "show_hidden_initial": True,  # which tells what the user has changed
    }
    if isinstance(field, serializers.BooleanField):
        return forms.BooleanField(required=False, **options)
    options |= {"required": field.required, "nullable": field.allow_null}
    if isinstance(field, serializers.ListField):
        options["help_text"] += " One on each line."
        return LinesField(**options)
    return TextField(widget=_widget(field, blank=field.allow_null), **options)


def parameter_field(takes: SerializerField) -> forms.Field:
    """A query parameter, which is left out where its input is empty."""
    widget: forms.Widget
    match takes:
        case serializers.BooleanField():
            widget = select(["true", "false"], blank=True)
        case serializers.ListField(child=serializers.ChoiceField() as child):
            widget = forms.CheckboxSelectMultiple(choices=[(each, each) for each in child.choices])
        case serializers.ListField():
            widget = RepeatedInput()
        case _:
            widget = _widget(takes, blank=True)
    return forms.Field(widget=widget, help_text=_help(takes))


def _widget(field: SerializerField, *, blank: bool) -> forms.Widget:
    match field:
        case serializers.ChoiceField():
            return select(field.choices, blank=blank)
        case serializers.DateField():
            return forms.TextInput({"type": "date"})
        case serializers.TimeField():
            return forms.TextInput({"type": "time"})
        case serializers.CharField(max_length=int(length)) if length >= LONG_CHARACTERS:
            return forms.Textarea({"rows": 3})
    return forms.TextInput()


def select(choices: Iterable[str], *, blank: bool) -> forms.Select:
    return forms.Select(choices=[(each, each) for each in [*[""] * blank, *choices]])


def _help(field: SerializerField) -> str:
    """The text of the OpenAPI document, without the backticks that mean code there."""
    return str(field.help_text or "").replace("`", "")
