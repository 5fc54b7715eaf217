"""A window for support: everything to be seen, nothing to be changed."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin, TabularInline

from orders.models import CreditAccount, Customer, Hold, Order, OrderLine, Price, ShipTo


class Window:
    """Shows rows and lets nobody add, change or delete them: only services save."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class LineInline(Window, TabularInline):  # type: ignore[misc]
    model = OrderLine
    fields = (
        "position", "product", "quantity", "unit_price", "amount", "reserved", "shipped",
        "invoiced", "cancelled",
    )  # fmt: skip
    extra = 0


class HoldInline(Window, TabularInline):  # type: ignore[misc]
    model = Hold
    fields = ("kind", "state", "owner_role", "reason", "placed_at", "lifted_by", "lift_reason")
    extra = 0


@admin.register(Order)
class OrderAdmin(Window, ModelAdmin):  # type: ignore[misc]
    list_display = ("number", "state", "entity", "customer", "total", "currency", "created_at")
    list_filter = ("state", "entity", "channel")
    search_fields = ("number", "customer__code", "customer_po")
    list_select_related = ("entity", "customer")
    inlines = (LineInline, HoldInline)


class AccountInline(Window, TabularInline):  # type: ignore[misc]
    model = CreditAccount
    extra = 0


class ShipToInline(Window, TabularInline):  # type: ignore[misc]
    model = ShipTo
    extra = 0


@admin.register(Customer)
class CustomerAdmin(Window, ModelAdmin):  # type: ignore[misc]
    list_display = ("code", "name", "tier", "city", "country", "is_blocked")
    list_filter = ("tier", "is_blocked")
    search_fields = ("code", "name")
    inlines = (AccountInline, ShipToInline)


@admin.register(Price)
class PriceAdmin(Window, ModelAdmin):  # type: ignore[misc]
    list_display = (
        "product", "kind", "customer", "min_quantity", "unit_price", "currency", "valid_from",
        "valid_until",
    )  # fmt: skip
    list_filter = ("kind", "entity")
    search_fields = ("product__code", "customer__code")
    list_select_related = ("product", "customer")
