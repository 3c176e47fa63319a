from django.db import migrations, models

from api.owned.fields import Readable
from api.owned.migrating import AddBeforeAnother, RemoveBeforeAnother


class Migration(migrations.Migration):
    dependencies = [
        ("api", "0002_changecounter"),
        ("lists", "0001_initial"),
    ]

    operations = [
        RemoveBeforeAnother("todolist", "todolist_has_name"),
        RemoveBeforeAnother("todolist", "todolist_is_readable"),
        migrations.RemoveIndex("todolist", "todolist_owner_newest_first"),
        *(
            migrations.AddField("todolist", name, models.DateTimeField(editable=False, null=True))
            for name in ("deleted_at", "erased_at")
        ),
        migrations.AddField(
            "todolist", "change_number", models.BigIntegerField(editable=False, null=True)
        ),
        AddBeforeAnother(
            "todolist",
            models.CheckConstraint(
                name="todolist_has_name",
                condition=~models.Q(name="") | models.Q(erased_at__isnull=False),
            ),
        ),
        AddBeforeAnother(
            "todolist",
            models.UniqueConstraint(
                fields=["owner_id", "change_number"], name="todolist_change_number"
            ),
        ),
        migrations.AddConstraint(
            "todolist",
            models.CheckConstraint(
                name="todolist_is_readable",
                condition=Readable(
                    "id",
                    "owner_id",
                    "created_at",
                    "updated_at",
                    "deleted_at",
                    "erased_at",
                    "change_number",
                    "version",
                    "name",
                    "color",
                    "name_folded",
                ),
            ),
        ),
        migrations.AddIndex(
            "todolist",
            models.Index(
                fields=["owner_id", "-created_at", "-id"],
                condition=models.Q(deleted_at=None),
                name="todolist_newest_first",
            ),
        ),
        migrations.AddIndex(
            "todolist",
            models.Index(
                fields=["owner_id", "-deleted_at", "-id"],
                condition=models.Q(deleted_at__isnull=False),
                name="todolist_trash",
            ),
        ),
    ]
