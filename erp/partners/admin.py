"""Imports, to look at."""

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from erp.partners.models import ImportJob


@admin.register(ImportJob)
class ImportJobAdmin(ModelAdmin):  # type: ignore[misc]  # the skin is not typed
    list_display = ("id", "entity", "kind", "profile", "state", "rows_total", "rows_done")
    list_filter = ("state", "entity")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False
