from __future__ import annotations

from typing import Any

from django.db import migrations, models

import todos.models
from todos.folding import folded, folded_tags


def fill_in(apps: Any, schema_editor: Any) -> None:
    """Give every todo a version of its own and what it is searched and sorted by."""
    for todo in apps.get_model("todos", "Todo").objects.iterator():
        todo.version = todos.models.new_version()
        todo.title_folded = folded(todo.title)
        todo.description_folded = folded(todo.description)
        todo.tags_folded = folded_tags(todo.tags)
        todo.save(update_fields=["version", "title_folded", "description_folded", "tags_folded"])


def field(name: str, kind: models.Field[Any, Any], **options: Any) -> migrations.AddField:
    return migrations.AddField("todo", name, kind, **options)


class Migration(migrations.Migration):
    dependencies = [("todos", "0001_initial")]

    operations = [
        field(
            "priority",
            models.PositiveSmallIntegerField(
                choices=[(0, "none"), (1, "low"), (2, "medium"), (3, "high")], default=0
            ),
        ),
        field("due_date", models.DateField(blank=True, null=True)),
        field("due_time", models.TimeField(blank=True, null=True)),
        field("timezone", models.CharField(blank=True, max_length=64, null=True)),
        field("due_at", models.DateTimeField(editable=False, null=True)),
        field("tags", models.JSONField(blank=True, default=list)),
        field(
            "version",
            models.CharField(default=todos.models.new_version, editable=False, max_length=16),
        ),
        *(
            migrations.AddField(
                "todo", name, models.TextField(default="", editable=False), preserve_default=False
            )
            for name in ("title_folded", "description_folded", "tags_folded")
        ),
        migrations.RunPython(fill_in, migrations.RunPython.noop, elidable=True),
        migrations.AddConstraint(
            model_name="todo",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("due_at__isnull", True), ("due_time__isnull", True)),
                    models.Q(
                        ("due_at__isnull", False),
                        ("due_date__isnull", False),
                        ("timezone__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="todo_due_at_of_date_time_and_zone",
            ),
        ),
    ]
