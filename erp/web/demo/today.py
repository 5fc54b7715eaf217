"""What lies on the desks this morning: open orders in every state, and live exceptions."""

from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count

from erp.kernel.sql import rows
from erp.web.demo.binning import put_into_bins
from erp.web.demo.company import DemoCustomer
from erp.web.demo.history import LINES, PROPOSALS, Past
from finance.services import invoice_shipments, receive_purchase_order, ship_shipments
from inventory.services import Pack, Pick, ShortPick, pack_shipments
from orders.services import (
    LineDraft,
    OrderDraft,
    allocate_orders,
    create_orders,
    pick_shipments,
    submit_orders,
)
from procurement.services import (
    accept_proposals,
    replenish,
    send_order,
    submit_order,
)

DEEPEST_PRICE = Decimal("0.8")  # a break and a contract may take this much off the list
Buyers = dict[str, DemoCustomer]
NEAR_LIMIT = """
    SELECT c.code, a.credit_limit - (a.receivable + a.unbilled + a.committed - a.unapplied) AS room,
           p.product_id, p.unit_price
    FROM orders_creditaccount a JOIN orders_customer c ON c.id = a.customer_id
    JOIN LATERAL (
        SELECT s.product_id, q.unit_price FROM inventory_stock s
        JOIN orders_price q ON q.product_id = s.product_id AND q.entity_id = s.entity_id
         AND q.customer_id IS NULL AND q.min_quantity = 0
        WHERE s.entity_id = a.entity_id AND s.on_hand - s.reserved > 5 AND q.min_quantity = 0
        ORDER BY q.unit_price DESC, s.id LIMIT 1
    ) p ON true
    WHERE a.credit_limit > 0
    ORDER BY (a.receivable + a.unbilled + a.committed - a.unapplied) / a.credit_limit DESC, c.code
    LIMIT %s
"""
SCARCE = """
    SELECT s.entity_id, s.product_id, sum(s.on_hand - s.reserved) AS free
    FROM inventory_stock s WHERE s.status = 'available'
    GROUP BY 1, 2 HAVING sum(s.on_hand - s.reserved) BETWEEN 1 AND 40
    ORDER BY free, product_id LIMIT %s
"""
SPREAD = """
    SELECT a.entity_id, a.product_id, a.on_hand - a.reserved, b.on_hand - b.reserved, a.node_id
    FROM inventory_stock a JOIN inventory_stock b
      ON b.product_id = a.product_id AND b.entity_id = a.entity_id AND b.node_id <> a.node_id
    WHERE a.status = 'available' AND b.status = 'available'
      AND a.on_hand - a.reserved BETWEEN 1 AND 30 AND b.on_hand - b.reserved > 60
    ORDER BY a.product_id, a.id LIMIT %s
"""
PLANNED = "SELECT id FROM inventory_shipment WHERE state = 'planned' ORDER BY id LIMIT %s"
PICKABLE = """
    SELECT l.shipment_id, l.id, l.quantity FROM inventory_shipmentline l
    JOIN inventory_shipment s ON s.id = l.shipment_id
    WHERE s.state = 'planned' AND l.quantity >= 3 ORDER BY l.id DESC LIMIT %s
"""
RESUPPLY = """
    SELECT id FROM procurement_purchaseorder WHERE state = 'sent'
    ORDER BY expected_date, id LIMIT %s
"""


def open_the_day(past: Past, now: datetime) -> None:
    """Leave work on every desk. Facts are told as usual: workers and cases follow them."""
    buyers = {c.code: c for c in past.company.customers}
    drafts = [past.draft(now.date()) for _ in range(past.orders_a_day * 2)]
    create_orders(drafts=drafts[:5], actor=past.people["order_desk"], now=now)
    _take(past, drafts[5:], now)
    _take(past, _over_limit(past, buyers), now)
    _take(past, _short(past, buyers), now)
    put_into_bins(past, now)
    _floor(past, now)
    _purchasing(past, now)


def _take(past: Past, drafts: list[OrderDraft], now: datetime) -> None:
    desk = past.people["order_desk"]
    ids = [order.id for order in create_orders(drafts=drafts, actor=desk, now=now)]
    submit_orders(order_ids=ids, actor=desk, now=now)
    allocate_orders(order_ids=ids, limit=len(ids), cause="demo", now=now)


