from django.db import migrations, models

from api.owned.fields import Readable
from api.owned.migrating import AddBeforeAnother, RemoveBeforeAnother


class Migration(migrations.Migration):
    dependencies = [
        ("api", "0002_changecounter"),
        ("lists", "0002_trash_and_change_numbers"),
        ("todos", "0003_todo_list"),
    ]

    operations = [
        RemoveBeforeAnother("todo", "todo_has_title"),
        RemoveBeforeAnother("todo", "todo_is_readable"),
        migrations.RemoveIndex("todo", "todo_owner_newest_first"),
        *(
            migrations.AddField("todo", name, models.DateTimeField(editable=False, null=True))
            for name in ("deleted_at", "erased_at")
        ),
        migrations.AddField(
            "todo", "change_number", models.BigIntegerField(editable=False, null=True)
        ),
        AddBeforeAnother(
            "todo",
            models.CheckConstraint(
                name="todo_has_title",
                condition=~models.Q(title="") | models.Q(erased_at__isnull=False),
            ),
        ),
        AddBeforeAnother(
            "todo",
            models.UniqueConstraint(
                fields=["owner_id", "change_number"], name="todo_change_number"
            ),
        ),
        migrations.AddConstraint(
            "todo",
            models.CheckConstraint(
                name="todo_is_readable",
                condition=Readable(
                    "id",
                    "owner_id",
                    "created_at",
                    "updated_at",
                    "deleted_at",
                    "erased_at",
                    "change_number",
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
                ),
            ),
        ),
        migrations.AddIndex(
            "todo",
            models.Index(
                fields=["owner_id", "-created_at", "-id"],
                condition=models.Q(deleted_at=None),
                name="todo_newest_first",
            ),
        ),
        migrations.AddIndex(
            "todo",
            models.Index(
                fields=["owner_id", "-deleted_at", "-id"],
                condition=models.Q(deleted_at__isnull=False),
                name="todo_trash",
            ),
        ),
    ]
