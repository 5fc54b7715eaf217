"""A window for support: everything to be seen, nothing to be changed."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from exceptions.models import CaseComment, CaseTimer, ExceptionCase, PlayRun


class ReadOnly(ModelAdmin):  # type: ignore[misc]
    """Nothing can be added, changed or deleted."""

    def has_add_permission(self, request: HttpRequest, *_more: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, *_more: Any) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, *_more: Any) -> bool:
        return False


@admin.register(ExceptionCase)
class ExceptionCaseAdmin(ReadOnly):
    list_display = (
        "id", "type", "subject_label", "entity", "severity", "expected_loss", "currency", "queue",
        "owner", "state", "resolve_by",
    )  # fmt: skip
    list_filter = ("state", "severity", "type", "entity")
    list_select_related = ("entity", "owner")
    search_fields = ("subject_label", "party")
    show_full_result_count = False


@admin.register(CaseTimer)
class CaseTimerAdmin(ReadOnly):
    list_display = ("id", "case", "kind", "due_at", "fired_at", "cancelled_at")
    list_filter = ("kind",)
    show_full_result_count = False


@admin.register(CaseComment)
class CaseCommentAdmin(ReadOnly):
    list_display = ("id", "case", "author", "at", "text")
    show_full_result_count = False


@admin.register(PlayRun)
class PlayRunAdmin(ReadOnly):
    list_display = ("id", "case", "key", "run_by", "run_at", "outcome")
    list_filter = ("key",)
    show_full_result_count = False
