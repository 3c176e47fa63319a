import django.db.models.deletion
from django.db import migrations

import api.owned.fields


class Migration(migrations.Migration):
    dependencies = [
        ("lists", "0001_initial"),
        ("todos", "0002_rows_keep_their_own_rules"),
    ]

    operations = [
        migrations.AddField(
            model_name="todo",
            name="list",
            field=api.owned.fields.OwnedForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="lists.todolist",
            ),
        ),
    ]
