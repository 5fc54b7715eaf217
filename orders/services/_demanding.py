"""What orders still want, and what they follow once it is kept: read, decided, written in sets."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from erp.kernel.prepared import Prepared
from erp.kernel.sql import rows, run
from erp.kernel.states import move
from inventory.selectors import NodeHours, calendars, node_hours
from inventory.services import Piece, ShipmentSource
from inventory.services.promising import FarNeed, leave_to_replenishment
from orders.models import Order
from orders.rules import TRANSIT_DAYS, NodeClock, Progress, Weeks, allocation_step, promise

LINE = "orders.line"
ORDER = "orders.order"

HEAD = """
    SELECT o.id, o.number, o.entity_id, o.state, o.priority, o.requested_date, o.promised_date,
           o.ship_to, o.carrier_id, c.transit_days, o.ship_complete, o.no_split,
           c.calendar_id, cu.calendar_id, o.no_substitutes, o.account_id, o.customer_id,
           o.currency, EXISTS (SELECT FROM orders_servingterms t WHERE t.order_id = o.id)
               OR EXISTS (SELECT FROM orders_servingterms t WHERE t.customer_id = o.customer_id),
           (SELECT EXISTS (SELECT FROM orders_segmentmember))
    FROM orders_order o
    JOIN orders_customer cu ON cu.id = o.customer_id
    LEFT JOIN inventory_carrier c ON c.id = o.carrier_id
    WHERE {which} AND o.state = ANY(%(states)s)
    ORDER BY {order}
    FOR NO KEY UPDATE OF o
"""
CLAIM = Prepared(
    HEAD.format(which="true", order="o.priority, o.id LIMIT %(limit)s") + " SKIP LOCKED"
)
BY_ID = Prepared(HEAD.format(which="o.id = ANY(%(ids)s)", order="o.id"))
BY_PRODUCT = HEAD.format(
    which="""
        o.entity_id = %(entity)s AND o.id IN (
            SELECT l.order_id FROM orders_orderline l
            WHERE l.product_id = ANY(%(products)s) AND l.waiting > 0
        )""",
    order="o.id",
)

WAITING = Prepared("""
    SELECT id, order_id, product_id, node_id, waiting, ordered, reserved, shipped, promised_date,
           disposition, kit_id, has_kits, fresh_days, is_substitute, is_agreed,
           promised_on, reserve_on, has_pairs
    FROM (
        SELECT l.disposition, l.kit_id, l.fresh_days, l.instead_of_id IS NOT NULL AS is_substitute,
               coalesce(l.quote_line_id, l.blanket_line_id) IS NOT NULL AS is_agreed,
               l.promised_date AS promised_on, l.reserve_on,
               EXISTS (SELECT FROM inventory_substitute b WHERE b.product_id = l.product_id)
                   AS has_pairs, count(l.kit_id) OVER w > 0 AS has_kits,
               l.id, l.order_id, l.position, l.product_id, l.node_id,
               l.waiting - l.direct AS waiting,
               sum(l.quantity - l.cancelled) OVER w AS ordered, sum(l.reserved) OVER w AS reserved,
               sum(l.shipped) OVER w AS shipped,
               max(l.promised_date) FILTER (WHERE l.waiting = 0) OVER w AS promised_date
        FROM orders_orderline l
        WHERE l.order_id = ANY(%(ids)s)
        WINDOW w AS (PARTITION BY l.order_id)
    ) AS l
    WHERE waiting > 0
    ORDER BY order_id, position
""")

GIVE = Prepared("""
    UPDATE orders_orderline l
    SET reserved = l.reserved + g.given,
        promised_date = coalesce(greatest(
            g.promised, CASE WHEN l.reserved + l.shipped > 0 THEN l.promised_date END
        ), l.promised_date),
        promised_p90_date = coalesce(greatest(
            g.promised, CASE WHEN l.reserved + l.shipped > 0 THEN l.promised_p90_date END
        ), l.promised_p90_date),
        promise_basis = jsonb_build_object(
            'at', %(now)s::timestamptz, 'cause', 'Reserved from stock', 'supplies', '[]'::jsonb
        ),
        first_promised_date = coalesce(l.first_promised_date, g.promised)
    FROM unnest(%(ids)s::bigint[], %(given)s::numeric[], %(promises)s::date[])
        AS g (id, given, promised)
    WHERE l.id = g.id
