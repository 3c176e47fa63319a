"""The changes of a user's rows since a position, for clients that keep a copy.

A position is the number of a change (``api.owned.counting``). Numbers are in the order of commits,
so a client that has seen one has seen all lower ones. A client whose position is lower than the
number of a row that is no longer stored may never hear of that deletion: it starts again.

A client that starts has no copy, and may read on from such a low number until the next purge. Its
positions carry the count of purges in front of the number.
"""

from __future__ import annotations

import hashlib
import re
from functools import cache, lru_cache
from typing import Any

from django.db.models import Subquery
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from api.bodies.fields import etag_of
from api.errors.exceptions import InvalidParameter, ResyncRequired
from api.lists.pagination import MAX_LIMIT, fitting, limit_of
from api.models import ChangeCounter
from api.owned.models import ANY_USER, OwnedModel
from api.owned.serializers import OwnedSerializer
from api.writes.conditional import has_current
from database.compiled import Compiled

PARAMETERS = frozenset({"since", "limit"})
PURGE = 2**32  # above every number of a change
MAX_SINCE = 2**53 - 1  # the highest whole number that JavaScript has


def changes_since(
    model: type[OwnedModel], serializer_class: type[OwnedSerializer], request: Request
) -> Response:
    """Answer with the rows that have changed, in the order of their changes.

    Costs one statement if nothing has changed, else two; three if no row of this model has.
    """
    since, limit = _since(request), limit_of(request, MAX_LIMIT)
    counter = _counter_of(str(request.user.pk))
    number = _number_of(since, counter)
    etag = _etag(counter)
    if has_current(request, etag):
        return Response(status=status.HTTP_304_NOT_MODIFIED, headers={"ETag": etag})
    rows = _rows_after(number, model, counter, limit + 1)
    # A purge came between the two statements, or no change was of a row of this model.
    is_doubtful = not rows and counter.value > number
    if is_doubtful and _counter_of(counter.owner_id).purges != counter.purges:
        return changes_since(model, serializer_class, request)
    documents = [*map(serializer_class.document, rows[:limit])]
    count = fitting(documents, request)
    more = count < len(rows)
    reached = rows[count - 1].change_number if more else counter.value
    checkpoint = {"since": _position_of(reached, counter)}
    data = {"documents": documents[:count], "checkpoint": checkpoint, "more": more}
    return Response(data, headers={"ETag": _etag(counter, more=more)})


def _etag(counter: Any, *, more: bool = False) -> str:
    """Return another tag after each change of the owner, for each purge and for each owner.

    A change of another resource gives a polling client a new position. No purge then outdates it.
    An answer that is followed by ``more`` has a tag that no poll matches.
    """
    parts = (counter.owner_id, counter.value, counter.purges, more)
    return etag_of(hashlib.sha256(repr(parts).encode()).hexdigest()[:32])


def _since(request: Request) -> int:
    text = request.query_params.get("since", "0")
    if not re.fullmatch("[0-9]{1,16}", text) or int(text) > MAX_SINCE:
        raise InvalidParameter(("since", "invalid", "Send 0, or the since of a checkpoint."))
    return int(text)


def _number_of(since: int, counter: Any) -> int:
    """Return the number of a position. Raises ``ResyncRequired``."""
    purges, number = divmod(since, PURGE)
    oldest = 0 if purges or not number else counter.purged_to
    if purges not in (0, counter.purges) or not oldest <= number <= counter.value:
        raise ResyncRequired
    return number


def _position_of(number: int, counter: Any) -> int:
    return number if number >= counter.purged_to else counter.purges * PURGE + number


def _counter_of(owner_id: str) -> ChangeCounter:
    found = _counter().rows(owner_id)
    return found[0] if found else ChangeCounter(owner_id=owner_id, value=0)


def _rows_after(number: int, model: type[OwnedModel], counter: Any, count: int) -> list[Any]:
    if counter.value <= number:
        return []
    changed = _changed(model, count, with_deleted=number > 0)
    return changed.rows(counter.owner_id, number, counter.owner_id, counter.purges)


@cache
def _counter() -> Compiled[ChangeCounter]:
    return Compiled(ChangeCounter.objects.filter(owner_id=ANY_USER.id))


@lru_cache(maxsize=128)
def _changed(model: type[OwnedModel], count: int, *, with_deleted: bool) -> Compiled[Any]:
    """Find the rows after a number, or none if there has been another purge."""
    purges = ChangeCounter.objects.filter(owner_id=ANY_USER.id).values("purges")
    rows = model.objects.as_shown().kept_for(ANY_USER).filter(change_number__gt=0)
    rows = rows.alias(purges=Subquery(purges)).filter(purges=0)
    if not with_deleted:
        rows = rows.filter(deleted_at=None)
    return Compiled(rows.order_by("change_number")[:count])
