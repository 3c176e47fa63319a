"""Requests that may be repeated: ``Idempotency-Key`` (draft-ietf-httpapi-idempotency-key-header).

Every unsafe method takes a key. GET and HEAD ignore it.

A key is claimed in a transaction of its own, so that concurrent repeats see it. The changes of a
request and its answer are then committed together, so that a crash keeps both or neither.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from contextlib import ExitStack
from functools import lru_cache, partial, wraps
from typing import Any, TypeVar, cast

from django.db import IntegrityError, transaction
from django.utils import timezone
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from api.bodies.renderers import JSONRenderer
from api.errors.exceptions import (
    ContentTooLarge,
    IdempotencyKeyInFlight,
    IdempotencyKeyReused,
    IdempotencyKeysUsedUp,
    InvalidHeader,
)
from api.models import KEPT, ROW_OCTETS, IdempotencyKey, IdempotencyKeyQuerySet

Handler = TypeVar("Handler", bound=Callable[..., Response])

# Looked for in META: request.headers is made of all fields first.
FIELD, META_FIELD = "Idempotency-Key", "HTTP_IDEMPOTENCY_KEY"
MARKER = "Idempotency-Replayed"
# No comma: a header that is sent twice arrives as a list (RFC 9110 section 5.3).
KEY = re.compile(r"[!-+\--~]{1,255}")
# A short request can have a large answer, and a user many keys.
MAX_ANSWER_OCTETS = 256 * 1024
MAX_OWNER_OCTETS = 16 * 1024 * 1024
# Adding up the stored octets of a user takes longer than the rest of a request.
ASKING_AFTER_OCTETS = 256 * 1024


def idempotent(handler: Handler) -> Handler:
    """Call a method of a view once for a user, a path and a key.

    A repeat within 24 hours gets the stored answer, with ``Idempotency-Replayed: true``. If the
    answer is no 2xx, the database is as before and the key is free again. A request without the
    header calls the method as it is.

    Not for use inside a transaction. Costs two statements, and a repeat three.

    Raises ``InvalidHeader`` for an invalid key. Raises ``ContentTooLarge`` for an answer of over
    256 KiB. Raises ``IdempotencyKeyReused`` for another method, query or body. Raises
    ``IdempotencyKeyInFlight`` before there is an answer. Raises ``IdempotencyKeysUsedUp`` if the
    stored answers of the user leave no room.
    """

    @wraps(handler)
    def handle(view: APIView, request: Request, *args: Any, **kwargs: Any) -> Response:
        make = partial(handler, view, request, *args, **kwargs)
        if META_FIELD not in request.META:
            return make()
        claim = _claim_for(request)
        return _carry_out(claim, make) if _is_taken(claim) else _repeat(claim)

    return cast("Handler", handle)


def is_repeat(request: Request) -> bool:
    """Tell if an unsafe request with this key has a stored answer.

    A view must not check a precondition of a repeat, because the first request changed the row.
    """
    key = request.META.get(META_FIELD, "")
    if not KEY.fullmatch(key):
        return False
    row = IdempotencyKey.objects.filter(owner_id=request.user.pk, path=request.path_info, key=key)
    return row.answered(timezone.now()).exists()


def _claim_for(request: Request) -> IdempotencyKey:
    key = request.META[META_FIELD]
    if not KEY.fullmatch(key):
        raise InvalidHeader(
            (FIELD, "invalid", "One key of 1 to 255 visible ASCII characters, no comma.")
        )
    return IdempotencyKey(
        owner_id=str(request.user.pk),
        path=request.path_info,  # has its trailing slash, which request.path may lack
        key=key,
        body_digest=_digest(request),
        claimed_at=timezone.now(),
    )


def _digest(request: Request) -> str:
    """Digest the method and the JSON, regardless of spaces and the order of members.

    A POST has no method in its digest. A DELETE has no body (RFC 9110 section 9.3.5), but may have
    a query, which decides what it does.
    """
    if request.method == "DELETE":
        query = request.META.get("QUERY_STRING", "")
        return hashlib.sha256(f"DELETE{query}".encode()).hexdigest()
    method = "" if request.method == "POST" else f"{request.method} "
    text = f"{method}{json.dumps(request.data, sort_keys=True)}"
    return hashlib.sha256(text.encode()).hexdigest()


def _is_taken(claim: IdempotencyKey) -> bool:
    """Take the key if it is free. One of several concurrent requests succeeds."""
    try:
        with transaction.atomic(durable=True):  # others must see it before the work begins
            claim.save(force_insert=True)
    except IntegrityError:
        return bool(
            _row(claim)
            .spent(claim.claimed_at)
            .update(
                claimed_at=claim.claimed_at,
                body_digest=claim.body_digest,
                status=None,
                headers={},
                body="",
            )
        )
    return True


def _carry_out(claim: IdempotencyKey, make: Callable[[], Response]) -> Response:
    with ExitStack() as unless_answered:
        unless_answered.callback(_in_flight(claim).delete)
        _require_room(claim)
        with transaction.atomic():
            response = make()
            if not status.is_success(response.status_code):
                transaction.set_rollback(True)
                return response
            stored = _stored(response)
            if not _in_flight(claim).update(**stored):
                # Another request has taken the key over after a minute.
                raise IdempotencyKeyInFlight
            _left_of(claim.owner_id)[0] -= ROW_OCTETS + len(stored["body"].encode())
        unless_answered.pop_all()
    return response


def _require_room(claim: IdempotencyKey) -> None:
    """Refuse a new key: deleting an answered one would let its request happen twice."""
    left = _left_of(claim.owner_id)
    if left[0] > 0:
        return
    kept = IdempotencyKey.objects.filter(owner_id=claim.owner_id).answered(claim.claimed_at)
    left[0] = min(ASKING_AFTER_OCTETS, MAX_OWNER_OCTETS - kept.octets())
    if left[0] <= 0:
        oldest = kept.first_claim() or claim.claimed_at
        raise IdempotencyKeysUsedUp((oldest + KEPT - claim.claimed_at).total_seconds())


@lru_cache(4096)
def _left_of(owner_id: str) -> list[int]:
    """Return a list of one number: the octets left until this process asks the database again."""
    return [0]


def _repeat(claim: IdempotencyKey) -> Response:
    first = _row(claim).first()
    if first is None:
        raise IdempotencyKeyInFlight  # the first request failed a moment ago
    if first.body_digest != claim.body_digest:
        raise IdempotencyKeyReused
    if first.status is None:
        raise IdempotencyKeyInFlight
    return Response(
        json.loads(first.body) if first.body else None,
        status=first.status,
        headers={**first.headers, MARKER: "true"},
    )


def _row(claim: IdempotencyKey) -> IdempotencyKeyQuerySet:
    return IdempotencyKey.objects.filter(owner_id=claim.owner_id, path=claim.path, key=claim.key)


def _in_flight(claim: IdempotencyKey) -> IdempotencyKeyQuerySet:
    """Return the row if this claim is neither answered nor taken over."""
    return _row(claim).filter(claimed_at=claim.claimed_at, status__isnull=True)


def _stored(response: Response) -> dict[str, Any]:
    # DRF sets the content type when it renders the repeat.
    headers = {name: value for name, value in response.items() if name != "Content-Type"}
    body = JSONRenderer().render(response.data)
    if len(body) > MAX_ANSWER_OCTETS:
        raise ContentTooLarge(
            "The answer is too large to be kept for a repeat. Ask for less at once."
        )
    return {"status": response.status_code, "headers": headers, "body": body.decode()}
