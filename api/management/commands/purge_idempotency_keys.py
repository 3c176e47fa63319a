from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from api.models import IdempotencyKey

BATCH_SIZE = 1000  # requests that want to write wait for one batch at most


class Command(BaseCommand):
    help = "Delete the idempotency keys that are older than 24 hours, and abandoned ones."

    def handle(self, **options: Any) -> None:
        # Keys of every owner. A request sees those of its own user only.
        spent = IdempotencyKey.objects.spent(timezone.now())
        oldest_first = spent.order_by("claimed_at").values_list("claimed_at", flat=True)
        deleted = 0
        while batch := list(oldest_first[:BATCH_SIZE]):
            deleted += spent.filter(claimed_at__lte=batch[-1]).delete()[0]
        self.stdout.write(f"Deleted {deleted} idempotency keys.")
