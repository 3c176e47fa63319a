from __future__ import annotations

from datetime import datetime, timedelta
from typing import ClassVar, Self

from django.db import models
from django.db.models import Q

KEPT = timedelta(hours=24)
# By then whoever took a key has answered, or has died before it could.
ABANDONED_AFTER = timedelta(seconds=60)


class IdempotencyKeyQuerySet(models.QuerySet["IdempotencyKey"]):
    def spent(self, now: datetime) -> Self:
        """Those that stand for nothing any more: kept for long enough, or abandoned in flight."""
        return self.filter(
            Q(claimed_at__lte=now - KEPT)
            | Q(claimed_at__lte=now - ABANDONED_AFTER, status__isnull=True)
        )

    def answered(self, now: datetime) -> Self:
        """Those with an answer that is still kept."""
        return self.filter(claimed_at__gt=now - KEPT, status__isnull=False)


class IdempotencyKey(models.Model):
    """A key that a client chose for one request, and the answer to it: see ``api.idempotency``.

    In flight while ``status`` is null. ``body`` is text, because ``jsonb`` forgets the order
    of members, and a repeat is answered to the letter.
    """

    # Unique within an owner and nowhere else: rows of different owners need not meet.
    pk = models.CompositePrimaryKey("owner_id", "path", "key")
    owner_id = models.CharField(max_length=255)
    path = models.CharField(max_length=255)
    key = models.CharField(max_length=255)
    body_digest = models.CharField(max_length=64)
    claimed_at = models.DateTimeField()
    status = models.PositiveSmallIntegerField(null=True)
    headers = models.JSONField(default=dict)
    body = models.TextField(default="")

    objects: ClassVar[IdempotencyKeyQuerySet] = IdempotencyKeyQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["claimed_at"], name="idempotency_key_oldest_first")
        ]

    def __str__(self) -> str:
        return self.key
