"""Deletion for good of what has been in the trash for ``TRASH_DAYS``."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Greatest

from api.models import ChangeCounter
from api.owned import counting
from api.owned.models import OwnedModel
from api.owned.querysets import MOST_AT_ONCE, OwnedQuerySet
from api.owned.registry import owned_models


def purge_trash() -> dict[type[OwnedModel], int]:
    """Delete the rows of all owners that are to be purged, and count those of each model.

    A request that writes waits for one batch of its own user at most. Costs a statement for each
    model that reads the index of its trash, and four for each batch of an owner.
    """
    deleted = {}
    purged = set[str]()
    for model in owned_models():
        rows: OwnedQuerySet[Any] = model.objects.to_be_purged()
        owners = [*rows.order_by().values_list("owner_id", flat=True).distinct()]
        deleted[model] = sum(
            _purge_owner(rows, owner_id, is_first=owner_id not in purged) for owner_id in owners
        )
        purged.update(owners)
    return deleted


def _purge_owner(rows: OwnedQuerySet[Any], owner_id: str, *, is_first: bool) -> int:
    deleted = 0
    newest_first = rows.filter(owner_id=owner_id).order_by("-deleted_at", "-id")
    while True:
        with transaction.atomic():
            counting.lock(owner_id)
            batch = dict(newest_first.values_list("pk", "change_number")[:MOST_AT_ONCE])
            rows.filter(owner_id=owner_id, pk__in=batch).erase()
            ChangeCounter.objects.filter(owner_id=owner_id).update(
                purged_to=Greatest("purged_to", max((n or 0 for n in batch.values()), default=0)),
                purges=F("purges") + int(is_first and not deleted),
            )
        deleted += len(batch)
        if len(batch) < MOST_AT_ONCE:
            return deleted
