"""Figures over all orders: stages, backlog, what waits, what allocation did last."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from erp.kernel.sql import records


@dataclass(frozen=True, slots=True)
class Stage:
    """How many orders of one currency stand in one state, and what they come to."""

    state: str
    currency: str
    count: int
    amount: Decimal


@dataclass(frozen=True, slots=True)
class BacklogRow:
    """What is still to leave past its promise: orders, lines and amount by entity and currency."""

    entity: str
    currency: str
    orders: int
    lines: int
    amount: Decimal


@dataclass(frozen=True, slots=True)
class WaitingLine:
    """One released line for which not all is reserved."""

    line_id: int
    order_id: int
    number: str
    position: int
    state: str
    customer: str
    priority: int
    class_code: str
    product: str
    name: str
    uom: str
    ordered: Decimal
    reserved: Decimal
    waiting: Decimal
    available: Decimal
    requested_date: date
    promised_date: date | None
    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class RunRow:
    """One pass of the allocation layer."""

    id: int
    at: datetime
    cause: str
    demands: int
    asked: Decimal
    given: Decimal
    milliseconds: int

    @property
    def rate(self) -> Decimal | None:
        return self.given / self.asked if self.asked else None


STAGE = """
    SELECT state, currency, count(*) AS count, sum(total) AS amount
    FROM orders_order
    WHERE entity_id = ANY(%(entities)s) AND state NOT IN ('closed', 'cancelled', 'invoiced')
    GROUP BY state, currency ORDER BY state, currency
"""

BACKLOG = """
    SELECT e.code AS entity, o.currency, count(DISTINCT o.id) AS orders, count(*) AS lines,
           sum(round(l.amount * (l.quantity - l.cancelled - l.shipped) / l.quantity, 2)) AS amount
    FROM orders_order o
    JOIN accounts_entity e ON e.id = o.entity_id
    JOIN orders_orderline l ON l.order_id = o.id
    WHERE o.entity_id = ANY(%(entities)s)
      AND o.state NOT IN ('closed', 'cancelled', 'invoiced')
      AND o.state IN ('released', 'allocated', 'partly_allocated', 'backordered', 'fulfilling',
                      'partly_shipped')
      AND l.quantity > l.cancelled + l.shipped
      AND coalesce(l.promised_date, o.requested_date) < %(on)s
    GROUP BY e.code, o.currency ORDER BY e.code, o.currency
"""

WAITING = """
    SELECT l.id AS line_id, o.id AS order_id, o.number, l.position, o.state, c.name AS customer,
           o.priority, o.class_code, p.code AS product, p.name, p.base_uom AS uom,
           l.quantity - l.cancelled AS ordered, l.reserved, l.waiting,
           (SELECT coalesce(sum(s.on_hand - s.reserved), 0) FROM inventory_stock s
            WHERE s.product_id = l.product_id AND s.entity_id = o.entity_id
              AND s.status = 'available' AND NOT s.is_barred) AS available,
           o.requested_date, l.promised_date,
           round(l.amount * l.waiting / l.quantity, 2) AS amount, o.currency
    FROM orders_order o
    JOIN orders_orderline l ON l.order_id = o.id AND l.waiting > 0
    JOIN orders_customer c ON c.id = o.customer_id
    JOIN inventory_product p ON p.id = l.product_id
    WHERE o.entity_id = ANY(%(entities)s)
      AND o.state NOT IN ('closed', 'cancelled', 'invoiced')
      AND o.state IN ('released', 'partly_allocated', 'backordered', 'fulfilling',
                      'partly_shipped')
      AND (%(product)s = '' OR p.code = %(product)s)
    ORDER BY o.priority, o.requested_date, l.id
    LIMIT %(limit)s
"""

RUNS = """
    SELECT r.id, r.at, r.cause, r.demands, r.asked, r.given, r.milliseconds
    FROM inventory_allocationrun r
    WHERE EXISTS (
        SELECT FROM inventory_allocationdecision d
        JOIN orders_orderline l ON l.id = d.demand_id AND d.demand_kind = 'orders.line'
        JOIN orders_order o ON o.id = l.order_id
        WHERE d.run_id = r.id AND o.entity_id = ANY(%(entities)s)
    )
    ORDER BY r.id DESC LIMIT %(limit)s
"""


def stages(*, entity_ids: Collection[int]) -> list[Stage]:
    """Return the open orders by state and currency. One query, by the index of open orders."""
    return [Stage(**row) for row in records(STAGE, {"entities": sorted(entity_ids)})]


def backlog(*, entity_ids: Collection[int], on: date) -> list[BacklogRow]:
    """Return what should have left before `on`, by what was promised or else requested."""
    found = records(BACKLOG, {"entities": sorted(entity_ids), "on": on})
    return [BacklogRow(**row) for row in found]


def waiting_lines(
    *, entity_ids: Collection[int], product: str = "", limit: int = 200
) -> list[WaitingLine]:
    """Return the lines that wait for stock (of one product), in the order they will be served."""
    params = {"entities": sorted(entity_ids), "product": product, "limit": limit}
    found = records(WAITING, params)
    return [WaitingLine(**row) for row in found]


def last_runs(*, entity_ids: Collection[int], limit: int = 20) -> list[RunRow]:
    """Return the latest passes of allocation that served these entities, the newest first."""
    found = records(RUNS, {"entities": sorted(entity_ids), "limit": limit})
    return [RunRow(**row) for row in found]
