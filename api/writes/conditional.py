"""Conditional requests (RFC 9110 section 13)."""

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

# A list with NUL, which no header can contain, in the place of each entity tag.
TAG_LIST = re.compile("[ \t,]*(\0[ \t]*(,[ \t,]*|$))*")
ENTITY_TAG = re.compile(r'(W/)?("[\x21\x23-\x7e\x80-\xff]*")')
READING = ("GET", "HEAD")


def check_preconditions(request: Request, etag: str) -> None:
    """Raise ``PreconditionError`` unless the request is for a resource with this entity tag.

    ``has_current`` tells what a reader says in ``If-None-Match`` (RFC 9110 section 13.2.2).
    """
    if_match, writing = request.META.get("HTTP_IF_MATCH"), request.method not in READING
    if if_match is not None or writing:
        require_match(if_match, etag)
    if writing and has_current(request, etag):
        raise ExistsAlready


def require_match(if_match: str | None, etag: str, *, is_list: bool = True) -> None:
    """Raise ``PreconditionError`` unless ``if_match`` names this entity tag.

    It is a list as in ``If-Match``, or the one tag of an operation of a batch. A setting tells
    if there must be one.
    """
    if if_match is None:
        if settings.REQUIRE_IF_MATCH:
            raise PreconditionRequired
        return
    if names(if_match, etag, weakly=False) if is_list else if_match == etag:
        return
    tags = ENTITY_TAG.findall(if_match)
    weakened = any(weak or tag.startswith(etag.removesuffix('"')) for weak, tag in tags)
    raise WeakenedTag() if weakened else PreconditionFailed()


def has_current(request: Request, etag: str) -> bool:
    """Tell if ``If-None-Match`` names the entity tag, for which a reader gets 304."""
    field = request.META.get("HTTP_IF_NONE_MATCH")
    return field is not None and names(field, etag, weakly=True)


def names(field: str, etag: str, *, weakly: bool) -> bool:
    """Tell if a field is ``*`` or a list of entity tags with this one."""
    if field.strip(" \t") == "*":
        return True
    if not TAG_LIST.fullmatch(ENTITY_TAG.sub("\0", field)):
        return False
    return any(tag == etag and (weakly or not weak) for weak, tag in ENTITY_TAG.findall(field))
