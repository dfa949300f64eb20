"""A Django application with three tables: `python -m tests.support.django_shop DSN make|insert`.

`insert` prints the ids that Django's own inserts get, or the name of the error.
"""

from __future__ import annotations

import sys

import django
from django.conf import settings
from django.db import IntegrityError, connection, models
from psycopg import conninfo


def main(dsn: str, what: str) -> None:
    parts = conninfo.conninfo_to_dict(dsn)
    names = {"NAME": "dbname", "USER": "user", "HOST": "host", "PORT": "port"}
    database = {"ENGINE": "django.db.backends.postgresql"} | {key: parts[name] for key, name in names.items()}
    settings.configure(DATABASES={"default": database}, INSTALLED_APPS=[])
    django.setup()

    class Order(models.Model):
        id = models.BigAutoField(primary_key=True)
        note = models.TextField(default="")

        class Meta:
            app_label = "shop"

    class Tag(models.Model):
        id = models.SmallAutoField(primary_key=True)
        orders = models.ManyToManyField(Order)

        class Meta:
            app_label = "shop"

    if what == "make":
        with connection.schema_editor() as editor:
            editor.create_model(Order)
            editor.create_model(Tag)
        for pk in (1, 2, 7):
            Tag.objects.create(pk=pk)
            Order.objects.create(pk=pk * 10)
            Tag.orders.through.objects.create(pk=pk, tag_id=pk, order_id=pk * 10)
        return
    try:
        order, tag = Order.objects.create(), Tag.objects.create()
        tag.orders.add(order)
        print(order.pk, tag.pk, Tag.orders.through.objects.get(tag=tag).pk)
    except IntegrityError as error:
        print(type(error).__name__)


if __name__ == "__main__":
    main(*sys.argv[1:])
