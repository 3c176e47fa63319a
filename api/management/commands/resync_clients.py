from __future__ import annotations

import time
from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Greatest

from api.models import ChangeCounter
from api.owned import counting
from api.owned.registry import owned_models

# More than the changes, and the purges, of an owner between a backup and its restore. The clock
# makes the numbers of another run on the same backup different. No old position is good again.
CHANGES_LOST = 2**20
PURGES_LOST = 2**10


class Command(BaseCommand):
    help = (
        "Let every client read all rows of its user again. Run this after you have restored a"
        " backup, and after an upgrade in which servers before 0.4 wrote rows."
    )

    def handle(self, **options: Any) -> None:
        owners = self._owners()
        for owner_id in owners:
            with transaction.atomic():
                resync(owner_id)
        self.stdout.write(f"The clients of {len(owners)} users will read all rows again.")

    def _owners(self) -> list[str]:
        without_number = (
            model.objects.filter(change_number=None).values_list("owner_id", flat=True)
            for model in owned_models()
        )
        counted = ChangeCounter.objects.values_list("owner_id", flat=True)
        return sorted({*counted.union(*without_number)})


def resync(owner_id: str) -> None:
    """Number the rows that have no number, and let all positions of before be refused."""
    counting.lock(owner_id)
    for model in owned_models():
        model.objects.filter(owner_id=owner_id, change_number=None).renumber()
    seconds = int(time.time())
    rows = ChangeCounter.objects.filter(owner_id=owner_id)
    rows.update(
        value=Greatest(F("value") + CHANGES_LOST, seconds),
        purged_to=Greatest(F("value") + CHANGES_LOST, seconds),
        purges=Greatest(F("purges") + PURGES_LOST, seconds // 3600),
    )
