"""Whether the database is as the code of this process needs it."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from functools import cache

from django.db import connection
from django.db.migrations import Migration
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

FRESH_SECONDS = 5

Key = tuple[str, str]  # the label of an app and the name of a migration
# Each migration with those that it has taken the place of, all of which are as good as it.
Migrations = Mapping[Key, frozenset[Key]]


class MigrationsPending(Exception):
    code = "migrations_pending"
    detail = "The database is not up to date with the code: migrate it."


class AppliedMigrations:
    """``clock`` is in seconds. What was up to date is not asked again for ``FRESH_SECONDS``."""

    def __init__(self, needed: Migrations, *, clock: Callable[[], float]) -> None:
        self._needed = needed
        self._clock = clock
        self._fresh_until = clock()

    def require(self) -> None:
        """Raise ``MigrationsPending`` unless all have been applied. Costs two queries at most.

        Those that the code does not have, as before a new version has started, do not matter.
        """
        now = self._clock()
        if now < self._fresh_until:
            return
        if not all_applied(self._needed, MigrationRecorder(connection).applied_migrations()):
            raise MigrationsPending
        self._fresh_until = now + FRESH_SECONDS


@cache
def get_applied_migrations() -> AppliedMigrations:
    """That of this process: its code does not change while it runs."""
    return AppliedMigrations(needed_by_the_code(), clock=time.monotonic)


def needed_by_the_code() -> Migrations:
    """The migrations of the installed apps. Reads their folders."""
    return needed_of(MigrationLoader(None).disk_migrations)


def needed_of(found: Mapping[Key, Migration]) -> Migrations:
    """Without those that another one has taken the place of."""
    replaces = {key: frozenset(migration.replaces) for key, migration in found.items()}
    replaced = frozenset[Key]().union(*replaces.values())
    return {key: replaces[key] for key in replaces if key not in replaced}


def all_applied(needed: Migrations, applied: Collection[Key]) -> bool:
    return all(
        key in applied or (replaces and all(each in applied for each in replaces))
        for key, replaces in needed.items()
    )
