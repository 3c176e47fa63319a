from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("api", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="ChangeCounter",
            fields=[
                (
                    "owner_id",
                    models.CharField(max_length=255, primary_key=True, serialize=False),
                ),
                ("value", models.BigIntegerField()),
                ("purged_to", models.BigIntegerField(default=0)),
                ("purges", models.BigIntegerField(default=0)),
            ],
        ),
    ]
