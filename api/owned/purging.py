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
    for model in owned_models():
        rows: OwnedQuerySet[Any] = model.objects.to_be_purged()
        owners = [*rows.order_by().values_list("owner_id", flat=True).distinct()]
        deleted[model] = sum(_purge_owner(rows, owner_id) for owner_id in owners)
    return deleted


def _purge_owner(rows: OwnedQuerySet[Any], owner_id: str) -> int:
    deleted, own = 0, rows.filter(owner_id=owner_id)
    newest_first = own.order_by("-deleted_at", "-id").values_list("pk", "change_number")
    while True:
        with transaction.atomic():
            counting.lock(owner_id)
            batch = dict(newest_first[:MOST_AT_ONCE])
            own.filter(pk__in=batch).erase()
            # A poll reads two statements, and sees by ``purges`` that rows went between them.
            ChangeCounter.objects.filter(owner_id=owner_id).update(
                purged_to=Greatest("purged_to", max((n or 0 for n in batch.values()), default=0)),
                purges=F("purges") + 1,
            )
        deleted += len(batch)
        if len(batch) < MOST_AT_ONCE:
            return deleted
