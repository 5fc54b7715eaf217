"""Lists for the API: querysets of plain rows, and codes turned into ids."""

from collections.abc import Collection
from typing import Any

from django.db.models import F, Prefetch, QuerySet

from erp.accounts.models import Entity
from erp.kernel.sql import rows
from orders.models import (
    CreditAccount,
    Customer,
    CustomerGroup,
    CustomerProduct,
    ListHolder,
    Order,
    Price,
    PriceList,
    Promotion,
    ShipTo,
)

CODED = {
    "customer": "SELECT code, id FROM orders_customer WHERE code = ANY(%s)",
    "node": "SELECT code, id FROM inventory_node WHERE code = ANY(%s) AND is_active",
    "group": "SELECT code, id FROM orders_customergroup WHERE code = ANY(%s)",
    "price_list": "SELECT code, id FROM orders_pricelist WHERE code = ANY(%s)",
    "carrier": "SELECT code, id FROM inventory_carrier WHERE code = ANY(%s) AND is_active",
}

SHIPMENTS = """
    SELECT s.number, s.state, n.code AS node, s.planned_date, s.shipped_at, s.tracking_number
    FROM inventory_shipment s JOIN inventory_node n ON n.id = s.node_id
    WHERE s.source_id = %s AND s.source_kind = 'orders.order' ORDER BY s.id
"""


def ids_by_code(kind: str, codes: Collection[str]) -> dict[str, int]:
    """Return the ids of customers, nodes or carriers by code; the unknown are missing."""
    return dict(rows(CODED[kind], [[code for code in codes if "\0" not in code]]))


def order_list(*, entity_ids: Collection[int]) -> QuerySet[Any, Any]:
    """Return the orders of these entities as plain rows, for the API to narrow and page."""
    return (
        Order.objects.filter(entity_id__in=entity_ids)
        .values(
            "id",
            "number",
            "customer_po",
            "channel",
            "state",
            "class_code",
            "priority",
            "currency",
            "total",
            "requested_date",
            "promised_date",
            "created_at",
            entity_code=F("entity__code"),
            customer_code=F("customer__code"),
        )
        .order_by("-id")
    )


def customers_within(*, entity_ids: Collection[int]) -> QuerySet[Any, Any]:
    """Return the customers that these entities serve, as plain rows."""
    served = CreditAccount.objects.filter(entity_id__in=entity_ids).values("customer_id")
    return Customer.objects.filter(pk__in=served).values(
        "id", "code", "name", "tier", "country", "city", "is_blocked"
    )


def prices_within(*, entity_ids: Collection[int]) -> QuerySet[Any, Any]:
    """Return the prices of these entities, as plain rows."""
    return Price.objects.filter(entity_id__in=entity_ids).values(
        "id",
        "kind",
        "currency",
        "min_quantity",
        "unit_price",
        "valid_from",
        "valid_until",
        entity_code=F("entity__code"),
        product_code=F("product__code"),
        customer_code=F("customer__code"),
        group_code=F("group__code"),
        list_code=F("price_list__code"),
        sold_in=F("uom"),
        revised=F("revision"),
    )


def price_lists_within(*, entity_ids: Collection[int]) -> QuerySet[PriceList]:
    """Return the named lists of these entities, with their holders."""
    found = PriceList.objects.filter(entity_id__in=entity_ids).select_related("entity")
    holders = ListHolder.objects.select_related("customer", "group").order_by("position", "pk")
    return found.prefetch_related(Prefetch("holders", holders))


def promotions_within(*, entity_ids: Collection[int]) -> QuerySet[Promotion]:
    """Return the promotions of these entities."""
    return Promotion.objects.filter(entity_id__in=entity_ids).select_related(
        "entity", "product", "customer", "group", "free_product"
    )


def customer_groups() -> QuerySet[CustomerGroup]:
    """Return all groups; they belong to the house as a whole."""
    return CustomerGroup.objects.select_related("parent")


def members_of(*, group_id: int, entity_ids: Collection[int]) -> list[str]:
    """Return the codes of a group's own members whom these entities serve, a thousand at most."""
    served = CreditAccount.objects.filter(entity_id__in=entity_ids).values("customer_id")
    found = Customer.objects.filter(group_id=group_id, pk__in=served).order_by("code")
    return list(found.values_list("code", flat=True)[:1_000])


def part_numbers_of(*, customer_id: int) -> list[dict[str, Any]]:
    """Return a customer's own numbers of our products, a thousand at most."""
    found = (
        CustomerProduct.objects.filter(customer_id=customer_id)
        .order_by("code")
        .values_list("code", "product__code")
    )
    return [{"code": code, "product": product} for code, product in found[:1_000]]


def account_terms(*, entity_id: int, customer_id: int) -> dict[str, Any]:
    """Return the terms of a customer's account, or those with which a new one begins."""
    terms = ("currency", "credit_limit", "terms_days", "penalty_rate")
    found = CreditAccount.objects.filter(entity_id=entity_id, customer_id=customer_id)
    kept = found.values(*terms).first()
    if kept is not None:
        return dict(kept)
    return {"currency": Entity.objects.values_list("currency", flat=True).get(pk=entity_id)}


def asked_terms(*, account_id: int) -> dict[str, Any] | None:
    """Return all that may be asked to be otherwise about an account and its customer."""
    names = (
        "credit_limit", "terms_days", "penalty_rate", "temporary_limit", "temporary_from",
        "temporary_until", "limit_until", "order_limit", "insured_amount", "insured_until",
        "agreed_terms_days",
    )  # fmt: skip
    found = CreditAccount.objects.filter(pk=account_id).values(
        *names, tax_id=F("customer__tax_id"), bank_account=F("customer__bank_account")
    )
    first = found.first()
    return dict(first) if first else None


def ship_to_of(*, customer_id: int, code: str) -> dict[str, str] | None:
    """Return one of a customer's addresses in the shape of an order's `ship_to`."""
    found = ShipTo.objects.filter(customer_id=customer_id, code=code).values(
        "name", "address", "city", "region", "postal_code", "country"
    )
    first = found.first()
    return {name: str(value) for name, value in first.items() if value} if first else None


def shipments_of(*, order_id: int) -> list[dict[str, Any]]:
    """Return what left or will leave for an order."""
    names = ("number", "state", "node", "planned_date", "shipped_at", "tracking_number")
    return [dict(zip(names, row, strict=True)) for row in rows(SHIPMENTS, [order_id])]
