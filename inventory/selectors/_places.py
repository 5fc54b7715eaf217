"""Which places goods may come from and go to, for forms."""

from collections.abc import Collection
from dataclasses import dataclass

from erp.kernel.sql import rows
from inventory.models import Product

PLACES = """
    SELECT e.id, n.id, e.code || ' · ' || n.code || ' ' || n.name, e.id = ANY(%(entities)s)
    FROM inventory_node n
    JOIN accounts_entity e ON e.is_active AND (
        e.id = n.entity_id OR e.id = ANY(%(entities)s) AND EXISTS (
            SELECT FROM inventory_stock s
            WHERE s.node_id = n.id AND s.entity_id = e.id AND s.on_hand > 0
        )
    )
    WHERE n.is_active
    ORDER BY e.id <> ALL(%(entities)s), e.code, n.code
"""


LOTS = """
    SELECT l.product_id, l.code, l.id
    FROM unnest(%(products)s::bigint[], %(codes)s::text[]) AS k (product_id, code)
    JOIN inventory_lot l ON l.product_id = k.product_id AND l.code = k.code
"""


@dataclass(frozen=True, slots=True)
class NodeToMove:
    """One company's goods at one node; `is_own`: the person may send from there."""

    entity_id: int
    node_id: int
    label: str
    is_own: bool


def nodes_to_move(*, entity_ids: Collection[int]) -> list[NodeToMove]:
    """Return where goods may come from and go to, one's own first. One query."""
    return [NodeToMove(*row) for row in rows(PLACES, {"entities": sorted(entity_ids)})]


def products_by_code(codes: Collection[str]) -> dict[str, int]:
    """Return the ids of products by their codes; one that is not there is left out."""
    known = [code for code in codes if "\0" not in code]
    return dict(Product.objects.filter(code__in=known).values_list("code", "id"))


def kept_by_serial(codes: Collection[str]) -> set[str]:
    """Return those of the codes whose products are kept by serial number."""
    known = [code for code in codes if "\0" not in code]
    found = Product.objects.filter(code__in=known, tracking=Product.Tracking.SERIAL)
    return set(found.values_list("code", flat=True))


def lots_by_code(named: Collection[tuple[int, str]]) -> dict[tuple[int, str], int]:
    """Return the ids of lots by product and code; one that is not there is left out."""
    params = {"products": [key[0] for key in named], "codes": [key[1] for key in named]}
    return {(row[0], row[1]): row[2] for row in rows(LOTS, params)}
