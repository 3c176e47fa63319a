"""The resource that a page shows: its addresses, its errors and its forms."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django import forms
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.text import Truncator
from rest_framework.response import Response

from api.lists.pagination import DEFAULT_LIMIT, MAX_LIMIT
from api.requests import path_of, root_of
from api.views import openapi_document
from browsable.forms import ApiForm, body_fields, parameter_field, select
from browsable.submissions import submission_of

LABEL_CHARACTERS = 40
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
    # Sending a form twice makes one item: the Idempotency-Key starts with this id.
    id: str = field(default_factory=lambda: str(uuid.uuid4()))


class Resource:
    """The item, the list of items or the other address that one response is about.

    Its forms are those of a ``OwnedViewSet``: create in a list; change, delete and act on one
    item. The trash has a button for each item. Any other route has a form for JSON.
    """

    def __init__(self, view: Any, request: HttpRequest, response: Response, data: Any) -> None:
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
        if getattr(self._view, "action", "") == "create" and not self.problem:
            return self._address("detail", pk=self._data["id"])
        is_item = getattr(self._view, "detail", False)
        return self._address("detail", **self._view.kwargs) if is_item else ""

    @property
    def title(self) -> str:
        """The heading: ``Todos`` for a list, as in the menu, ``Todo`` for an item, or ``Batch``."""
        if self.is_list:
            return self.list_url.split("/")[-2].capitalize()
        return str(self._view.get_view_name())

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
    def pages(self) -> Mapping[str, Any] | None:
        """The links to the pages before and after this one, or ``None``."""
        return self._data if {"next", "previous"} <= self._data.keys() else None

    @property
    def is_list(self) -> bool:
        return not self.url and self._is_at_list

    def links(self) -> dict[str, str]:
        """The texts that become links: top-level addresses of this API, and the ids of items."""
        texts = [each for each in self._data.values() if isinstance(each, str)]
        rows = self._data.get("results") or self._data.get("documents", ())
        items = [self._data, *rows] if self.list_url and not self._is_trash else []
        ids = [item["id"] for item in items if "id" in item]
        return {
            **{each: each for each in texts if each.startswith(f"{root_of(self._request)}/")},
            **{each: self._address("detail", pk=each) for each in ids},
        }

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
        """The parameters of a list or of its trash, with their values in this request."""
        is_filtered = getattr(self._view, "action", "") == "list"
        if not (is_filtered or self._is_trash) or not self.is_open:
            return None
        filters = self._view.filterset_class().fields.items() if is_filtered else ()
        orderings = [sign + name for name in self._view.orderings for sign in ("", "-")]
        fields = {
            **{name: parameter_field(each) for name, each in filters},
            "ordering": forms.Field(widget=select(orderings, blank=True)),
            "limit": forms.Field(help_text=f"1 to {MAX_LIMIT}, {DEFAULT_LIMIT} by default."),
        }
        for name, each in fields.items():
            each.label, each.required = name, False
        return ApiForm(fields, data=self._request.GET, errors=self._errors, auto_id="filter-%s")

    def create(self) -> RequestForm | None:
        methods = self._allowed("POST")
        if not self.is_open or not self._is_at_list or not methods:
            return None
        return self._form(self.list_url, methods, raw=self._example("post"), auto_id="new-%s")

    def change(self) -> RequestForm | None:
        methods = self._allowed("PATCH", "PUT")  # Enter presses the first
        if self._shows_item and methods:
            return self._form(self.url, methods, item=self._data)
        is_corrected = self.url and self._sent and self._request.method in methods
        return self._form(self.url, methods) if is_corrected and self.is_open else None

    def deletions(self) -> list[RequestForm]:
        methods = self._allowed("DELETE")
        if not self._shows_item or not methods:
            return []
        queries = {"Delete": "", "Delete for good": "?permanent=true"}
        return [
            RequestForm(f"{self.url}{query}", methods, label=label, if_match=self._etag)
            for label, query in queries.items()
        ]

    def actions(self) -> list[RequestForm]:
        """The extra actions on one item, such as complete. Their forms have a button alone."""
        if self._is_trash:
            return self._restorations()
        if not self._shows_item:
            return []
        return [
            RequestForm(f"{self.url}{path}/", ["POST"], label=label, if_match=self._etag)
            for path, label in self._extra_actions(detail=True)
            if path != "restore"
        ]

    def _restorations(self) -> list[RequestForm]:
        """A button for each item in the trash, with the first field of the item."""
        name = next(iter(body_fields(self._view.serializer_class())))
        return [
            RequestForm(
                f"{self._address('detail', pk=item['id'])}restore/",
                self._allowed("POST"),
                label=f"Restore {Truncator(item[name]).chars(LABEL_CHARACTERS)}",
                if_match=item["etag"],
            )
            for item in self._data.get("results", ())
            if self._allowed("POST")
        ]

    def other_routes(self) -> list[tuple[str, str]]:
        """The extra actions on a list, such as batch: the address and the label of each."""
        if not self.is_list:
            return []
        actions = self._extra_actions(detail=False)
        return [(f"{self.list_url}{path}/", label) for path, label in actions]

    def by_hand(self) -> RequestForm | None:
        actions = getattr(self._view, "action_map", {})
        methods = self._allowed(*(name.upper() for name in actions if name not in ("get", "head")))
        if not self.is_open or self.url or self._is_at_list or not methods:
            return None
        sent = self._sent.get("_raw") if self._sent else None
        raw = sent or self._example(methods[0].lower())
        return RequestForm(path_of(self._request), methods, raw=raw)

    def _form(
        self,
        url: str,
        methods: Sequence[str],
        *,
        item: Mapping[str, Any] | None = None,
        raw: str | None = None,
        auto_id: str = "%s",
    ) -> RequestForm:
        """A form with the values of ``item`` or defaults; after an error, the form as sent."""
        fields = body_fields(self._view.serializer_class())
        sent = self._sent if self.problem and self._request.method in methods else None
        form = ApiForm(fields, data=sent, initial=item, errors=self._errors, auto_id=auto_id)
        if sent:
            return RequestForm(
                url,
                methods,
                fields=None if "_raw" in sent else form,
                raw=sent.get("_raw") or raw,
                # After a 412 the page links to the new version; sending again overwrites it.
                if_match="*" if self._response.status_code == 412 else sent.get("_if_match", ""),
            )
        if item:
            raw = _indented({name: item.get(name) for name in fields})
        return RequestForm(url, methods, fields=form, raw=raw, if_match=self._etag if item else "")

    @property
    def _errors(self) -> dict[str, list[str]]:
        """The errors by the field or parameter that they are about."""
        errors: dict[str, list[str]] = {}
        for place, detail in self.mistakes:
            errors.setdefault(place.partition("/")[0], []).append(detail)
        return errors

    @property
    def _is_at_list(self) -> bool:
        return path_of(self._request) == self.list_url

    @property
    def _is_trash(self) -> bool:
        return getattr(self._view, "action", "") == "trash"

    @property
    def _shows_item(self) -> bool:
        return bool(self.url) and "id" in self._data

    def _allowed(self, *methods: str) -> list[str]:
        return [each for each in methods if each.lower() in self._view.http_method_names]

    @property
    def _etag(self) -> str:
        return str(self._data.get("etag", ""))

    def _extra_actions(self, *, detail: bool) -> list[tuple[str, str]]:
        """The path and the label of each extra action. One on an item takes a POST."""
        shown = {"post"} if detail else {"get", "post"}
        methods = shown.intersection(self._view.http_method_names)
        actions = self._view.get_extra_actions()
        found = [
            each for each in actions if each.detail == detail and methods & each.mapping.keys()
        ]
        return [(each.url_path, each.kwargs["name"]) for each in found]

    def _address(self, name: str, **kwargs: Any) -> str:
        try:
            return reverse(f"{getattr(self._view, 'basename', '')}-{name}", kwargs=kwargs)
        except NoReverseMatch:
            return ""

    def _example(self, method: str) -> str:
        """The example body in the OpenAPI document for this path, or ``{}``."""
        document = openapi_document()
        operation = document["paths"].get(self._request.path_info, {}).get(method, {})
        content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        schema = content.get("schema", {})
        name = schema.get("$ref", "").rpartition("/")[2]
        schema = document["components"]["schemas"].get(name, schema)
        return _indented(next(iter(schema.get("examples", ())), {}))


def _indented(body: Mapping[str, Any]) -> str:
    return json.dumps(body, indent=2, ensure_ascii=False)
