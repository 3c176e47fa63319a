"""``pytest -p tests.support.partitioned`` runs the suite on tables partitioned by owner.

The SQL of ``docs/scaling.md`` converts tables with rows. Needs PostgreSQL.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connection
from pytest_django import DjangoDbBlocker

from tests.support.pages import texts

PARTITIONS = 8


@dataclass(frozen=True, slots=True)
class Tables:
    """The rows, constraints and indexes of the tables."""

    rows: dict[str, list[Any]]
    constraints: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Partitioning:
    before: Tables
    after: Tables


@pytest.fixture(scope="session", autouse=True)
def partitioning(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Partitioning:
    assert connection.vendor == "postgresql", "DATABASE_URL must be that of a PostgreSQL server"
    with django_db_blocker.unblock():
        _fill()
        before = _tables()
        with connection.cursor() as cursor:
            cursor.execute(_sql())
        after = _tables()
        for model in _models():
            rows = model.objects.all()
            rows.erase() if hasattr(rows, "erase") else rows.delete()
        connection.close()
    return Partitioning(before, after)


def _sql() -> str:
    (block,) = texts("docs/scaling.md", "sql", "Partitions by owner")
    return block


def _models() -> list[Any]:
    # Needs the settings, which pytest-django loads later.
    from api.models import ChangeCounter, IdempotencyKey
    from api.owned.registry import owned_models

    return [*owned_models(), ChangeCounter, IdempotencyKey]


def _fill() -> None:
    from django.utils.timezone import now

    from tests.support.rows import make_row

    *owned, _, keys = _models()
    for number in range(3 * PARTITIONS):
        owner_id = str(number)
        for model in owned:
            make_row(model, owner_id=owner_id)
        keys.objects.create(owner_id=owner_id, path="/", key="k", claimed_at=now(), status=201)


def _tables() -> Tables:
    rows, constraints = {}, {}
    for model in _models():
        name = model._meta.db_table
        rows[name] = [*model.objects.order_by("pk").values()]
        with connection.cursor() as cursor:
            constraints[name] = connection.introspection.get_constraints(cursor, name)
    return Tables(rows, constraints)
