from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import Count, Min, Q, Sum
from django.db.models.functions import Coalesce

ROW_OCTETS = 512  # of a row and its index entries, beside the body
KEPT = timedelta(hours=24)
# By then the worker that took a key has answered or died.
ABANDONED_AFTER = timedelta(seconds=60)


class Octets(models.Func):
    """The length of a text in UTF-8, which PostgreSQL knows without reading a long text."""

    function = "octet_length"
    output_field = models.IntegerField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        # SQLite has octet_length() since 3.43.
        template = "LENGTH(CAST(%(expressions)s AS BLOB))"
        return self.as_sql(compiler, connection, template=template, **context)


class ChangeCounter(models.Model):
    """The number of the last change of an owner (``api.owned.counting``)."""

    owner_id = models.CharField(max_length=255, primary_key=True)
    value = models.BigIntegerField()
    purged_to = models.BigIntegerField(default=0)  # the highest number of a purged row
    purges = models.BigIntegerField(default=0)  # batches of rows purged, and resyncs

    def __str__(self) -> str:
        return f"{self.owner_id}: {self.value}"


class IdempotencyKeyQuerySet(models.QuerySet["IdempotencyKey"]):
    def spent(self, now: datetime) -> Self:
        """Return keys whose answer has expired, or that were abandoned in flight."""
        return self.filter(
            Q(claimed_at__lte=now - KEPT)
            | Q(claimed_at__lte=now - ABANDONED_AFTER, status__isnull=True)
        )

    def answered(self, now: datetime) -> Self:
        """Return keys whose answer has not expired."""
        return self.filter(claimed_at__gt=now - KEPT, status__isnull=False)

    def octets(self) -> int:
        """Add up the room of these rows in one statement."""
        bodies = Coalesce(Sum(Octets("body")), 0)
        found: int = self.aggregate(octets=bodies + Count("*") * ROW_OCTETS)["octets"]
        return found

    def first_claim(self) -> datetime | None:
        oldest: datetime | None = self.aggregate(oldest=Min("claimed_at"))["oldest"]
        return oldest


class IdempotencyKey(models.Model):
    """A client's key for one request, with the stored answer (``api.writes.idempotency``).

    In flight while ``status`` is null. ``body`` is text, because ``jsonb`` forgets the order of
    members, and a repeat gets the same octets.
    """

    # Unique within an owner only, so that partitions by owner share no index.
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
