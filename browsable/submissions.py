"""A form of a page -> the JSON request that it stands for.

A browser's form can say GET and POST, and nothing but text. What else a request has is in its
controls, whose names start with ``_``: everything that the API knows happens with JSON, and no
view has to know of forms.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

from django.http import HttpRequest, QueryDict
from rest_framework import serializers

from authn import strict_json
from authn.authentication import bearer_token
from browsable.cookies import token_in
from browsable.inputs import as_typed, inputs_of

FORM_MEDIA_TYPE = "application/x-www-form-urlencoded"
JSON_MEDIA_TYPE = "application/json"
CSRF_FIELD = "csrfmiddlewaretoken"
METHODS = ("POST", "PUT", "PATCH", "DELETE")


@dataclass(frozen=True, slots=True)
class Submission:
    """``texts`` is what was filled in, ``shown`` what the form had before. ``raw`` is JSON that
    was written by hand instead of both."""

    method: str
    texts: Mapping[str, str]
    shown: Mapping[str, str]
    raw: str | None
    if_match: str
    form_id: str
    csrf_token: str

    @classmethod
    def read(cls, form: QueryDict) -> Self:
        method = form.get("_method", "")
        return cls(
            method=method if method in METHODS else "POST",
            texts={
                name: str(form[name])
                for name in form
                if name != CSRF_FIELD and not name.startswith("_")
            },
            shown=_shown(form.get("_shown", "")),
            raw=form.get("_raw"),
            if_match=form.get("_if_match", ""),
            form_id=form.get("_form", ""),
            csrf_token=form.get(CSRF_FIELD, ""),
        )

    def body(self, serializer: serializers.Serializer[Any] | None) -> bytes:
        """What the request says, in the fields of ``serializer``; nothing where it has none."""
        if self.raw is not None:
            return self.raw.encode()
        if serializer is None:
            return b""
        return json.dumps(dict(self._values(serializer))).encode()

    def _values(self, serializer: serializers.Serializer[Any]) -> Iterator[tuple[str, Any]]:
        """A PUT says everything; any other request what is not as it was shown."""
        inputs = {each.name: each for each in inputs_of(serializer)}
        for name, each in inputs.items():
            text = self.texts.get(name, "")
            if self.method == "PUT" or _differ(text, self.shown.get(name, "")):
                yield name, each.value_of(text)
        for name in self.texts.keys() - inputs.keys():
            yield name, self.texts[name]  # the view says what it thinks of it


def submission_in(request: HttpRequest) -> Submission | None:
    return getattr(request, "submission", None)


def is_form(request: HttpRequest) -> bool:
    """Whether a page may have sent it: whoever has a token in the header has no page."""
    return (
        request.method == "POST"
        and request.content_type == FORM_MEDIA_TYPE
        and token_in(request) is not None
        and bearer_token(request) is None
    )


def translate(request: HttpRequest, view: Callable[..., Any]) -> None:
    """Make of a form the request that it stands for. Its CSRF token is still to be checked."""
    submission = Submission.read(request.POST)
    request.submission = submission  # type: ignore[attr-defined]
    request.method = submission.method
    serializer = _serializer_for(view, submission.method)
    body = submission.body(serializer)
    # Where Django and the framework look for a body that has been read.
    request._body = body  # noqa: SLF001
    replace_headers(
        request,
        CONTENT_TYPE=JSON_MEDIA_TYPE,
        CONTENT_LENGTH=str(len(body)),
        HTTP_X_CSRFTOKEN=submission.csrf_token,
        HTTP_IF_MATCH=submission.if_match,
        HTTP_IDEMPOTENCY_KEY=_idempotency_key(submission, body),
    )


def replace_headers(request: HttpRequest, **fields: str) -> None:
    """Set header fields by their names in ``META``; ``""`` takes one away."""
    for name, value in fields.items():
        request.META.pop(name, None)
        if value:
            request.META[name] = value
    request.__dict__.pop("headers", None)  # Django keeps what it has made of them


def _serializer_for(view: Callable[..., Any], method: str) -> serializers.Serializer[Any] | None:
    """That of the resource. An action of its own takes nothing, or JSON that is written by hand."""
    action = getattr(view, "actions", {}).get(method.lower())
    if action not in ("create", "update", "partial_update"):
        return None
    serializer: serializers.Serializer[Any] = view.cls.serializer_class()  # type: ignore[attr-defined]
    return serializer


def _idempotency_key(submission: Submission, body: bytes) -> str:
    """The same for a form that is sent twice, and another one where somebody went back to it and
    wrote something else, or pressed another button."""
    if not submission.form_id:
        return ""
    sent = submission.method.encode() + body
    return f"{submission.form_id}.{hashlib.sha256(sent).hexdigest()}"


def _differ(text: str, other: str) -> bool:
    return as_typed(text) != as_typed(other)


def _shown(text: str) -> dict[str, str]:
    try:
        shown = strict_json.parse_object(text.encode())
    except ValueError:  # no page has written this
        return {}
    return {name: str(value) for name, value in shown.items()}
