"""Kits: what is sold as one, what it is made of, and how many could be made of what is there."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import F, QuerySet

from erp.kernel.sql import records
from orders.models import Kit

LIST = """
    SELECT k.id, p.code AS product, p.name, k.is_active, k.valid_from, k.valid_until,
           (SELECT string_agg(trim_scale(c.quantity) || ' x ' || cp.code, ', '
                              ORDER BY c.position)
            FROM orders_kitcomponent c JOIN inventory_product cp ON cp.id = c.product_id
            WHERE c.kit_id = k.id) AS made_of,
           (SELECT coalesce(sum(l.quantity - l.cancelled), 0) FROM orders_kitline l
            JOIN orders_order o ON o.id = l.order_id
            WHERE l.product_id = k.product_id AND o.entity_id = ANY(%(entities)s)) AS sold
    FROM orders_kit k JOIN inventory_product p ON p.id = k.product_id
    WHERE (%(text)s = '' OR p.code ILIKE %(starts)s OR p.name ILIKE %(holds)s
           OR EXISTS (SELECT FROM orders_kitcomponent c
                      JOIN inventory_product cp ON cp.id = c.product_id
                      WHERE c.kit_id = k.id AND cp.code ILIKE %(starts)s))
      AND p.code > %(after)s
    ORDER BY p.code LIMIT %(limit)s
"""

HEAD = """
    SELECT k.id, k.product_id, p.code AS product, p.name, p.base_uom AS uom, k.is_active,
           k.valid_from, k.valid_until, k.created_at
    FROM orders_kit k JOIN inventory_product p ON p.id = k.product_id
    WHERE p.code = %(code)s
"""

PARTS = """
    SELECT p.code AS product, p.name, p.base_uom AS uom, c.quantity, p.is_blocked,
           coalesce((SELECT sum(s.on_hand - s.reserved) FROM inventory_stock s
                     WHERE s.product_id = p.id AND s.status = 'available'
                       AND s.entity_id = ANY(%(entities)s)), 0) AS available
    FROM orders_kitcomponent c JOIN inventory_product p ON p.id = c.product_id
    WHERE c.kit_id = %(kit)s ORDER BY c.position, c.id
"""

# Kits leave whole from one node: what the scarcest part allows there.
BUILDABLE = """
    SELECT n.code AS node, min(floor(coalesce(s.free, 0) / c.quantity)) AS kits
    FROM inventory_node n
    JOIN orders_kitcomponent c ON c.kit_id = %(kit)s
    LEFT JOIN LATERAL (
        SELECT sum(on_hand - reserved) AS free FROM inventory_stock
        WHERE node_id = n.id AND product_id = c.product_id AND status = 'available'
          AND entity_id = ANY(%(entities)s)
    ) AS s ON true
    WHERE n.is_active AND n.id IN (
        SELECT DISTINCT node_id FROM inventory_stock s
        JOIN orders_kitcomponent c ON c.product_id = s.product_id AND c.kit_id = %(kit)s
        WHERE s.entity_id = ANY(%(entities)s))
    GROUP BY n.code ORDER BY kits DESC, n.code LIMIT 20
"""


@dataclass(frozen=True, slots=True)
class KitRow:
    """One kit in the list; `sold` counts kits ordered from the entities in view, not cancelled."""

    id: int
    product: str
    name: str
    is_active: bool
    valid_from: date | None
    valid_until: date | None
    made_of: str
    sold: Decimal


@dataclass(frozen=True, slots=True)
class KitPartRow:
    """One part: `quantity` in one kit and what is free of it, in its base unit `uom`."""

    product: str
    name: str
    uom: str
    quantity: Decimal
    is_blocked: bool
    available: Decimal


@dataclass(frozen=True, slots=True)
class KitPage:
    """One kit; `buildable` says for each node how many whole kits its free stock makes."""

    id: int
    product_id: int
    product: str
    name: str
    uom: str
    is_active: bool
    valid_from: date | None
    valid_until: date | None
    created_at: Any
    parts: list[KitPartRow]
    buildable: list[dict[str, Any]]

    def head(self) -> dict[str, Any]:
        """Return what a form shows of it beside its parts."""
        return {
            "product": self.product,
            "valid_from": self.valid_from,
            "valid_until": self.valid_until,
            "is_active": self.is_active,
        }


def kit_board(
    *, entity_ids: Collection[int], text: str = "", after: str = "", limit: int
) -> tuple[list[KitRow], str]:
    """Return a page of kits by code, and the code after which more follow (empty: no more)."""
    text = " ".join(text.replace("\0", " ").split())[:80]
    plain = text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
    params = {
        "entities": sorted(entity_ids),
        "text": text,
        "starts": f"{plain}%",
        "holds": f"%{plain}%",
        "after": after.replace("\0", ""),
        "limit": limit + 1,
    }
    found = [KitRow(**row) for row in records(LIST, params)]
    return found[:limit], found[limit - 1].product if len(found) > limit else ""


def kit_page(*, code: str, entity_ids: Collection[int]) -> KitPage | None:
    """Return the kit of that product code, with the stock of these entities; three queries."""
    if "\0" in code:
        return None
    found = records(HEAD, {"code": code})
    if not found:
        return None
    asked = {"kit": found[0]["id"], "entities": sorted(entity_ids)}
    parts = [KitPartRow(**row) for row in records(PARTS, asked)]
    return KitPage(**found[0], parts=parts, buildable=records(BUILDABLE, asked))


def kit_list() -> QuerySet[Any, Any]:
    """Return all kits as plain rows, for the API to narrow and page."""
    return Kit.objects.values(
        "id", "is_active", "valid_from", "valid_until", "created_at",
        code=F("product__code"), name=F("product__name"),
    ).order_by("-id")  # fmt: skip


def parts_of(*, kit_ids: Collection[int]) -> dict[int, list[dict[str, Any]]]:
    """Return the parts of these kits by kit, in their order; one query."""
    statement = """
        SELECT c.kit_id, p.code AS product, p.base_uom AS uom, c.quantity
        FROM orders_kitcomponent c JOIN inventory_product p ON p.id = c.product_id
        WHERE c.kit_id = ANY(%(ids)s) ORDER BY c.kit_id, c.position, c.id
    """
    found: dict[int, list[dict[str, Any]]] = {pk: [] for pk in kit_ids}
    for row in records(statement, {"ids": sorted(kit_ids)}):
        found[row.pop("kit_id")].append(row)
    return found