def _over_limit(past: Past, buyers: Buyers) -> list[OrderDraft]:
    drafts = []
    for code, room, product_id, price in rows(NEAR_LIMIT, [8]):
        reach = max(room, Decimal(0)) / price / DEEPEST_PRICE
        quantity = reach.to_integral_value() + 3
        line = LineDraft(product_id=product_id, quantity=quantity)
        drafts.append(_draft(past, buyers[code], [line]))
    return drafts


def _short(past: Past, buyers: Buyers) -> list[OrderDraft]:
    """Ask for more than there is: of scarce products, and of some that lie at another node."""
    by_entity = {
        past.entities[code].pk: sorted(
            (b for b in buyers.values() if b.entity.code == code), key=lambda b: (b.tier, b.code)
        )[:12]
        for code in past.entities
    }
    turn = count()
    drafts = []
    for entity_id, product_id, free in rows(SCARCE, [24]):
        buyer = by_entity[entity_id][next(turn) % len(by_entity[entity_id])]
        line = LineDraft(product_id=product_id, quantity=free + 6 + next(turn) % 30)
        drafts.append(_draft(past, buyer, [line]))
    for entity_id, product_id, here, _there, node_id in rows(SPREAD, [6]):
        buyer = by_entity[entity_id][next(turn) % len(by_entity[entity_id])]
        line = LineDraft(product_id=product_id, quantity=here + 20, node_id=node_id)
        drafts.append(_draft(past, buyer, [line], no_split=True))
    return drafts


def _draft(
    past: Past, buyer: DemoCustomer, lines: list[LineDraft], *, no_split: bool = False
) -> OrderDraft:
    return OrderDraft(
        entity_id=past.entities[buyer.entity.code].pk,
        customer_id=past.customers[buyer.code],
        channel="api",
        customer_po=f"PO {past.random.randint(10_000, 99_999)}",
        lines=lines,
        no_split=no_split or None,
    )


def _floor(past: Past, now: datetime) -> None:
    """Leave shipments picked, packed, on the road, and two that came up short."""
    floor, dock = past.people["warehouse"], past.people["shipping"]
    shorts = {
        shipment: ShortPick(line_id=line, picked=quantity - 2, reason="not_found")
        for shipment, line, quantity in rows(PICKABLE, [2])
    }
    for shipment, short in sorted(shorts.items()):
        pick_shipments(picks=[Pick(shipment_id=shipment, shorts=(short,))], actor=floor, now=now)
    ids = [row[0] for row in rows(PLANNED, [past.orders_a_day])]
    third = len(ids) // 3
    pick_shipments(picks=[Pick(shipment_id=i) for i in ids], actor=floor, now=now)
    pack_shipments(packs=[Pack(shipment_id=i) for i in ids[third:]], actor=floor, now=now)
    ship_shipments(shipment_ids=ids[2 * third :], actor=dock, now=now)
    invoice_shipments(shipment_ids=ids[2 * third :], now=now)


def _purchasing(past: Past, now: datetime) -> None:
    """Leave proposals open, orders waiting for approval, approved and on their way."""
    buyer = past.people["buyer"]
    replenish(keys=None, now=now)
    proposals = [row[0] for row in rows(PROPOSALS)]
    written = accept_proposals(proposal_ids=proposals[: len(proposals) // 2], actor=buyer, now=now)
    for turn, order in enumerate(written):
        if turn % 4 == 0:
            continue
        submitted = submit_order(order_id=order.id, actor=buyer, now=now)
        if turn % 4 == 1:
            continue
        if submitted.state == "pending":
            past.approve(order.id, now)
        if turn % 4 == 3:  # noqa: PLR2004  every fourth is sent
            send_order(order_id=order.id, actor=buyer, now=now)
    for (order_id,) in rows(RESUPPLY, [1]):
        lines = [(line, quantity) for line, quantity in rows(LINES, [order_id])]
        receive_purchase_order(
            order_id=order_id,
            lines=lines,
            actor=past.people["warehouse"],
            now=now + timedelta(seconds=1),
        )
