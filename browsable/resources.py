"""What a page is about and what can be done to it, read off the view that answered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from django.http import HttpRequest
from django.urls import NoReverseMatch, resolve, reverse
from rest_framework.response import Response
from rest_framework.views import APIView

from api.requests import path_of, route_of
from browsable.examples import example_of
from browsable.forms import Form
from browsable.inputs import Input, inputs_of
from browsable.submissions import submission_in

# What the same form may still get right with other values.
CORRECTABLE = (400, 405, 409, 412, 413, 415, 422, 428)
CHANGING = ("PATCH", "PUT")  # the first is what Enter sends


class Resource:
    """The thing or the list that one answer is about.

    Its forms are those that the routes of the same viewset take: to create in a list, to
    change, delete or act on a thing. Any other route takes JSON that is written by hand.
    """

    def __init__(self, view: APIView, request: HttpRequest, response: Response, data: Any) -> None:
        self._view = view
        self._request = request
        self._response = response
        self._data = data if isinstance(data, dict) else {}
        self._sent = submission_in(request)
        self.problem: Mapping[str, Any] | None = (
            self._data if response.status_code >= HTTPStatus.BAD_REQUEST else None
        )

    @cached_property
    def list_url(self) -> str:
        return self._address("list")

    @cached_property
    def url(self) -> str:
        """Of the one thing that this is about, or ``""``."""
        if self._response.status_code == HTTPStatus.CREATED:
            return urlsplit(self._response.get("Location", "")).path
        is_thing = getattr(self._view, "detail", False)
        return self._address("detail", **self._view.kwargs) if is_thing else ""

    @property
    def page_url(self) -> str:
        """Where a browser gets this page, or the nearest to it, without sending a form again."""
        if self._request.method in ("GET", "HEAD"):
            return self._request.get_full_path()
        return self.url or self._request.path

    @property
    def is_open(self) -> bool:
        """Whether there is something to do here, and not just to read that there is not."""
        return not self.problem or self._response.status_code in CORRECTABLE

    @property
    def is_list(self) -> bool:
        return not self.url and path_of(self._request) == self.list_url

    def item_addresses(self) -> dict[str, str]:
        """Of everything in the answer that has an id, by that."""
        items = [] if self.problem else [self._data, *self._data.get("results", ())]
        ids = [item["id"] for item in items if isinstance(item, dict) and "id" in item]
        addresses = {each: self._address("detail", pk=each) for each in ids}
        return {each: address for each, address in addresses.items() if address}

    @property
    def mistakes(self) -> list[tuple[str, str]]:
        """What is wrong, each with where that is."""
        errors = (self.problem or {}).get("errors", ())
        return [(_place(each), each["detail"]) for each in errors]

    @property
    def errors(self) -> dict[str, list[str]]:
        """The same by the field or parameter that it is in."""
        errors: dict[str, list[str]] = {}
        for place, detail in self.mistakes:
            errors.setdefault(place.partition("/")[0], []).append(detail)
        return errors

    def create(self) -> Form | None:
        is_here = self.is_open and path_of(self._request) == self.list_url
        if not is_here or "create" not in self._actions(self.list_url).values():
            return None
        form = self._form(self.list_url, ["POST"], prefix="new-")
        return form if form.raw else replace(form, raw=example_of(route_of(self.list_url), "post"))

    def change(self) -> Form | None:
        methods = [name for name in CHANGING if name.lower() in self._actions(self.url)]
        was_sent = self.is_open and self.problem and self._sent and self._sent.method in methods
        if not methods or not (self._shows_thing or was_sent):
            return None
        return self._form(self.url, methods, **({"data": self._data} if self._shows_thing else {}))

    def delete(self) -> Form | None:
        if self._shows_thing and "delete" in self._actions(self.url):
            return Form(self.url, ["DELETE"], if_match=self._etag)
        return None

    def actions(self) -> list[Form]:
        """What else can be done to the thing, with nothing to fill in."""
        if not self._shows_thing:
            return []
        return [
            Form(f"{self.url}{each.url_path}/", ["POST"], label=label, if_match=self._etag)
            for each, label in self._extra_actions(detail=True)
        ]

    def other_routes(self) -> list[tuple[str, str]]:
        """Those beside the list, each with its name."""
        if not self.is_list:
            return []
        return [
            (f"{self.list_url}{each.url_path}/", label)
            for each, label in self._extra_actions(detail=False)
        ]

    def by_hand(self) -> Form | None:
        """For a route of its own: JSON, and nothing else."""
        path = path_of(self._request)
        methods = [name.upper() for name in self._actions(path) if name != "get"]
        if not self.is_open or self.url or path == self.list_url or not methods:
            return None
        raw = (self._sent and self._sent.raw) or example_of(route_of(path), methods[0].lower())
        return Form(path, methods, raw=raw)

    def _form(self, url: str, methods: Sequence[str], **options: Any) -> Form:
        sent = self._sent
        if not (self.problem and sent and sent.method in methods):
            return Form.of(url, methods, self._inputs, **options)
        form = Form.again(url, methods, self._inputs, sent, self.errors, **options)
        # What has changed meanwhile is a link away; sending this again is a decision.
        conflict = self._response.status_code == HTTPStatus.PRECONDITION_FAILED
        return replace(form, if_match="*") if conflict else form

    @property
    def _shows_thing(self) -> bool:
        is_shown = self.url and self._data and not self.problem
        return bool(is_shown) and self._request.method != "OPTIONS"

    @property
    def _etag(self) -> str:
        return str(self._data.get("etag", ""))

    @property
    def _inputs(self) -> list[Input]:
        return [*inputs_of(self._view.get_serializer())]  # type: ignore[attr-defined]

    def _extra_actions(self, *, detail: bool) -> Iterator[tuple[Any, str]]:
        for each in self._view.get_extra_actions():  # type: ignore[attr-defined]
            if each.detail == detail and "post" in each.mapping:
                yield each, each.url_path.replace("-", " ").replace("_", " ").capitalize()

    def _actions(self, path: str) -> Mapping[str, str]:
        """Method -> action of the route at ``path``."""
        if not path:
            return {}
        actions: Mapping[str, str] = getattr(resolve(route_of(path)).func, "actions", None) or {}
        return actions

    def _address(self, name: str, **kwargs: Any) -> str:
        try:
            return reverse(f"{getattr(self._view, 'basename', '')}-{name}", kwargs=kwargs)
        except NoReverseMatch:
            return ""


def _place(error: Mapping[str, str]) -> str:
    """``tags/0``: the name of a parameter or header field, or a JSON pointer without its start."""
    return error.get("parameter") or error.get("header") or error.get("pointer", "")[1:]
