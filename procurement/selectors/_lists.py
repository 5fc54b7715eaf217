"""What the API pages through, and codes turned into ids."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import F, QuerySet

from erp.kernel.sql import rows
from procurement.models import PurchaseOrder, PurchaseProposal, Supplier, SupplierProduct


def proposal_list(*, entity_ids: Collection[int]) -> "QuerySet[Any, Any]":
    """Return the proposals of these entities, as the API shows them."""
    return PurchaseProposal.objects.filter(entity_id__in=entity_ids).values(
        "id",
        "quantity",
        "unit_price",
        "currency",
        "need_by",
        "reasons",
        "state",
        "created_at",
        "decided_at",
        "decision_reason",
        entity_code=F("entity__code"),
        node_code=F("node__code"),
        product_code=F("product__code"),
        supplier_code=F("supplier__code"),
        decider=F("decided_by__username"),
        order=F("lines__order__number"),
    )


def order_list(*, entity_ids: Collection[int]) -> "QuerySet[Any, Any]":
    """Return the purchase orders of these entities, as the API lists them."""
    return PurchaseOrder.objects.filter(entity_id__in=entity_ids).values(
        "id",
        "number",
        "state",
        "currency",
        "total",
        "expected_date",
        "created_at",
        "sent_at",
        entity_code=F("entity__code"),
        node_code=F("node__code"),
        supplier_code=F("supplier__code"),
    )


def supplier_list() -> "QuerySet[Any, Any]":
    """Return all suppliers: they are shared by all entities."""
    return Supplier.objects.values(
        "id", "code", "name", "country", "region", "city", "address", "postal_code", "contact",
        "email", "phone", "is_blocked",
    )  # fmt: skip


def offer_list(*, entity_ids: Collection[int]) -> "QuerySet[Any, Any]":
    """Return what suppliers offer to these entities."""
    return SupplierProduct.objects.filter(entity_id__in=entity_ids).values(
        "id",
        "currency",
        "unit_price",
        "moq",
        "multiple",
        "lead_time_days",
        "drop_ships",
        "rank",
        entity_code=F("entity__code"),
        supplier_code=F("supplier__code"),
        product_code=F("product__code"),
    )


IDS = {
    "product": "SELECT code, id FROM inventory_product WHERE code = ANY(%(codes)s)",
    "node": "SELECT code, id FROM inventory_node WHERE code = ANY(%(codes)s)",
    "supplier": "SELECT code, id FROM procurement_supplier WHERE code = ANY(%(codes)s)",
}


def ids_of(kind: str, codes: Sequence[str]) -> dict[str, int]:
    """Return the ids of products, nodes or suppliers by code; unknown codes are missing."""
    known = [code for code in codes if "\0" not in code]
    return dict(rows(IDS[kind], {"codes": known}))


@dataclass(frozen=True, slots=True)
class Choice:
    """Something to choose in a form."""

    id: int
    label: str


CHOICES = {
    "entity": """
        SELECT id, code || ' · ' || name FROM accounts_entity
        WHERE id = ANY(%(entities)s) ORDER BY code
    """,
    "node": """
        SELECT id, code || ' · ' || name FROM inventory_node
        WHERE entity_id = ANY(%(entities)s) AND is_active ORDER BY code
    """,
}
NODE_CODES = """
    SELECT DISTINCT n.code FROM inventory_node n WHERE n.entity_id = ANY(%(entities)s) ORDER BY 1
"""
SUGGESTED = """
    SELECT s.code, s.name FROM procurement_supplier s WHERE NOT s.is_blocked ORDER BY s.code
    LIMIT 500
"""


def choices(kind: str, *, entity_ids: Collection[int]) -> list[Choice]:
    """Return the entities or nodes to choose from."""
    found = rows(CHOICES[kind], {"entities": sorted(entity_ids)})
    return [Choice(pk, label) for pk, label in found]


def node_codes(*, entity_ids: Collection[int]) -> list[str]:
    """Return the codes of these entities' nodes."""
    return [row[0] for row in rows(NODE_CODES, {"entities": sorted(entity_ids)})]


def suggested_suppliers() -> list[tuple[str, str]]:
    """Return suppliers that can be ordered from, as (code, name)."""
    return [(code, name) for code, name in rows(SUGGESTED)]
