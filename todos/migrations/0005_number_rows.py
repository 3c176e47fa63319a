from django.db import migrations

from api.owned.migrating import empty_trash, number_rows


class Migration(migrations.Migration):
    # In a transaction without a lock of the table, which the migration before this one needs.
    dependencies = [("todos", "0004_trash_and_change_numbers")]

    operations = [
        migrations.RunPython(number_rows("todos", "todo"), empty_trash("todos", "todo")),
    ]
