"""The planner's workbench: products of which there is too little, and who has and wants them."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from erp.kernel.sql import records

STATES = "'{allocated,partly_allocated,backordered,fulfilling,partly_shipped}'"

FREE = """
    SELECT sum(s.on_hand - s.reserved) FROM inventory_stock s
    JOIN inventory_node n ON n.id = s.node_id AND n.is_active
    WHERE s.entity_id = d.entity_id AND s.product_id = d.product_id
        AND s.status = 'available' AND NOT s.is_barred
        AND (s.expires_on IS NULL OR s.expires_on >= %(today)s)
"""

SHORT = f"""
    SELECT e.code AS entity, e.currency, p.code, p.name, p.base_uom AS uom, d.lines, d.customers,
        d.held, d.waiting, coalesce(({FREE}), 0) AS free, d.amount, d.late
    FROM (
        SELECT o.entity_id, l.product_id, count(*) AS lines,
            count(DISTINCT o.customer_id) AS customers, sum(l.reserved) AS held,
            sum(l.waiting) AS waiting,
            round(sum(l.amount * l.waiting / l.quantity), 2) AS amount,
            count(*) FILTER (WHERE l.waiting > 0 AND o.requested_date < %(today)s) AS late
        FROM orders_orderline l
        JOIN orders_order o ON o.id = l.order_id
        WHERE o.entity_id = ANY(%(entities)s) AND o.state = ANY({STATES})
            AND l.waiting + l.reserved > 0
        GROUP BY o.entity_id, l.product_id
        HAVING sum(l.waiting) > 0
    ) AS d
    JOIN inventory_product p ON p.id = d.product_id
    JOIN accounts_entity e ON e.id = d.entity_id
    ORDER BY d.amount DESC, p.code, e.code
    LIMIT %(limit)s
"""  # noqa: S608  the parts are our own

CLAIMS = f"""
    SELECT l.id, o.number, l.position, o.state, e.code AS entity, p.code AS product,
        c.code AS customer_code,
        c.name AS customer, c.tier, o.class_code, o.priority, o.requested_date, l.promised_date,
        l.quantity - l.cancelled AS ordered, l.reserved AS held, l.shipped, l.waiting,
        round(l.amount * l.waiting / l.quantity, 2) AS amount, o.currency, p.base_uom AS uom,
        (o.ship_complete OR o.no_split OR l.kit_id IS NOT NULL) AS leaves_together,
        rank() OVER (PARTITION BY o.entity_id ORDER BY o.priority, o.requested_date, l.id) AS rank
    FROM orders_orderline l
    JOIN orders_order o ON o.id = l.order_id
    JOIN orders_customer c ON c.id = o.customer_id
    JOIN inventory_product p ON p.id = l.product_id
    JOIN accounts_entity e ON e.id = o.entity_id
    WHERE o.entity_id = ANY(%(entities)s) AND o.state = ANY({STATES})
        AND l.waiting + l.reserved > 0 AND WHICH
    ORDER BY e.code, rank
    LIMIT %(limit)s
"""  # noqa: S608  the parts are our own


@dataclass(frozen=True, slots=True)
class ShortProduct:
    """A product of which one entity has too little; base units. `amount` is what waits, at price.

    `late` counts lines that wait past the day they were asked for.
    """

    entity: str
    currency: str
    code: str
    name: str
    uom: str
    lines: int
    customers: int
    held: Decimal
    waiting: Decimal
    free: Decimal
    amount: Decimal
    late: int

    @property
    def demand(self) -> Decimal:
        """What is held or waited for."""
        return self.held + self.waiting

    @property
    def supply(self) -> Decimal:
        """What is held or free."""
        return self.held + self.free

    @property
    def covered(self) -> Decimal:
        """The share of demand that supply covers, 0 to 1."""
        return min(self.supply / self.demand, Decimal(1)) if self.demand else Decimal(1)


@dataclass(frozen=True, slots=True)
class Claim:
    """One line that has or wants some of a product; `rank` counts from 1 in its entity."""

    id: int
    number: str
    position: int
    state: str
    entity: str
    product: str
    customer_code: str
    customer: str
    tier: str
    class_code: str
    priority: int
    requested_date: date
    promised_date: date | None
    ordered: Decimal
    held: Decimal
    shipped: Decimal
    waiting: Decimal
    amount: Decimal
    currency: str
    uom: str
    leaves_together: bool
    rank: int

    @property
    def may_take(self) -> bool:
        """Test if stock may be taken for it."""
        return self.waiting > 0 and not self.leaves_together

    @property
    def may_give(self) -> bool:
        """Test if what it holds may be taken for another line."""
        return self.held > 0 and not self.leaves_together


def short_products(
    *, entity_ids: Collection[int], today: date, limit: int = 100
) -> list[ShortProduct]:
    """Return the products of which lines wait, what waits for most money first. One query."""
    params = {"entities": sorted(entity_ids), "today": today, "limit": limit}
    return [ShortProduct(**row) for row in records(SHORT, params)]


def claims_on(*, product: str, entity_ids: Collection[int], limit: int = 200) -> list[Claim]:
    """Return who has and who wants a product, in the order of rank. One query."""
    if "\0" in product:
        return []
    params = {"entities": sorted(entity_ids), "product": product, "limit": limit}
    found = records(CLAIMS.replace("WHICH", "p.code = %(product)s"), params)
    return [Claim(**row) for row in found]


def claim_of(*, line_id: int, entity_ids: Collection[int]) -> Claim | None:
    """Return one line that has or wants stock, alone (its `rank` is 1); None: no such line."""
    params = {"entities": sorted(entity_ids), "line": line_id, "limit": 1}
    found = records(CLAIMS.replace("WHICH", "l.id = %(line)s"), params)
    return Claim(**found[0]) if found else None
