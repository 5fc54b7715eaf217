"""When customers take goods in, and what a changed calendar makes of promises."""

from collections.abc import Mapping
from datetime import date, datetime

from django.db import transaction

from erp.accounts.models import User
from erp.kernel.sql import rows as query
from inventory.selectors import node_hours
from inventory.services.promising import Backing, Waiting, record_following
from orders.models import Customer, Order
from orders.services.promising._promising import (
    LINE,
    keep_promises,
    promise_products,
    reserved_lines,
)

# What may be promised otherwise when these calendars, nodes, carriers, suppliers or customers do:
# whoever waits; and what is kept and not picked yet, if its own customer, carrier or node moved.
# Who sells what is bought is not known here: whatever is to be bought is looked at.
TOUCHED = """
    WITH node AS (
        SELECT id FROM inventory_node
        WHERE calendar_id = %(calendar)s OR code = ANY(%(nodes)s::text[])
    ), carrier AS (
        SELECT id FROM inventory_carrier
        WHERE calendar_id = %(calendar)s OR code = ANY(%(carriers)s::text[])
    ), customer AS (
        SELECT id FROM orders_customer
        WHERE calendar_id = %(calendar)s OR code = ANY(%(customers)s::text[])
    )
    SELECT o.entity_id, l.product_id,
        array_agg(DISTINCT l.id) FILTER (WHERE l.waiting = 0 AND o.state = ANY(%(still)s))
    FROM orders_order o
    JOIN orders_orderline l ON l.order_id = o.id
    WHERE o.state = ANY(%(states)s) AND l.quantity > l.cancelled + l.shipped
        AND (
            o.customer_id IN (SELECT id FROM customer)
            OR o.carrier_id IN (SELECT id FROM carrier)
            OR (l.waiting > 0 AND l.promise_basis @> '{"supplies": [{"kind": "buy"}]}')
            OR (l.waiting > 0 AND EXISTS (
                SELECT FROM inventory_inbound i
                WHERE i.entity_id = o.entity_id AND i.product_id = l.product_id
                    AND i.node_id IN (SELECT id FROM node)
            ))
            OR EXISTS (
                SELECT FROM inventory_reservation r JOIN inventory_stock s ON s.id = r.stock_id
                WHERE r.demand_id = l.id AND r.demand_kind = 'orders.line'
                    AND r.closed_at IS NULL AND s.node_id IN (SELECT id FROM node)
            )
        )
    GROUP BY o.entity_id, l.product_id
    ORDER BY o.entity_id, l.product_id
"""
KEPT_AT = """
    SELECT r.demand_id, s.node_id, sum(r.quantity)
    FROM inventory_reservation r JOIN inventory_stock s ON s.id = r.stock_id
    WHERE r.demand_id = ANY(%(lines)s) AND r.demand_kind = 'orders.line' AND r.closed_at IS NULL
    GROUP BY r.demand_id, s.node_id
    ORDER BY r.demand_id, s.node_id
"""
NOT_PICKED = [*Order.WAITING, Order.State.ALLOCATED]
OPEN = [*NOT_PICKED, Order.State.FULFILLING, Order.State.PARTLY_SHIPPED]


@transaction.atomic(savepoint=False)  # a step of `follow_calendar`: it refuses nothing
def set_customer_calendar(
    *,
    rows: Mapping[int, str],
    calendar_id: int | None,
    code: str,
    actor: User | None,
    now: datetime,
) -> None:
    """Let customers (id -> code) take goods in on the days of a calendar, or on any day."""
    Customer.objects.filter(pk__in=list(rows)).update(calendar_id=calendar_id)
    record_following(rows=rows, kind="orders.customer", code=code, actor=actor, now=now)


@transaction.atomic
def promise_by_calendar(
    *, calendar_id: int, followers: Mapping[str, list[str]], cause: str, now: datetime
) -> int:
    """Promise anew what a calendar, or who came to it or left it, bears on; return how many.

    What waits as `promise_products` does; what is kept and not picked by when its node ships now.
    Only what it touches; repeating it changes nothing on the same day.

    Publishes:
        PromiseChanged
    """
    asked = {
        "calendar": calendar_id,
        "states": [str(state) for state in OPEN],
        "still": [str(state) for state in NOT_PICKED],
        **{name: followers.get(name, []) for name in ("nodes", "carriers", "customers")},
    }
    causes: dict[int, dict[int, str]] = {}
    kept: dict[int, list[int]] = {}
    for entity_id, product_id, lines in query(TOUCHED, asked):
        causes.setdefault(entity_id, {})[product_id] = cause
        kept.setdefault(entity_id, []).extend(lines or ())
    changed = 0
    for entity_id, products in sorted(causes.items()):
        changed += promise_products(entity_id=entity_id, causes=products, now=now)
        changed += _promise_kept(entity_id, kept[entity_id], cause, now)
    return changed


def _promise_kept(entity_id: int, line_ids: list[int], cause: str, now: datetime) -> int:
    """Promise again what is kept, by the nodes where it lies."""
    if not line_ids:
        return 0
    lines = reserved_lines(entity_id=entity_id, line_ids=line_ids)
    hours = node_hours(ids=None, on=now.date())
    leaves: dict[int, date] = {}
    kept: dict[int, Waiting] = {}
    for line_id, node_id, quantity in query(KEPT_AT, {"lines": sorted(lines)}):
        day = leaves.setdefault(node_id, hours[node_id].leaves(now))
        code, product = hours[node_id].code, lines[line_id].product_id
        into = kept.setdefault(
            line_id, Waiting(product, LINE, line_id, node_id, quantity, quantity - quantity)
        )
        into.backings.append(Backing("stock", code, node_id, quantity, day, day, is_overdue=False))
    causes = {line.product_id: cause for line in lines.values()}
    return keep_promises(lines, list(kept.values()), {}, causes, now)
