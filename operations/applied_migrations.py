"""Compare the migrations of the database with those of this process's code."""

from __future__ import annotations

from functools import cache

from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

Key = tuple[str, str]  # the label of an app and the name of a migration


class MigrationsPending(Exception):
    code = "migrations_pending"
    detail = "The database is not up to date with the code: migrate it."


@cache
def needed_migrations() -> dict[Key, set[Key]]:
    """Return each migration of the code with those that it replaces.

    Cached, because the files of the next version may be there before this process ends.
    """
    found = MigrationLoader(None).disk_migrations
    replaces = {key: {*migration.replaces} for key, migration in found.items()}
    replaced = set[Key]().union(*replaces.values())
    return {key: others for key, others in replaces.items() if key not in replaced}


def require_migrated() -> None:
    """Raise ``MigrationsPending`` unless every migration was applied. Costs two queries.

    Migrations of a newer version of the code do not matter.
    """
    applied = MigrationRecorder(connection).applied_migrations().keys()
    for key, replaces in needed_migrations().items():
        if key not in applied and not (replaces and replaces <= applied):
            raise MigrationsPending