""")

LATER = """
    UPDATE orders_orderline l SET reserve_on = d.day
    FROM unnest(%(ids)s::bigint[], %(days)s::date[]) AS d (id, day)
    WHERE l.id = d.id
"""

RESERVED = (
    "SELECT order_id, id FROM orders_orderline WHERE order_id = ANY(%(ids)s) AND reserved > 0"
)


STANDING = """
    SELECT order_id, sum(quantity - cancelled), sum(reserved), sum(shipped)
    FROM orders_orderline WHERE order_id = ANY(%(ids)s) GROUP BY order_id
    HAVING sum(quantity - cancelled) > 0
"""


@dataclass(frozen=True, slots=True)
class Head:
    """One order as allocation sees it, locked."""

    id: int
    number: str
    entity_id: int
    state: str
    priority: int
    requested_date: date
    promised_date: date | None
    ship_to: Mapping[str, Any]
    carrier_id: int | None
    transit_days: int | None
    ship_complete: bool
    no_split: bool
    carrier_week: int | None = None
    customer_week: int | None = None
    no_substitutes: bool = False
    account_id: int = 0
    customer_id: int = 0
    currency: str = ""
    has_terms: bool = False
    has_segments: bool = False


@dataclass(frozen=True, slots=True)
class Want:
    """One line that waits, and how far its whole order has come before."""

    id: int
    order_id: int
    product_id: int
    node_id: int | None
    waiting: Decimal
    ordered: Decimal
    reserved: Decimal
    shipped: Decimal
    promised_date: date | None
    disposition: str
    kit_id: int | None
    has_kits: bool
    fresh_days: int | None = None
    is_substitute: bool = False
    is_agreed: bool = False
    promised_on: date | None = None
    reserve_on: date | None = None
    has_pairs: bool = False


def heads(statement: str, **params: Any) -> list[Head]:
    """Lock and return the orders that `statement` (CLAIM, BY_ID, BY_PRODUCT) chooses."""
    found = rows(statement, params)
    return [Head(*[*row[:7], object_of(row[7]), *row[8:]]) for row in found]


def wants_of(order_ids: Collection[int]) -> list[Want]:
    """Return every line of these orders of which something is neither kept nor gone. One query."""
    return [Want(*row) for row in rows(WAITING, {"ids": list(order_ids)})]


def follow_idle(chosen: Sequence[Head], wants: Sequence[Want]) -> None:
    """Move released orders on that want no stock, as suppliers send them all that waits.

    No statement where there are none.
    """
    wanting = {want.order_id for want in wants}
    idle = {
        head.id: head.state
        for head in chosen
        if head.state == Order.State.RELEASED and head.id not in wanting
    }
    found = rows(STANDING, {"ids": list(idle)}) if idle else []
    follow({row[0]: Progress(*row[1:]) for row in found}, idle, {})


def left_to_replenishment(
    orders: Mapping[int, Head], wants: Sequence[Want], now: datetime
) -> dict[int, date]:
    """Return the lines that need no stock yet, with the day from which on they do.

    Of what leaves together, all lines or none.
    """
    needs: dict[int, list[FarNeed]] = {}
    for want in wants:
        head = orders[want.order_id]
        transit = TRANSIT_DAYS if head.transit_days is None else head.transit_days
        needed = head.requested_date - timedelta(days=transit)
        needs.setdefault(head.entity_id, []).append(FarNeed(want.id, want.product_id, needed))
    found = {
        line: day
        for entity_id, asked in needs.items()
        for line, day in leave_to_replenishment(entity_id=entity_id, needs=asked, now=now).items()
    }
    together = {
        want.order_id
        for want in wants
        if want.id not in found
        and (orders[want.order_id].ship_complete or orders[want.order_id].no_split or want.has_kits)
    }
    return {
        want.id: found[want.id]
        for want in wants
        if want.id in found and want.order_id not in together
    }


def note_later(later: Mapping[int, date], wants: Sequence[Want]) -> None:
    """Write on lines from which day on they are to be reserved, and take it off the others.

    No statement where no line says so, nor is to.
    """
    changed = {
        want.id: later.get(want.id) for want in wants if want.reserve_on != later.get(want.id)
    }
    if changed:
        run(LATER, {"ids": list(changed), "days": list(changed.values())})


def reserved_lines(order_ids: Sequence[int]) -> dict[int, list[int]]:
    """Return by order the lines for which something is kept."""
    found: dict[int, list[int]] = {}
    if order_ids:
        for order_id, line_id in rows(RESERVED, {"ids": list(order_ids)}):
            found.setdefault(order_id, []).append(line_id)
    return found


def promises(
    pieces: Sequence[Piece], heads_by_line: Mapping[int, Head], now: datetime
) -> dict[int, date]:
    """Return by line when what was kept for it can be with the customer. At most two queries."""
    if not pieces:
        return {}
    hours = node_hours(ids={piece.node_id for piece in pieces}, on=now.date())
    clocks = {each.id: clock_of(each) for each in hours.values()}
    found = heads_by_line.values()
    weeks = calendars(
        ids=[*(h.carrier_week for h in found), *(h.customer_week for h in found)], on=now.date()
    )
    latest: dict[int, date] = {}
    made: dict[tuple[int, int, date, int | None, int | None], date] = {}
    for piece in pieces:
        head = heads_by_line[piece.demand_id]
        transit = TRANSIT_DAYS if head.transit_days is None else head.transit_days
        own = (head.carrier_week, head.customer_week)
        key = (piece.node_id, transit, head.requested_date, *own)
        if key not in made:
            days = Weeks(weeks.get(head.carrier_week or 0), weeks.get(head.customer_week or 0))
            clock = clocks[piece.node_id]
            made[key] = promise(now, clock, transit, head.requested_date, days)
        latest[piece.demand_id] = max(made[key], latest.get(piece.demand_id, made[key]))
    return latest


def clock_of(hours: NodeHours) -> NodeClock:
    return NodeClock(hours.time_zone, hours.cutoff, hours.handling_days, hours.calendar)


def give(given: Mapping[int, Decimal], promised: Mapping[int, date], now: datetime) -> None:
    """Mirror on the lines what was kept for them, with the promise. One statement."""
    kept = {line: quantity for line, quantity in given.items() if quantity}
    if kept:
        run(
            GIVE,
            {
                "now": now,
                "ids": list(kept),
                "given": list(kept.values()),
                "promises": [promised.get(line) for line in kept],
            },
        )


def source(head: Head, line_ids: Sequence[int], promised: date | None) -> ShipmentSource:
    return ShipmentSource(
        kind=ORDER,
        id=head.id,
        number=head.number,
        entity_id=head.entity_id,
        ship_to=head.ship_to,
        carrier_id=head.carrier_id,
        promised_date=promised,
        demand_kind=LINE,
        demand_ids=line_ids,
    )


def follow(
    progress: Mapping[int, Progress],
    states: Mapping[int, str],
    promised: Mapping[int, date | None],
) -> dict[int, str]:
    """Move each order to where its lines are; return the new states of those that moved.

    One statement for each transition and promised date that occurs.
    """
    groups: dict[tuple[str, date | None], list[int]] = {}
    for order_id, each in progress.items():
        step = allocation_step(states[order_id], each)
        if step is not None:
            groups.setdefault((step, promised.get(order_id)), []).append(order_id)
    for (step, day), ids in groups.items():
        columns = {} if day is None else {"promised_date": day}
        move(Order, step, ids, **columns)
    targets = {
        "allocate_all": "allocated",
        "allocate_some": "partly_allocated",
        "allocate_none": "backordered",
        "wait_for_rest": "partly_shipped",
    }
    return {order_id: targets[step] for (step, _), ids in groups.items() for order_id in ids}


def object_of(value: Any) -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(value) if isinstance(value, str) else value
    return found
