"""Suppliers and what they offer."""

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

from erp.kernel.sql import records, rows

PAGE = 100
OPEN = ["draft", "pending", "approved", "sent", "acknowledged", "partly_received"]


@dataclass(frozen=True, slots=True)
class SupplierRow:
    """One supplier in the list, with what it offers and what is on order in these entities."""

    id: int
    code: str
    name: str
    city: str
    country: str
    is_blocked: bool
    offers: int
    open_orders: int


SUPPLIERS = """
    SELECT s.id, s.code, s.name, s.city, s.country, s.is_blocked,
           (SELECT count(*) FROM procurement_supplierproduct o
            WHERE o.supplier_id = s.id AND o.entity_id = ANY(%(entities)s)) AS offers,
           (SELECT count(*) FROM procurement_purchaseorder p
            WHERE p.supplier_id = s.id AND p.entity_id = ANY(%(entities)s)
              AND p.state = ANY(%(open)s)) AS open_orders
    FROM procurement_supplier s
    WHERE (%(text)s = '' OR upper(s.name) LIKE %(text)s OR upper(s.code) LIKE %(text)s)
      AND s.code > %(after)s
    ORDER BY s.code
    LIMIT %(limit)s
"""


def supplier_board(
    *, entity_ids: Collection[int], text: str = "", after: str = "", limit: int = PAGE
) -> tuple[list[SupplierRow], str]:
    """Return suppliers by code and the cursor of what follows; `text` begins a name or a code."""
    asked = {
        "entities": sorted(entity_ids),
        "open": OPEN,
        "text": text.upper().replace("%", "") + "%" if text else "",
        "after": after,
        "limit": limit + 1,
    }
    found = [SupplierRow(**row) for row in records(SUPPLIERS, asked)]
    return found[:limit], found[limit - 1].code if len(found) > limit else ""


@dataclass(frozen=True, slots=True)
class OfferView:
    """What a supplier asks for a product, in one entity."""

    entity_code: str
    product_code: str
    product_name: str
    currency: str
    unit_price: Decimal
    moq: Decimal
    multiple: Decimal
    lead_time_days: int
    rank: int


OFFERS = """
    SELECT e.code AS entity_code, i.code AS product_code, i.name AS product_name, o.currency,
           o.unit_price, o.moq, o.multiple, o.lead_time_days, o.rank
    FROM procurement_supplierproduct o
    JOIN accounts_entity e ON e.id = o.entity_id
    JOIN inventory_product i ON i.id = o.product_id
    WHERE o.supplier_id = %(supplier)s AND o.entity_id = ANY(%(entities)s)
    ORDER BY i.code, e.code
    LIMIT %(limit)s
"""


def offers_of(
    *, supplier_id: int, entity_ids: Collection[int], limit: int = PAGE
) -> list[OfferView]:
    """Return what a supplier offers to these entities, by product code."""
    asked = {"supplier": supplier_id, "entities": sorted(entity_ids), "limit": limit}
    return [OfferView(**row) for row in records(OFFERS, asked)]


LEAD_TIME = """
    SELECT o.lead_time_days
    FROM procurement_supplierproduct o
    JOIN procurement_supplier s ON s.id = o.supplier_id AND NOT s.is_blocked
    WHERE o.product_id = %(product)s AND o.entity_id = %(entity)s
    ORDER BY o.rank, o.unit_price, o.lead_time_days, o.supplier_id
    LIMIT 1
"""


def lead_time_days(*, product_id: int, entity_id: int) -> int | None:
    """Return how many days the supplier takes that replenishment would choose; None without one."""
    found = rows(LEAD_TIME, {"product": product_id, "entity": entity_id})
    return int(found[0][0]) if found else None
