"""Two products that are kept by serial number: from the dock to a customer, and on every desk."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from erp.accounts.models import User
from erp.kernel.sql import rows
from erp.outbox.publishing import telling_the_past
from erp.web.demo.company import ENTITIES
from erp.web.demo.history import Past
from finance.services import (
    deliver_shipments,
    invoice_shipments,
    post_correction,
    receive_purchase_order,
    ship_shipments,
    ship_transfers,
)
from inventory.models import Transfer
from inventory.services import Pack, Pick, ProductDraft, pack_shipments, upsert_products
from inventory.services.correcting import CorrectionDraft, CorrectionLineDraft, request_correction
from inventory.services.numbering import SerialPick
from inventory.services.transferring import (
    TransferDraft,
    TransferPick,
    approve_transfer,
    pick_transfers,
    request_transfers,
)
from orders.services import (
    LineDraft,
    OrderDraft,
    PriceRow,
    allocate_orders,
    create_orders,
    pick_shipments,
    submit_orders,
    upsert_prices,
)
from procurement.services import (
    OfferRow,
    PurchaseLine,
    send_order,
    submit_order,
    upsert_offers,
    write_order,
)

WRENCH, PUMP = "TO-900", "SY-900"
# code, name, category, kilograms, list price and cost in US dollars
GOODS = (
    (WRENCH, "Torque wrench, calibrated", "Tools", "1.40", "148.00", "96.50"),
    (PUMP, "Infusion pump, two channels", "Syringes", "2.20", "412.00", "268.00"),
)
WRENCHES = [f"TW-{number}" for number in range(240_817, 240_829)]
PUMPS = [f"IP7-{number:05d}" for number in range(1_301, 1_309)]
ROOM = """
    SELECT a.customer_id FROM orders_creditaccount a
    WHERE a.entity_id = %s
    ORDER BY a.credit_limit - (a.receivable + a.unbilled + a.committed - a.unapplied) DESC, a.id
    LIMIT 1
"""
SUPPLIER = "SELECT id FROM procurement_supplier ORDER BY id LIMIT 1"
NODES = "SELECT id FROM inventory_node WHERE code = ANY(%s) ORDER BY code DESC"  # north, then east
ORDERED = "SELECT id, quantity FROM procurement_purchaseorderline WHERE order_id = %s ORDER BY id"
PLANNED = """
    SELECT l.shipment_id, l.id FROM inventory_shipmentline l
    JOIN orders_orderline o ON o.id = l.demand_id AND l.demand_kind = 'orders.line'
    WHERE o.order_id = %s
"""


class _Shelf:
    """Where the pieces lie, who sells and buys them."""

    def __init__(self, past: Past, now: datetime) -> None:
        first = ENTITIES[0]
        self.past, self.now = past, now
        self.entity_id = past.entities[first.code].pk
        codes = [code for code, _name, _city in first.nodes]
        self.north, self.east = (row[0] for row in rows(NODES, [codes]))
        self.supplier_id = rows(SUPPLIER)[0][0]
        self.customer_id = rows(ROOM, [self.entity_id])[0][0]
        self.wrench, self.pump = _products(self)

    def person(self, role: str) -> User:
        return self.past.people[role]


def name_pieces(past: Past, now: datetime) -> None:
    """Keep two products by serial number: bought, sold, moved and set aside, some of it today.

    They come after all that is drawn by lot, so that the rest of the company is the same.
    """
    before = now - timedelta(days=16)
    with telling_the_past():
        shelf = _Shelf(past, before)
        _buy(shelf, [(shelf.wrench, WRENCHES), (shelf.pump, PUMPS)], before)
        _sell(shelf, now - timedelta(days=6))
    _set_aside(shelf, now)
    _move(shelf, [(shelf.pump, PUMPS[4:6])], now, is_sent=True)
    _move(shelf, [(shelf.wrench, WRENCHES[8:10])], now, is_sent=False)
    _order(shelf, "PO 71204", [(shelf.wrench, 3), (shelf.pump, 1)], now)
    _buy(shelf, [(shelf.pump, ["", ""]), (shelf.wrench, [""] * 4)], now, is_here=False)


def _products(shelf: _Shelf) -> list[int]:
    drafts = [
        ProductDraft(
            code=code, name=name, category=category, weight=Decimal(weight), tracking="serial"
        )
        for code, name, category, weight, _price, _cost in GOODS
    ]
    done = upsert_products(drafts=drafts, actor=None, now=shelf.now)
    ids = [done[code] for code, *_rest in GOODS]
    since = shelf.now.date()
    upsert_prices(
        rows=[
            PriceRow(
                entity_id=shelf.entity_id,
                currency=ENTITIES[0].currency,
                product_id=product_id,
                unit_price=Decimal(price),
                valid_from=since,
            )
            for product_id, (*_rest, price, _cost) in zip(ids, GOODS, strict=True)
        ],
        actor=None,
        now=shelf.now,
    )
    upsert_offers(
        offers=[
            OfferRow(
                entity_id=shelf.entity_id,
                supplier_id=shelf.supplier_id,
                product_id=product_id,
                currency=ENTITIES[0].currency,
                unit_price=Decimal(cost),
                moq=Decimal(1),
                multiple=Decimal(1),
                lead_time_days=7,
                rank=1,
            )
            for product_id, (*_rest, cost) in zip(ids, GOODS, strict=True)
        ]
    )
    return ids


def _buy(
    shelf: _Shelf,
    goods: Sequence[tuple[int, Sequence[str]]],
    at: datetime,
    *,
    is_here: bool = True,
) -> None:
    """Order goods, one for each number; take them in at once, or leave them to the dock."""
    buyer = shelf.person("buyer")
    order = write_order(
        entity_id=shelf.entity_id,
        supplier_id=shelf.supplier_id,
        node_id=shelf.north,
        lines=[PurchaseLine(product_id, Decimal(len(named))) for product_id, named in goods],
        actor=buyer,
        now=at,
    )
    if submit_order(order_id=order.pk, actor=buyer, now=at).state == "pending":
        shelf.past.approve(order.pk, at)
    send_order(order_id=order.pk, actor=buyer, now=at)
    if not is_here:
        return
    lines = [(line_id, quantity) for line_id, quantity in rows(ORDERED, [order.pk])]
    receive_purchase_order(
        order_id=order.pk,
        lines=lines,
        serials={line: named for (line, _), (_, named) in zip(lines, goods, strict=True)},
        actor=shelf.person("warehouse"),
        now=at + timedelta(days=4),
    )


def _order(shelf: _Shelf, number: str, wanted: Sequence[tuple[int, int]], at: datetime) -> int:
    """Take an order and plan its shipment; return the order's id."""
    desk = shelf.person("order_desk")
    draft = OrderDraft(
        entity_id=shelf.entity_id,
        customer_id=shelf.customer_id,
        channel="page",
        customer_po=number,
        lines=[LineDraft(product_id=each, quantity=Decimal(many)) for each, many in wanted],
    )
    ids = [order.id for order in create_orders(drafts=[draft], actor=desk, now=at)]
    submit_orders(order_ids=ids, actor=desk, now=at)
    allocate_orders(order_ids=ids, limit=1, cause="demo", now=at)
    return ids[0]


