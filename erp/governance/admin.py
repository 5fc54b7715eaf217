"""A read-only window on governance, for support."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from erp.governance.models import Approval, AuditEntry, DecisionRecord, Policy, PolicyVersion


class ReadOnly(ModelAdmin):  # type: ignore[misc]
    """Shows everything, changes nothing."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Policy)
class PolicyAdmin(ReadOnly):
    list_display = ["code", "title"]
    search_fields = ["code", "title"]


@admin.register(PolicyVersion)
class PolicyVersionAdmin(ReadOnly):
    list_display = ["policy", "number", "entity", "state", "author", "activated_by"]
    list_filter = ["state", "policy"]
    list_select_related = ["policy", "entity", "author", "activated_by"]


@admin.register(DecisionRecord)
class DecisionRecordAdmin(ReadOnly):
    list_display = ["at", "version", "entity", "subject_kind", "subject_id", "row"]
    list_select_related = ["version__policy", "entity"]


@admin.register(Approval)
class ApprovalAdmin(ReadOnly):
    list_display = ["document_label", "state", "permission", "amount", "currency", "decided_by"]
    list_filter = ["state"]
    list_select_related = ["decided_by"]


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnly):
    list_display = ["at", "actor", "action", "thread", "entity", "reason"]
    search_fields = ["thread", "action", "request_id"]
    list_select_related = ["actor", "entity"]
