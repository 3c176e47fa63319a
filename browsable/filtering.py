"""What narrows and orders a list, as a form. A browser sends its empty fields as well."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from django.http import HttpRequest
from rest_framework import serializers
from rest_framework.views import APIView

from api.lists.pagination import DEFAULT_LIMIT, MAX_LIMIT
from browsable.inputs import Field, described_by, help_of

MARKER = "_filters"


@dataclass(frozen=True, slots=True)
class Filter:
    """A query parameter with its values in this request, and what is wrong with them."""

    name: str
    kind: str
    values: Sequence[str]
    choices: Sequence[str] = ()
    help: str = ""
    errors: Sequence[str] = ()
    repeatable: bool = False

    @property
    def has_room(self) -> bool:
        return self.repeatable or not self.values

    @property
    def id(self) -> str:
        return f"filter-{self.name}"

    @property
    def options(self) -> Sequence[tuple[str, bool]]:
        return [(choice, choice in self.values) for choice in self.choices]

    @property
    def described_by(self) -> str:
        return described_by(self.id, help=self.help, errors=self.errors)


def filters_of(view: APIView, request: HttpRequest, errors: dict[str, list[str]]) -> list[Filter]:
    """Those of a list that says what it can be filtered and ordered by; none elsewhere."""
    filterset = getattr(view, "filterset_class", None)
    if filterset is None or getattr(view, "action", "") != "list":
        return []
    fields = ((name, each.extra["takes"]) for name, each in filterset.base_filters.items())
    described = [*(_described(name, field) for name, field in fields), *_of_the_page(view)]
    return [
        Filter(
            **each,
            values=request.GET.getlist(each["name"]),
            errors=errors.get(each["name"], ()),
        )
        for each in described
    ]


def _described(name: str, field: Field) -> dict[str, Any]:
    child = getattr(field, "child", None)
    choices = [str(choice) for choice in getattr(child or field, "choices", ())]
    kind = "text"
    match field:
        case serializers.BooleanField():
            kind, choices = "select", ["true", "false"]
        case serializers.ListField():
            kind = "choices" if choices else "text"
        case serializers.ChoiceField():
            kind = "select"
        case serializers.DateField():
            kind = "date"
    return {
        "name": name,
        "kind": kind,
        "choices": choices,
        "help": help_of(field),
        "repeatable": child is not None,
    }


def _of_the_page(view: APIView) -> Iterator[dict[str, Any]]:
    orderings = [sign + name for name in view.orderings for sign in ("", "-")]  # type: ignore[attr-defined]
    yield {"name": "ordering", "kind": "select", "choices": orderings}
    yield {
        "name": "limit",
        "kind": "text",
        "help": f"1 to {MAX_LIMIT}, {DEFAULT_LIMIT} by default.",
    }


def is_filtering(request: HttpRequest) -> bool:
    return MARKER in request.GET and request.method in ("GET", "HEAD")


def without_blanks(request: HttpRequest) -> str:
    """The address that says what was filled in, and works for every client."""
    query = request.GET.copy()
    del query[MARKER]
    for name, values in [*query.lists()]:
        query.setlist(name, [value for value in values if value])
    text = query.urlencode()
    path = quote(request.path)
    return f"{path}?{text}" if text else path