def _sell(shelf: _Shelf, at: datetime) -> None:
    """Sell two wrenches; the customer has them."""
    planned = rows(PLANNED, [_order(shelf, "PO 71180", [(shelf.wrench, 2)], at)])
    shipments = sorted({shipment_id for shipment_id, _line in planned})
    picks = [
        Pick(
            shipment_id=shipment_id,
            serials=[SerialPick(line_id=line_id, numbers=WRENCHES[:2])],
        )
        for shipment_id, line_id in planned
    ]
    floor, dock, later = shelf.person("warehouse"), shelf.person("shipping"), at + timedelta(days=2)
    pick_shipments(picks=picks, actor=floor, now=at)
    pack_shipments(packs=[Pack(shipment_id=each) for each in shipments], actor=floor, now=at)
    ship_shipments(shipment_ids=shipments, actor=dock, now=at)
    invoice_shipments(shipment_ids=shipments, now=at)
    deliver_shipments(shipment_ids=shipments, now=later)


def _set_aside(shelf: _Shelf, now: datetime) -> None:
    """Put one pump into quarantine."""
    line = CorrectionLineDraft(
        product_id=shelf.pump, quantity=Decimal(1), to_status="quarantine", serials=PUMPS[7:]
    )
    draft = CorrectionDraft(
        entity_id=shelf.entity_id,
        node_id=shelf.north,
        reason="The alarm does not sound",
        lines=[line],
    )
    floor = shelf.person("operations_lead")
    asked = request_correction(draft=draft, actor=floor, now=now)
    if asked.state == "approved":
        post_correction(correction_id=asked.pk, actor=floor, now=now)


def _move(
    shelf: _Shelf, goods: Sequence[tuple[int, Sequence[str]]], now: datetime, *, is_sent: bool
) -> None:
    """Send pieces from north to east, or leave them to be picked."""
    draft = TransferDraft(
        entity_id=shelf.entity_id,
        origin_id=shelf.north,
        destination_id=shelf.east,
        lines=[(product_id, Decimal(len(named))) for product_id, named in goods],
        reason="Shown to customers there",
    )
    made = request_transfers(drafts=[draft], actor=shelf.person("planner"), now=now)[0]
    if made.state == "requested":
        lead = shelf.person("operations_lead")
        approve_transfer(transfer_id=made.pk, actor=lead, now=now)
    if not is_sent or Transfer.objects.get(pk=made.pk).state != "approved":
        return
    named = dict(zip(made.lines.order_by("position").values_list("pk", flat=True),
                     [numbers for _product, numbers in goods], strict=True))  # fmt: skip
    pick = TransferPick(transfer_id=made.pk, serials=named)
    pick_transfers(picks=[pick], actor=shelf.person("warehouse"), now=now)
    ship_transfers(transfer_ids=[made.pk], actor=shelf.person("shipping"), now=now)
