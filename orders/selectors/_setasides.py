"""Stock kept for customers for a while."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from erp.kernel.sql import records
from inventory.selectors import DemandSource

# It waits for nothing; where goods are blocked or lost, it is told whose they were.
SET_ASIDES = DemandSource(
    kind="orders.setaside",
    waiting="""
        SELECT NULL::bigint, NULL::bigint, NULL::bigint, NULL::bigint, NULL::numeric, NULL::date,
            NULL::int, NULL::date WHERE false
    """,
    about="""
        SELECT s.id, s.number AS label, 'set aside' AS detail, c.name AS party, 0::numeric AS value,
            e.currency, s.kept_until::date AS wanted_on, s.kept_until::date AS needs_on,
            NULL::date AS promised_on
        FROM orders_setaside s
        JOIN orders_customer c ON c.id = s.customer_id
        JOIN accounts_entity e ON e.id = s.entity_id
        WHERE s.id = ANY(%(ids)s)
    """,
)
LIST = """
    SELECT s.id, s.number, e.code AS entity, c.code AS customer, c.name AS customer_name,
        p.code AS product, p.base_uom AS uom, s.quantity, coalesce(n.code, '') AS node, s.state,
        s.kept_until, s.note, s.created_at, s.ended_at, coalesce(q.number, '') AS quote,
        coalesce(o.number, '') AS order_number,
        coalesce(nullif(trim(u.first_name || ' ' || u.last_name), ''), u.username, '')
            AS created_by,
        coalesce((
            SELECT string_agg(DISTINCT at.code, ', ' ORDER BY at.code)
            FROM inventory_reservation r
            JOIN inventory_stock k ON k.id = r.stock_id JOIN inventory_node at ON at.id = k.node_id
            WHERE r.demand_id = s.id AND r.demand_kind = 'orders.setaside' AND r.closed_at IS NULL
        ), '') AS places
    FROM orders_setaside s
    JOIN accounts_entity e ON e.id = s.entity_id
    JOIN orders_customer c ON c.id = s.customer_id
    JOIN inventory_product p ON p.id = s.product_id
    LEFT JOIN inventory_node n ON n.id = s.node_id
    LEFT JOIN orders_quote q ON q.id = s.quote_id
    LEFT JOIN orders_order o ON o.id = s.order_id
    LEFT JOIN accounts_user u ON u.id = s.created_by_id
    WHERE s.entity_id = ANY(%(entities)s)
        AND (%(state)s = '' OR s.state = %(state)s)
        AND (%(customer)s = '' OR c.code = %(customer)s)
        AND (%(product)s = '' OR p.code = %(product)s)
        AND (%(number)s = '' OR s.number = %(number)s)
        AND s.id < %(before)s
    ORDER BY s.id DESC
    LIMIT %(limit)s
"""
NEWEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class SetAsideRow:
    """So much kept for a customer until a moment. `places` are the nodes where it lies now."""

    id: int
    number: str
    entity: str
    customer: str
    customer_name: str
    product: str
    uom: str
    quantity: Decimal
    node: str
    state: str
    kept_until: datetime
    note: str
    created_at: datetime
    ended_at: datetime | None
    quote: str
    order_number: str
    created_by: str
    places: str


def set_asides(
    *,
    entity_ids: Collection[int],
    state: str = "",
    customer: str = "",
    product: str = "",
    number: str = "",
    before: int | None = None,
    limit: int = 100,
) -> list[SetAsideRow]:
    """Return what was kept without an order, the newest first, those before an id. One query."""
    asked = {
        "entities": sorted(entity_ids),
        "before": NEWEST if before is None else before,
        "limit": limit,
        "state": state.replace("\0", ""),
        "customer": customer.replace("\0", ""),
        "product": product.replace("\0", ""),
        "number": number.replace("\0", ""),
    }
    return [SetAsideRow(**row) for row in records(LIST, asked)]
