"""Follows what the floor found: picked lines go on, missing ones are looked for elsewhere."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from erp.accounts.models import User
from erp.governance.services import Change, record
from erp.kernel.prepared import Prepared
from erp.kernel.sql import rows, run
from erp.kernel.states import move
from inventory.services import Pick, PickOutcome
from inventory.services import pick_shipments as pick_stock
from inventory.services.tracking import NoSuchLot
from orders.models import Order
from orders.services._allocating import SERVED, serve
from orders.services._cancelling import WholeKitsOnly
from orders.services._demanding import BY_ID, heads, wants_of
from orders.services._insisting import keeps_until
from orders.services._locking import lock
from orders.services._withdrawing import UNRESERVE

SOURCES = Prepared("""
    SELECT id, source_id FROM inventory_shipment
    WHERE id = ANY(%(ids)s) AND source_kind = 'orders.order'
""")

NAMED_LOTS = """
    SELECT s.id, s.demand_id, p.code, named.expires_on
    FROM unnest(%(lines)s::bigint[], %(lots)s::text[]) AS w (id, lot)
    JOIN inventory_shipmentline s ON s.id = w.id AND s.demand_kind = 'orders.line'
    JOIN inventory_product p ON p.id = s.product_id
    JOIN inventory_lot named ON named.product_id = s.product_id AND named.code = w.lot
"""

BROKEN_KITS = """
    SELECT min(p.code) FROM inventory_shipmentline s
    JOIN orders_orderline l ON l.id = s.demand_id AND s.demand_kind = 'orders.line'
    JOIN inventory_product p ON p.id = l.product_id
    WHERE s.shipment_id = ANY(%(ids)s) AND l.kit_id IS NOT NULL
    GROUP BY s.shipment_id, l.kit_id
    HAVING min(s.picked / l.per_kit) <> max(s.picked / l.per_kit)
        OR max(s.picked / l.per_kit) <> floor(max(s.picked / l.per_kit))
"""


@transaction.atomic
def pick_shipments(*, picks: Sequence[Pick], actor: User | None, now: datetime) -> PickOutcome:
    """Confirm what was picked, and have what was missing kept elsewhere, in one commit.

    The orders of what was picked are being fulfilled. Picking again changes nothing.

    Raises:
        Shipment.DoesNotExist: one of them is not there.
        ShipmentNotReady: one of them is void.
        WholeKitsOnly: of a kit, more was picked of one part than of another.
        NoSuchLot: another lot keeps less than its line asks for, or cannot give so much.
        BadPick: a short line is not of its shipment, or its quantity or reason makes no sense.

    Publishes:
        LineFellShort
        OrderAllocated
    """
    orders = dict(rows(SOURCES, {"ids": [pick.shipment_id for pick in picks]}))
    lock(set(orders.values()))
    _refuse_old_lots(picks, set(orders.values()))
    outcome = pick_stock(picks=picks, actor=actor, now=now)
    started = move(Order, "start_picking", {orders[i] for i in outcome.picked_ids if i in orders})
    _record(started, actor, now)
    if outcome.shorts:
        _refuse_broken_kits(list(orders))
        _look_elsewhere(outcome, now)
    return outcome


def _refuse_old_lots(picks: Sequence[Pick], order_ids: set[int]) -> None:
    """Refuse to take a lot that keeps less than its line asks for."""
    swaps = {swap.line_id: swap for pick in picks for swap in pick.swaps}
    if not swaps:
        return
    params = {"lines": list(swaps), "lots": [swap.lot for swap in swaps.values()]}
    named = rows(NAMED_LOTS, params)
    until = keeps_until({row[1] for row in named}, order_ids)
    for swap_id, line_id, product, expires_on in named:
        least = until.get(line_id)
        if least is not None and expires_on is not None and expires_on < least:
            said = f"{product}: the line takes what keeps to {least:%-d %b %Y} at least."
            raise NoSuchLot(swaps[swap_id].lot, said)


def _refuse_broken_kits(shipment_ids: Sequence[int]) -> None:
    broken = rows(BROKEN_KITS, {"ids": list(shipment_ids)})
    if broken:
        raise WholeKitsOnly(
            f"{broken[0][0]} is part of a kit: pick as many whole kits of every part of it."
        )


def _look_elsewhere(outcome: PickOutcome, now: datetime) -> None:
    missing: dict[int, Decimal] = {}
    for short in outcome.shorts:
        missing[short.demand_id] = missing.get(short.demand_id, Decimal(0)) + short.missing
    run(UNRESERVE, {"ids": list(missing), "quantities": list(missing.values())})
    lines = "SELECT DISTINCT order_id FROM orders_orderline WHERE id = ANY(%(ids)s)"
    ids = [row[0] for row in rows(lines, {"ids": list(missing)})]
    wants = [want for want in wants_of(ids) if want.id in missing]
    chosen = heads(BY_ID, ids=ids, states=[*SERVED, Order.State.ALLOCATED])
    serve(chosen, wants, cause="Short pick", now=now, fresh=missing)


def _record(order_ids: Sequence[int], actor: User | None, now: datetime) -> None:
    if not order_ids:
        return
    entities = Order.objects.filter(pk__in=order_ids).values_list("pk", "entity_id")
    changes = [
        Change(
            entity_id=entity_id,
            action="orders.start_picking",
            subject_kind="orders.order",
            subject_id=order_id,
            thread=f"orders.order:{order_id}",
            after={"state": "fulfilling"},
        )
        for order_id, entity_id in entities
    ]
    record(changes=changes, actor=actor, now=now)
