"""The table of the shop."""

from django.db import models


class Customer(models.Model):
    name = models.TextField()

    class Meta:
        db_table = 'shop"."customers'
