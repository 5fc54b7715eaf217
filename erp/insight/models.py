"""No tables: figures are read from the apps that own the rows."""

from django.db import models


class Figure(models.Model):
    """A figure of the control tower. It has no rows; it carries the right to look at them."""

    class Meta:
        managed = False
        default_permissions = ("view",)

    def __str__(self) -> str:
        return "figure"
