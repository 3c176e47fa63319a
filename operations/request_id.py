from __future__ import annotations

import random
import uuid

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from api.requests import REQUEST_ID, Handler


def request_id(get_response: Handler) -> Handler:
    """Give every request an id, and its response the same as ``X-Request-Id``.

    A trusted proxy may send the id. A client may not: it could copy that of another request.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        # Not uuid4(): the id is no secret, and a system call would let other threads run first.
        request_id = _id_of_proxy(request) or str(uuid.UUID(int=random.getrandbits(128), version=4))
        request.META[REQUEST_ID] = request_id
        response = get_response(request)
        response["X-Request-Id"] = request_id
        return response

    return middleware


def _id_of_proxy(request: HttpRequest) -> str | None:
    """Return the sent id where it is a UUID in lower case (RFC 9562 section 4)."""
    text: str = request.META.get(REQUEST_ID, "") if settings.NUM_PROXIES else ""
    try:
        return text if str(uuid.UUID(text)) == text else None
    except ValueError:
        return None
