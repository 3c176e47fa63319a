import uuid

import django.utils.timezone
from django.db import migrations, models

import api.owned.fields
import api.owned.models
import api.owned.querysets


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="TodoList",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("owner_id", models.CharField(editable=False, max_length=255)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("updated_at", models.DateTimeField(editable=False)),
                (
                    "version",
                    models.CharField(
                        default=api.owned.models.new_version, editable=False, max_length=16
                    ),
                ),
                ("name", models.CharField(max_length=100)),
                ("color", models.CharField(blank=True, max_length=7, null=True)),
                ("name_folded", api.owned.fields.FoldedField(editable=False, of=("name",))),
            ],
            options={
                "verbose_name": "list",
                "abstract": False,
                "base_manager_name": "objects",
                "indexes": [
                    models.Index(
                        fields=["owner_id", "-created_at", "-id"],
                        name="todolist_owner_newest_first",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("owner_id", ""), _negated=True),
                        name="todolist_has_owner",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("name", ""), _negated=True), name="todolist_has_name"
                    ),
                    models.CheckConstraint(
                        condition=api.owned.fields.Readable(
                            "id",
                            "owner_id",
                            "created_at",
                            "updated_at",
                            "version",
                            "name",
                            "color",
                            "name_folded",
                        ),
                        name="todolist_is_readable",
                    ),
                ],
            },
            bases=(api.owned.models.OwnedRow, models.Model),
            managers=[
                ("objects", api.owned.querysets.OwnedQuerySet.as_manager()),
            ],
        ),
    ]
