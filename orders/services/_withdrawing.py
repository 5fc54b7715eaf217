"""Takes back what released orders hold: reservations, licences, their share of the credit limit."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from erp.kernel.events import Event
from erp.kernel.prepared import Prepared
from erp.kernel.sql import rows, run
from inventory.services import release_reservations
from orders.events import LineCovered
from orders.rules import PART_OF, part_of
from orders.services._exporting import give_back_licences

LINES = Prepared("""
    SELECT l.id, l.order_id, o.number, o.entity_id, l.position, l.quantity, l.reserved, l.shipped,
           l.cancelled, l.waiting, l.direct, l.amount
    FROM orders_orderline l JOIN orders_order o ON o.id = l.order_id
    WHERE l.order_id = ANY(%(ids)s)
    ORDER BY l.order_id, l.position
""")

UNRESERVE = Prepared("""
    UPDATE orders_orderline l SET reserved = l.reserved - freed.quantity
    FROM unnest(%(ids)s::bigint[], %(quantities)s::numeric[]) AS freed (id, quantity)
    WHERE l.id = freed.id
""")

# Freight counts until the first invoice bears it.
COMMITMENT = f"""
    UPDATE orders_creditaccount a SET committed = a.committed {{sign}} open.amount
    FROM (
        SELECT o.account_id, sum(coalesce(line.open, 0)
            + CASE WHEN line.invoiced THEN 0 ELSE o.freight END) AS amount
        FROM orders_order o
        CROSS JOIN LATERAL (
            SELECT sum(l.amount - {
    PART_OF.format(amount="l.amount", done="l.cancelled + l.shipped", quantity="l.quantity")
}) AS open,
                   bool_or(l.invoiced > 0) AS invoiced
            FROM orders_orderline l WHERE l.order_id = o.id
        ) AS line
        WHERE o.id = ANY(%(ids)s)
        GROUP BY o.account_id
    ) AS open
    WHERE a.id = open.account_id
"""  # noqa: S608  the parts are our own
UNCOMMIT = COMMITMENT.format(sign="-")


@dataclass(frozen=True, slots=True)
class Line:
    """One line as it stands, in base units and the order's currency."""

    id: int
    order_id: int
    number: str
    entity_id: int
    position: int
    quantity: Decimal
    reserved: Decimal
    shipped: Decimal
    cancelled: Decimal
    waiting: Decimal
    direct: Decimal
    amount: Decimal

    @property
    def open(self) -> Decimal:
        """What is still to be served."""
        return self.quantity - self.shipped - self.cancelled

    @property
    def idle(self) -> Decimal:
        """What waits, and no supplier was told to send."""
        return self.waiting - self.direct

    @property
    def worth(self) -> Decimal:
        """What is still to be served is worth, to a hundredth of a cent."""
        return self.amount - part_of(self.amount, self.shipped + self.cancelled, self.quantity)


def lines_of(order_ids: Collection[int]) -> list[Line]:
    """Return all lines of the orders, in their order. One query."""
    return [Line(*row) for row in rows(LINES, {"ids": list(order_ids)})]


def unreserve(line_ids: Collection[int], now: datetime) -> dict[int, Decimal]:
    """Give back what is reserved for these lines and not yet picked; return how much, by line."""
    freed = release_reservations(demand_kind="orders.line", demand_ids=list(line_ids), now=now)
    if freed:
        run(UNRESERVE, {"ids": list(freed), "quantities": list(freed.values())})
    return freed


def withdraw_lines(order_ids: Collection[int], now: datetime) -> list[Event]:
    """Give back all that released, unpicked orders hold; return what is to be told.

    Call it before the lines are cancelled. Lines that waited for stock wait no longer.
    """
    lines = lines_of(order_ids)
    run(UNCOMMIT, {"ids": list(order_ids)})
    give_back_licences({line.id: line.shipped for line in lines})
    unreserve([line.id for line in lines if line.reserved], now)
    return [covered(line) for line in lines if line.waiting]


def covered(line: Line) -> LineCovered:
    return LineCovered(
        line_id=line.id, order_id=line.order_id, number=line.number, entity_id=line.entity_id
    )
