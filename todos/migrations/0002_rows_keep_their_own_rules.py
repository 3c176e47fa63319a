from django.db import migrations, models

import api.owned.fields
import todos.due
import todos.querysets

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
CONSTRAINTS = {
    "todo_has_owner": ~models.Q(owner_id=""),
    "todo_has_title": ~models.Q(title=""),
    "todo_priority_is_a_choice": models.Q(priority__lte=3),
}


class Migration(migrations.Migration):
    dependencies = [("todos", "0001_initial")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
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
        # The API has never written a larger number.
        migrations.RunSQL(
            "UPDATE todos_todo SET priority = 0 WHERE priority > 3", migrations.RunSQL.noop
        ),
        *(
            migrations.AddConstraint(
                model_name="todo",
                constraint=models.CheckConstraint(name=name, condition=condition),
            )
            for name, condition in CONSTRAINTS.items()
        ),
    ]
