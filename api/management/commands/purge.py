from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from api.models import IdempotencyKey
from api.owned.purging import purge_trash

BATCH_SIZE = 1000  # requests that want to write wait for one batch at most


class Command(BaseCommand):
    help = (
        "Delete for good what has been in the trash for TRASH_DAYS, and the idempotency keys that "
        "are older than 24 hours or abandoned."
    )

    def handle(self, **options: Any) -> None:
        self.stdout.write(f"Deleted {purge_keys()} idempotency keys.")
        for model, count in purge_trash().items():
            self.stdout.write(f"Deleted {count} {model._meta.verbose_name_plural}.")  # noqa: SLF001 - public by name


def purge_keys() -> int:
    """Delete keys of every owner. A request sees those of its own user only."""
    spent = IdempotencyKey.objects.spent(timezone.now())
    oldest_first = spent.order_by("claimed_at").values_list("claimed_at", flat=True)
    deleted = 0
    while batch := list(oldest_first[:BATCH_SIZE]):
        deleted += spent.filter(claimed_at__lte=batch[-1]).delete()[0]
    return deleted
