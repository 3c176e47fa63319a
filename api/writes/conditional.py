"""Conditional requests (RFC 9110 section 13): only if it is still, or no longer, what I saw."""

from __future__ import annotations

import re

from django.conf import settings
from rest_framework.request import Request

from api.errors.exceptions import (
    ExistsAlready,
    PreconditionFailed,
    PreconditionRequired,
    WeakenedTag,
)

# A list whose entity tags are each replaced by NUL, which no field can contain.
TAG_LIST = re.compile("[ \t,]*(\0[ \t]*(,[ \t,]*|$))*")
ENTITY_TAG = re.compile(r'(W/)?("[\x21\x23-\x7e\x80-\xff]*")')
READING = ("GET", "HEAD")


def check_preconditions(request: Request, etag: str) -> None:
    """Raise ``PreconditionFailed`` unless the request is for what has this strong entity tag.

    ``PreconditionRequired`` where a setting asks writers to say what they have seen. What a
    reader says in ``If-None-Match`` is for ``has_current`` (RFC 9110 section 13.2.2).
    """
    if_match, writing = request.META.get("HTTP_IF_MATCH"), request.method not in READING
    if if_match is None and writing and settings.REQUIRE_IF_MATCH:
        raise PreconditionRequired
    if if_match is not None and not matches(if_match, etag, weakly=False):
        raise mismatch(if_match, etag)
    if writing and has_current(request, etag):
        raise ExistsAlready


def mismatch(field: str, etag: str) -> PreconditionFailed:
    """The error for an ``If-Match`` that does not name this entity tag."""
    tags = ENTITY_TAG.findall(field)
    weakened = any(weak or tag.startswith(etag.removesuffix('"')) for weak, tag in tags)
    return WeakenedTag() if weakened else PreconditionFailed()


def has_current(request: Request, etag: str) -> bool:
    """Whether ``If-None-Match`` names it: to a reader, 304 is the answer."""
    field = request.META.get("HTTP_IF_NONE_MATCH")
    return field is not None and matches(field, etag, weakly=True)


def matches(field: str, etag: str, *, weakly: bool) -> bool:
    """Whether a list of entity tags, or ``*``, names this one. What is no such list does not."""
    if field.strip(" \t") == "*":
        return True
    if not TAG_LIST.fullmatch(ENTITY_TAG.sub("\0", field)):
        return False
    return any(tag == etag and (weakly or not weak) for weak, tag in ENTITY_TAG.findall(field))
