"""The resource that a page shows: its addresses, its errors and its forms."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.http import HttpRequest
from django.urls import NoReverseMatch, resolve, reverse
from rest_framework.response import Response
from rest_framework.views import APIView

from api.lists.pagination import DEFAULT_LIMIT, MAX_LIMIT
from api.requests import path_of, route_of
from api.views import openapi_document
from browsable.forms import ApiForm, body_fields, parameter_field, select
from browsable.submissions import submission_of

# Errors that the user can correct in the same form.
CORRECTABLE = (400, 405, 409, 412, 413, 415, 422, 428)


@dataclass(frozen=True, slots=True)
class RequestForm:
    """A form of a page, with a button for each method. ``raw`` is JSON to edit by hand."""

    url: str
    methods: Sequence[str]
    label: str = ""
    fields: ApiForm | None = None
    raw: str | None = None
    if_match: str = ""
    # Sending a form twice makes one todo: the Idempotency-Key starts with this id.
    id: str = field(default_factory=lambda: str(uuid.uuid4()))


class Resource:
    """The todo, the list or the other address that one response is about.

    Its forms come from the routes of the viewset: create in a list; change, delete and act on one
    item. Any other route has a form for JSON.
    """

    def __init__(self, view: APIView, request: HttpRequest, response: Response, data: Any) -> None:
        self._view = view
        self._request = request
        self._response = response
        self._data = data if isinstance(data, dict) else {}
        self._sent = submission_of(request)
        self.problem: Mapping[str, Any] | None = self._data if response.status_code >= 400 else None

    @cached_property
    def list_url(self) -> str:
        return self._address("list")

    @cached_property
    def url(self) -> str:
        """The address of one item, or ``""``."""
        if self._response.status_code == 201:
            return urlsplit(self._response.get("Location", "")).path
        is_item = getattr(self._view, "detail", False)
        return self._address("detail", **self._view.kwargs) if is_item else ""

    @property
    def page_url(self) -> str:
        """The address to come back to: after a form, the item or the list that it was for."""
        if self._request.method in ("GET", "HEAD"):
            return self._request.get_full_path()
        return self.url or self._request.path

    @property
    def is_open(self) -> bool:
        return not self.problem or self._response.status_code in CORRECTABLE

    @property
    def is_list(self) -> bool:
        return not self.url and path_of(self._request) == self.list_url

    def item_addresses(self) -> dict[str, str]:
        """The address of each item in the response, by its id."""
        items = [] if self.problem else [self._data, *self._data.get("results", ())]
        ids = [item["id"] for item in items if isinstance(item, dict) and "id" in item]
        addresses = {each: self._address("detail", pk=each) for each in ids}
        return {each: address for each, address in addresses.items() if address}

    @property
    def mistakes(self) -> list[tuple[str, str]]:
        """The errors of the problem document: a place, such as ``tags/0``, and a text."""
        return [
            (
                each.get("parameter") or each.get("header") or each.get("pointer", "")[1:],
                each["detail"],
            )
            for each in (self.problem or {}).get("errors", ())
        ]

    def filters(self) -> ApiForm | None:
        """The parameters of a list, with their values in this request."""
        view: Any = self._view
        if not (hasattr(view, "filterset_class") and view.action == "list" and self.is_open):
            return None
        filters = view.filterset_class().fields.items()
        orderings = [sign + name for name in view.orderings for sign in ("", "-")]
        fields = {
            **{name: parameter_field(each) for name, each in filters},
            "ordering": forms.Field(widget=select(orderings, blank=True)),
            "limit": forms.Field(help_text=f"1 to {MAX_LIMIT}, {DEFAULT_LIMIT} by default."),
        }
        for name, each in fields.items():
            each.label, each.required = name, False
        return ApiForm(fields, data=self._request.GET, errors=self._errors, auto_id="filter-%s")

    def create(self) -> RequestForm | None:
        is_here = self.is_open and path_of(self._request) == self.list_url
        if not is_here or "create" not in self._actions(self.list_url).values():
            return None
        example = _example(self.list_url, "post")
        return self._form(self.list_url, ["POST"], raw=example, auto_id="new-%s")

    def change(self) -> RequestForm | None:
        actions = self._actions(self.url)
        methods = [name for name in ("PATCH", "PUT") if name.lower() in actions]  # Enter: PATCH
        is_corrected = self.is_open and self._sent and self._request.method in methods
        if methods and (self._shows_item or is_corrected):
            return self._form(self.url, methods, data=self._data)
        return None

    def delete(self) -> RequestForm | None:
        if self._shows_item and "delete" in self._actions(self.url):
            return RequestForm(self.url, ["DELETE"], if_match=self._etag)
        return None

    def actions(self) -> list[RequestForm]:
        """The extra actions on one item, such as complete. Their forms have a button alone."""
        if not self._shows_item:
            return []
        return [
            RequestForm(f"{self.url}{path}/", ["POST"], label=label, if_match=self._etag)
            for path, label in self._extra_actions(detail=True)
        ]

    def other_routes(self) -> list[tuple[str, str]]:
        """The extra actions on a list, such as batch: the address and the label of each."""
        if not self.is_list:
            return []
        actions = self._extra_actions(detail=False)
        return [(f"{self.list_url}{path}/", label) for path, label in actions]

    def by_hand(self) -> RequestForm | None:
        path = path_of(self._request)
        methods = [name.upper() for name in self._actions(path) if name != "get"]
        if not self.is_open or self.url or path == self.list_url or not methods:
            return None
        sent = self._sent.get("_raw") if self._sent else None
        return RequestForm(path, methods, raw=sent or _example(path, methods[0].lower()))

    def _form(
        self,
        url: str,
        methods: Sequence[str],
        *,
        data: Mapping[str, Any] | None = None,
        raw: str | None = None,
        auto_id: str = "%s",
    ) -> RequestForm:
        """A form with ``data`` or defaults; after an error, the form as it was sent."""
        fields = body_fields(self._view.serializer_class())  # type: ignore[attr-defined]
        sent = self._sent
        if not (self.problem and sent and self._request.method in methods):
            if data:
                own = {name: data.get(name) for name in fields}
                raw = json.dumps(own, indent=2, ensure_ascii=False)
            form = ApiForm(fields, initial=data, auto_id=auto_id)
            if_match = self._etag if data else ""
            return RequestForm(url, methods, fields=form, raw=raw, if_match=if_match)
        filled = ApiForm(fields, data=sent, errors=self._errors, auto_id=auto_id)
        return RequestForm(
            url,
            methods,
            fields=None if "_raw" in sent else filled,
            raw=sent.get("_raw") or raw,
            # After a 412 the page links to the new version; sending again overwrites it.
            if_match="*" if self._response.status_code == 412 else sent.get("_if_match", ""),
        )

    @property
    def _errors(self) -> dict[str, list[str]]:
        """The errors by the field or parameter that they are about."""
        errors: dict[str, list[str]] = {}
        for place, detail in self.mistakes:
            errors.setdefault(place.partition("/")[0], []).append(detail)
        return errors

    @property
    def _shows_item(self) -> bool:
        is_shown = self.url and self._data and not self.problem
        return bool(is_shown) and self._request.method != "OPTIONS"

    @property
    def _etag(self) -> str:
        return str(self._data.get("etag", ""))

    def _extra_actions(self, *, detail: bool) -> Iterator[tuple[str, str]]:
        """The path and the label of each extra action that takes a POST."""
        for each in self._view.get_extra_actions():  # type: ignore[attr-defined]
            if each.detail == detail and "post" in each.mapping:
                path = each.url_path
                yield path, path.replace("-", " ").replace("_", " ").capitalize()

    def _actions(self, path: str) -> Mapping[str, str]:
        """The actions of the route at ``path``, by their methods in lower case."""
        view = resolve(route_of(path)).func if path else None
        return getattr(view, "actions", None) or {}

    def _address(self, name: str, **kwargs: Any) -> str:
        try:
            return reverse(f"{getattr(self._view, 'basename', '')}-{name}", kwargs=kwargs)
        except NoReverseMatch:
            return ""


def _example(path: str, method: str) -> str:
    """The example body in the OpenAPI document, or ``{}``."""
    document = openapi_document()
    operation = document["paths"].get(route_of(path), {}).get(method, {})
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    schema = content.get("schema", {})
    name = schema.get("$ref", "").rpartition("/")[2]
    schema = document["components"]["schemas"].get(name, schema)
    return json.dumps(next(iter(schema.get("examples", ())), {}), indent=2, ensure_ascii=False)
