from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from api.management.commands import purge_idempotency_keys
from api.models import IdempotencyKey

NOW = datetime(2027, 1, 15, 8, tzinfo=UTC)
INSTANT = timedelta(microseconds=1)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)


def make_key(
    key: str, *, age: timedelta, status: int | None = 201, owner_id: str = "alice"
) -> None:
    IdempotencyKey.objects.create(
        owner_id=owner_id,
        path="/api/todos/",
        key=key,
        body_digest="0" * 64,
        claimed_at=NOW - age,
        status=status,
    )


def purge() -> str:
    out = io.StringIO()
    call_command("purge_idempotency_keys", stdout=out)
    return out.getvalue()


def test_what_no_longer_counts_is_deleted() -> None:
    make_key("kept", age=timedelta(hours=24) - INSTANT)
    make_key("old", age=timedelta(hours=24))
    make_key("in flight", age=timedelta(seconds=60) - INSTANT, status=None)
    make_key("abandoned", age=timedelta(seconds=60), status=None)
    make_key("old", age=timedelta(days=100), owner_id="bob")
    assert purge() == "Deleted 3 idempotency keys.\n"
    assert {row.key for row in IdempotencyKey.objects.all()} == {"kept", "in flight"}
    assert purge() == "Deleted 0 idempotency keys.\n"


def test_few_are_deleted_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(purge_idempotency_keys, "BATCH_SIZE", 2)
    for number in range(5):
        make_key(str(number), age=timedelta(days=2, seconds=number))
    with CaptureQueriesContext(connection) as queries:
        assert purge() == "Deleted 5 idempotency keys.\n"
    assert sum(query["sql"].startswith("DELETE") for query in queries) == 3
