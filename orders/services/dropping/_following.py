"""Has order lines follow what suppliers were told to send straight to the customer, and sent."""

from collections.abc import Collection, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from erp.kernel.sql import records, rows
from erp.outbox.publishing import publish_all
from inventory.selectors import Addressee
from inventory.services import ShipmentSource
from inventory.services.promising import Backing, Waiting
from orders.events import DirectSupplyEnded, LineCovered
from orders.rules import TRANSIT_DAYS, Progress
from orders.services._allocating import SERVED
from orders.services._demanding import BY_ID, LINE, ORDER, Head, follow, heads, object_of, source
from orders.services._locking import lock
from orders.services.promising._promising import READ, keep_promises, line_of

SENT = READ.format(which="l.id = ANY(%(lines)s::bigint[]) AND l.direct > 0").replace(
    "AND o.entity_id = %(entity)s ", ""
)
OF_LINES = "SELECT DISTINCT order_id FROM orders_orderline WHERE id = ANY(%(ids)s)"
ADDRESSEES = """
    SELECT l.id AS demand_id, o.id AS document_id, o.number AS label, o.entity_id, l.product_id,
        l.waiting - l.direct AS waits, l.direct, o.ship_to || jsonb_build_object(
            'name', coalesce(nullif(o.ship_to ->> 'name', ''), c.name)) AS ship_to,
        o.state, o.ship_complete OR o.no_split AS leaves_at_once, l.kit_id, l.position,
        l.disposition = 'ship_complete' AS is_whole
    FROM orders_orderline l
    JOIN orders_order o ON o.id = l.order_id
    JOIN orders_customer c ON c.id = o.customer_id
    WHERE l.id = ANY(%(ids)s)
    ORDER BY l.id
"""
HOLD = """
    UPDATE orders_orderline l SET direct = l.direct + d.quantity
    FROM unnest(%(ids)s::bigint[], %(quantities)s::numeric[]) AS d (id, quantity)
    WHERE l.id = d.id
    RETURNING l.id
"""
HELD = """
    SELECT l.id, o.id, o.number, o.entity_id, l.waiting - l.direct
    FROM orders_orderline l JOIN orders_order o ON o.id = l.order_id
    WHERE l.id = ANY(%(ids)s) ORDER BY l.id
"""
KEEP = """
    UPDATE orders_orderline l SET direct = l.direct - d.quantity, reserved = l.reserved + d.quantity
    FROM unnest(%(ids)s::bigint[], %(quantities)s::numeric[]) AS d (id, quantity)
    WHERE l.id = d.id
    RETURNING l.id, l.order_id, l.waiting
"""
STANDING = """
    SELECT sum(quantity - cancelled), sum(reserved), sum(shipped) FROM orders_orderline
    WHERE order_id = %(order)s
"""


@transaction.atomic
def addressees(*, demand_ids: Collection[int]) -> dict[int, Addressee]:
    """Lock the accounts and orders of lines, by id; return whom each line is for.

    Whoever tells a supplier to send something straight, or to send it no more, calls it first.
    """
    asked = {"ids": sorted(set(demand_ids))}
    lock([row[0] for row in rows(OF_LINES, asked)])
    found = records(ADDRESSEES, asked)
    return {
        row["demand_id"]: _addressee(row | {"ship_to": object_of(row["ship_to"])}) for row in found
    }


def _addressee(row: Mapping[str, Any]) -> Addressee:
    return Addressee(
        demand_id=row["demand_id"],
        document_kind=ORDER,
        document_id=row["document_id"],
        label=row["label"],
        entity_id=row["entity_id"],
        product_id=row["product_id"],
        waits=row["waits"],
        direct=row["direct"],
        ship_to=row["ship_to"],
        refusal=_refusal(row),
    )


def _refusal(row: Mapping[str, Any]) -> str:
    if row["state"] not in SERVED:
        return f"{row['label']} is not one that goods may leave for now."
    if row["leaves_at_once"] or row["is_whole"]:
        return f"{row['label']} is to leave complete: nothing of it comes from elsewhere."
    if row["kit_id"] is not None:
        return f"Line {row['position']} of {row['label']} is part of a kit, which leaves whole."
    if not row["ship_to"].get("address") and not row["ship_to"].get("city"):
        return f"{row['label']} has no address to send it to."
    return ""


@transaction.atomic
def hold_direct(*, changes: Mapping[int, Decimal]) -> None:
    """Note by how much more (less, negative) of lines a supplier was told to send straight.

    In base units. The caller has locked the orders (`addressees`). No stock is kept for so much: a
    line of which a supplier sends all that waits is short no more.

    Publishes:
        DirectSupplyEnded
        LineCovered
    """
    if not changes:
        return
    held = rows(HOLD, {"ids": list(changes), "quantities": list(changes.values())})
    lines = rows(HELD, {"ids": [row[0] for row in held]})
    covered = [
        LineCovered(line_id=line_id, order_id=order_id, number=number, entity_id=entity_id)
        for line_id, order_id, number, entity_id, idle in lines
        if changes[line_id] > 0 and not idle
    ]
    ended = {line[1]: line[3] for line in lines if changes[line[0]] < 0}
    publish_all(covered)
    publish_all(
        [DirectSupplyEnded(order_id=order, entity_id=entity) for order, entity in ended.items()]
    )


@transaction.atomic
def promise_direct(*, leaves: Mapping[int, date], label: str, cause: str, now: datetime) -> int:
    """Promise lines by the day on which they leave the supplier; return how many promises changed.

    What a person promised by hand stays while it can be kept. Locks their orders.

    Publishes:
        PromiseChanged
    """
    asked = {"lines": list(leaves), "states": SERVED, "transit": TRANSIT_DAYS}
    lines = {row["id"]: line_of(row) for row in records(SENT, asked)}
    backed = []
    for line in lines.values():
        day = leaves[line.id]
        into = Waiting(line.product_id, LINE, line.id, line.node_id, line.waiting, Decimal(0))
        into.backings.append(
            Backing("drop_ship", label, 0, line.waiting, day, day, is_overdue=False)
        )
        backed.append(into)
    causes = {line.product_id: cause for line in lines.values()}
    return keep_promises(lines, backed, {}, causes, now) if backed else 0


@transaction.atomic
def keep_direct(
    *, order_id: int, quantities: Mapping[int, Decimal], now: datetime
) -> ShipmentSource | None:
    """Mirror on an order's lines what their supplier sent: kept for them, about to leave.

    Returns what its shipment is planned by; None where goods may not leave for the order now. The
    caller has locked the order, keeps the stock and lets the shipment leave in the same commit.

    Publishes:
        LineCovered
    """
    found = heads(BY_ID, ids=[order_id], states=[*SERVED, "allocated"])
    if not found:
        return None
    (head,) = found
    kept = rows(KEEP, {"ids": list(quantities), "quantities": list(quantities.values())})
    (standing,) = rows(STANDING, {"order": order_id})
    follow({order_id: Progress(*standing)}, {order_id: head.state}, {})
    publish_all([_covered(line_id, head) for line_id, _order, waits in kept if not waits])
    return source(head, list(quantities), head.promised_date)


def _covered(line_id: int, head: Head) -> LineCovered:
    return LineCovered(
        line_id=line_id, order_id=head.id, number=head.number, entity_id=head.entity_id
    )
