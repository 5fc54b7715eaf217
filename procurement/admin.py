"""A read-only window on purchasing, for support."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin, TabularInline

from procurement.models import (
    PurchaseOrder,
    PurchaseOrderLine,
    PurchaseProposal,
    ReplenishmentRule,
    Supplier,
    SupplierProduct,
)


class ReadOnly(ModelAdmin):  # type: ignore[misc]
    """Shows everything, changes nothing."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class LineInline(TabularInline):  # type: ignore[misc]
    model = PurchaseOrderLine
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(PurchaseOrder)
class PurchaseOrderAdmin(ReadOnly):
    list_display = ["number", "supplier", "node", "state", "expected_date", "total", "currency"]
    list_filter = ["state"]
    search_fields = ["number"]
    list_select_related = ["supplier", "node"]
    inlines = [LineInline]


@admin.register(PurchaseProposal)
class PurchaseProposalAdmin(ReadOnly):
    list_display = ["id", "product", "node", "supplier", "quantity", "need_by", "state"]
    list_filter = ["state"]
    list_select_related = ["product", "node", "supplier"]


@admin.register(Supplier)
class SupplierAdmin(ReadOnly):
    list_display = ["code", "name", "country", "is_blocked"]
    search_fields = ["code", "name"]


@admin.register(SupplierProduct)
class SupplierProductAdmin(ReadOnly):
    list_display = ["product", "supplier", "entity", "unit_price", "currency", "lead_time_days"]
    list_select_related = ["product", "supplier", "entity"]


@admin.register(ReplenishmentRule)
class ReplenishmentRuleAdmin(ReadOnly):
    list_display = ["product", "node", "entity", "reorder_point", "order_up_to"]
    list_select_related = ["product", "node", "entity"]
