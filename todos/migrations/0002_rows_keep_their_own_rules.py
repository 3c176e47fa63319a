from typing import Any

from django.db import migrations, models
from django.db.models.lookups import Exact
from django.utils.timezone import now

import api.owned.fields
import todos.due
import todos.querysets
from api.bodies.text import folded_lines
from api.owned.fields import JSONType, Readable
from api.owned.migrating import AddBeforeAnother
from api.owned.models import new_version

# Columns stay as they are: only Python knows these kinds of fields.
FOLLOWERS = {
    "completed_at": api.owned.fields.SinceField(editable=False, null=True, of=("completed",)),
    "description_folded": api.owned.fields.FoldedField(editable=False, of=("description",)),
    "due_at": todos.due.DueAtField(
        editable=False, null=True, of=("due_date", "due_time", "timezone")
    ),
    "tags_folded": api.owned.fields.FoldedField(editable=False, of=("tags",)),
    "title_folded": api.owned.fields.FoldedField(editable=False, of=("title",)),
}

READABLE = (
    "id",
    "owner_id",
    "created_at",
    "updated_at",
    "version",
    "title",
    "description",
    "completed",
    "completed_at",
    "priority",
    "due_date",
    "due_time",
    "timezone",
    "due_at",
    "title_folded",
    "description_folded",
    "tags_folded",
)


def end_unknown_values(apps: Any, schema_editor: Any) -> None:
    """Set values that the API neither writes nor shows, and renew the etags of their rows."""
    todos = apps.get_model("todos", "Todo").objects
    renewed = {"version": new_version(), "updated_at": now()}
    todos.filter(priority__gt=3).write(priority=0, **renewed)
    tags = {"tags": [], "tags_folded": folded_lines([])}
    todos.exclude(Exact(JSONType("tags"), "array")).write(**tags, **renewed)


class Migration(migrations.Migration):
    dependencies = [("todos", "0001_initial")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterModelOptions("todo", {"base_manager_name": "objects"}),
                migrations.AlterModelManagers(
                    name="todo",
                    managers=[("objects", todos.querysets.TodoQuerySet.as_manager())],
                ),
                *(
                    migrations.AlterField(model_name="todo", name=name, field=field)
                    for name, field in FOLLOWERS.items()
                ),
            ]
        ),
        migrations.RunPython(end_unknown_values, migrations.RunPython.noop),
        AddBeforeAnother(
            "todo",
            models.CheckConstraint(name="todo_has_owner", condition=~models.Q(owner_id="")),
        ),
        AddBeforeAnother(
            "todo", models.CheckConstraint(name="todo_has_title", condition=~models.Q(title=""))
        ),
        AddBeforeAnother(
            "todo",
            models.CheckConstraint(name="todo_is_readable", condition=Readable(*READABLE)),
        ),
        AddBeforeAnother(
            "todo",
            models.CheckConstraint(
                name="todo_tags_are_a_list", condition=Exact(JSONType("tags"), "array")
            ),
        ),
        migrations.AddConstraint(
            "todo",
            models.CheckConstraint(
                name="todo_priority_is_a_choice", condition=models.Q(priority__lte=3)
            ),
        ),
    ]
