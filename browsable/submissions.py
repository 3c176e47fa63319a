"""A form sent by a page becomes the JSON request that it stands for.

HTML forms send GET or POST, and text. So a page puts the method, the version and JSON written by
hand into controls, whose names start with ``_``. No view knows of forms.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from typing import Any

from django.http import HttpRequest, QueryDict

from authn.authentication import bearer_token
from browsable import cookies
from browsable.forms import ApiForm, body_fields

SUBMISSION = "todos.submission"  # in META: the form, also after it became JSON
CSRF_FIELD = "csrfmiddlewaretoken"
NOT_FIELDS = ("_", "initial-", CSRF_FIELD)  # what such names start with


def submission_of(request: HttpRequest) -> QueryDict | None:
    """The form that a request was translated from."""
    return request.META.get(SUBMISSION)


def is_submission(request: HttpRequest) -> bool:
    """Recognize a form sent with the cookie and without a Bearer header."""
    return (
        request.method == "POST"
        and request.content_type == "application/x-www-form-urlencoded"
        and cookies.NAME in request.COOKIES
        and bearer_token(request) is None
    )


def translate(request: HttpRequest, view: Callable[..., Any]) -> None:
    """Turn a form into a JSON request. Its CSRF token is checked later, by authentication."""
    form = request.POST
    request.META[SUBMISSION] = form
    wanted = form.get("_method")
    request.method = wanted if wanted in ("PUT", "PATCH", "DELETE") else "POST"
    body = _body(form, request.method, view)
    request._body = body  # noqa: SLF001 - Django and DRF read it instead of the stream
    replace_headers(
        request,
        CONTENT_TYPE="application/json",
        CONTENT_LENGTH=str(len(body)),
        HTTP_X_CSRFTOKEN=form.get(CSRF_FIELD, ""),
        HTTP_IF_MATCH=form.get("_if_match", ""),
        HTTP_IDEMPOTENCY_KEY=_idempotency_key(form, request.method, body),
    )


def replace_headers(request: HttpRequest, **fields: str) -> None:
    """Set header fields by their names in ``META``; an empty value removes one."""
    for name, value in fields.items():
        request.META.pop(name, None)
        if value:
            request.META[name] = value
    request.__dict__.pop("headers", None)  # cached by Django


def _body(form: QueryDict, method: str, view: Callable[..., Any]) -> bytes:
    """Only a create or an update has fields; any other action has JSON written by hand, or none."""
    if (raw := form.get("_raw")) is not None:
        return raw.encode()
    action = getattr(view, "actions", {}).get(method.lower())
    if action not in ("create", "update", "partial_update"):
        return b""
    fields = body_fields(view.cls.serializer_class())  # type: ignore[attr-defined]
    return json.dumps(dict(_values(ApiForm(fields, data=form), method))).encode()


def _values(form: ApiForm, method: str) -> Iterator[tuple[str, Any]]:
    """All fields for PUT, otherwise those that the user changed."""
    form.full_clean()
    for name in form.fields if method == "PUT" else form.changed_data:
        yield name, form.cleaned_data[name]
    for name in form.data:
        if name not in form.fields and not name.startswith(NOT_FIELDS):
            yield name, form.data[name]  # the API refuses it


def _idempotency_key(form: QueryDict, method: str, body: bytes) -> str:
    """Repeat the key of a form sent twice; another body or button makes another key."""
    if not (form_id := form.get("_form")):
        return ""
    return f"{form_id}.{hashlib.sha256(method.encode() + body).hexdigest()}"
