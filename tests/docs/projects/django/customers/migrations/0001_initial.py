from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    operations = [  # noqa: RUF012
        migrations.RunSQL("CREATE SCHEMA IF NOT EXISTS shop", migrations.RunSQL.noop),
        migrations.CreateModel(
            name="Customer",
            fields=[("id", models.AutoField(primary_key=True)), ("name", models.TextField())],
            options={"db_table": 'shop"."customers'},
        ),
    ]
