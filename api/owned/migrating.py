"""Operations for the migrations of owned models."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.migrations import AddConstraint, RemoveConstraint


class AddBeforeAnother(AddConstraint):
    """Leave the work to the last constraint of the migration, if the database copies the table.

    SQLite copies it for each ``AddConstraint``, together with all constraints that the model has
    by then.
    """

    def database_forwards(self, app_label: str, schema_editor: Any, *states: Any) -> None:
        if schema_editor.connection.vendor != "sqlite":
            super().database_forwards(app_label, schema_editor, *states)


class RemoveBeforeAnother(RemoveConstraint):
    """Leave the work to the last constraint of the migration, as ``AddBeforeAnother`` does."""

    def database_forwards(self, app_label: str, schema_editor: Any, *states: Any) -> None:
        if schema_editor.connection.vendor != "sqlite":
            super().database_forwards(app_label, schema_editor, *states)


NUMBER_ROWS = """
UPDATE "{table}" SET "change_number" = numbered.number
FROM (SELECT "id", "owner_id",
             ROW_NUMBER() OVER (PARTITION BY "owner_id" ORDER BY "created_at", "id") AS number
      FROM "{table}") AS numbered
WHERE "{table}"."owner_id" = numbered."owner_id" AND "{table}"."id" = numbered."id"
"""
# SQLite needs the WHERE to tell ON CONFLICT from a join.
COUNT_ROWS = """
INSERT INTO "api_changecounter" ("owner_id", "value", "purged_to", "purges")
SELECT "owner_id", COUNT(*), 0, 0 FROM "{table}" WHERE TRUE GROUP BY "owner_id"
ON CONFLICT ("owner_id") DO UPDATE SET "value" = excluded."value"
WHERE excluded."value" > "api_changecounter"."value"
"""


def number_rows(app_label: str, model_name: str) -> Callable[[Any, Any], None]:
    """Return a function for ``RunPython`` that gives rows the numbers of their first changes.

    Each version stays, because no content changes.
    """

    def number(apps: Any, schema_editor: Any) -> None:
        table = apps.get_model(app_label, model_name)._meta.db_table
        with schema_editor.connection.cursor() as cursor:
            cursor.execute(NUMBER_ROWS.format(table=table))
            cursor.execute(COUNT_ROWS.format(table=table))

    return number


def empty_trash(app_label: str, model_name: str) -> Callable[[Any, Any], None]:
    """Return a function for the way back to a version that would show deleted rows."""

    def empty(apps: Any, schema_editor: Any) -> None:
        rows = apps.get_model(app_label, model_name).objects
        rows.filter(deleted_at__isnull=False).erase()

    return empty
