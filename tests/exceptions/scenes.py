"""One scene for each play: the least that has to be for it to be offered, and who may run it."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from erp.accounts.models import User
from erp.outbox.models import Delivery, Message
from exceptions.models import ExceptionCase
from exceptions.services import refresh
from finance.services import open_books, receive_transfer, ship_shipments
from inventory.models import Lot, Node, Product, ProductCost, Shipment, ShipmentLine, StockMove
from inventory.services import Pick, ShortPick, fail_shipment
from orders.models import Order, OrderLine, Quote, QuoteLine
from orders.services import PriceRow, pick_shipments, upsert_prices
from procurement.models import PurchaseOrder, ReplenishmentRule
from procurement.services import PurchaseLine, reschedule_order, submit_order, write_order
from tests.exceptions import factories
from tests.exceptions.factories import NOW, TODAY
from tests.finance import drops, transfers
from tests.finance import factories as sold

EVERYTHING = (
    "planner", "order_desk", "buyer", "credit", "ar", "pricing", "operations_lead", "controller",
    "shipping",
)  # fmt: skip

Scene = tuple[ExceptionCase, User, datetime]


def doer() -> User:
    return factories.person("dora", *EVERYTHING)


def line_short(item: Product | None = None, **values: Any) -> Scene:
    values.setdefault("account", factories.account(committed=1000))
    case = factories.shortage_case(item=item, line={"node": factories.node()}, **values)
    return case, doer(), NOW


def elsewhere(*places: tuple[str, int], **values: Any) -> Scene:
    item = costly()
    for code, free in places:
        factories.stock(item, free, node=factories.node(code))
    return line_short(item, quantity=20, **values)


def costly(**values: Any) -> Product:
    item = factories.product(**values)
    ProductCost.objects.create(
        product=item, entity=factories.company(), quantity=100, value=Decimal(400)
    )
    return item


def partial() -> Scene:
    item = costly()
    factories.stock(item, 12, node=factories.node("DC-WEST"))
    factories.offer(item)
    return line_short(item, quantity=20)


def offered(*lead_times: int) -> Scene:
    item = costly()
    for rank, days in enumerate(lead_times, start=1):
        factories.offer(item, lead_time_days=days, rank=rank, unit_price=5 + rank)
    return line_short(item)


def inbound(**values: Any) -> Scene:
    item = costly()
    factories.purchase(item, 50)
    return line_short(item, **values)


def of_the_group() -> Scene:
    item = costly()
    sister = factories.company("US02")
    place = factories.node("DC-TWO", entity=sister)
    factories.stock(item, 40, node=place, entity=sister)
    ProductCost.objects.create(product=item, entity=sister, quantity=40, value=Decimal(160))
    factories.person("dora", *EVERYTHING, entity=sister)
    return line_short(item)


def alike() -> Scene:
    item, other = costly(category="Bolts"), costly(category="Bolts")
    factories.stock(other, 30)
    return line_short(item)


def over_limit() -> Scene:
    open_books(entity_id=factories.company().pk, now=NOW)
    case = factories.hold_case(total=1000, account=factories.account(credit_limit=400))
    OrderLine.objects.create(
        order_id=case.order_id, position=1, product=costly(), uom="EA", uom_quantity=10,
        quantity=10, unit_price=100, amount=1000,
    )  # fmt: skip
    return case, doer(), NOW


def price_in_doubt(*, is_contract: bool = False, is_quoted: bool = False) -> Scene:
    item, buyer = costly(), factories.account()
    row = PriceRow(
        entity_id=buyer.entity_id, product_id=item.pk, currency="USD", unit_price=Decimal(12),
        valid_from=TODAY - timedelta(days=30),
        customer_id=buyer.customer_id if is_contract else None,
    )  # fmt: skip
    upsert_prices(rows=[row], actor=None, now=NOW)
    if is_quoted:
        quote = Quote.objects.create(
            entity=buyer.entity, customer=buyer.customer, account=buyer, currency="USD",
            state="sent", valid_until=TODAY + timedelta(days=9), created_at=NOW, sent_at=NOW,
        )  # fmt: skip
        QuoteLine.objects.create(
            quote=quote, position=1, product=item, uom="EA", uom_quantity=10, quantity=10,
            unit_price=9, amount=90,
        )  # fmt: skip
    hold = factories.held_order(total=80, kind="price", account=buyer, ship_to=ADDRESS)
    hold.owner_role = "pricing"
    hold.save(update_fields=["owner_role"])
    OrderLine.objects.create(
        order=hold.order, position=1, product=item, uom="EA", uom_quantity=10, quantity=10,
        unit_price=8, amount=80, price_source="entered", price_basis={"kind": "entered"},
    )  # fmt: skip
    refresh(type="orders.price_hold", subject_ids=[hold.pk], now=NOW)
    case = ExceptionCase.objects.get(type="orders.price_hold", subject_id=hold.pk)
    return case, doer(), NOW


ADDRESS = {
    "name": "Customer", "address": "1 Dock Road", "city": "Dayton", "country": "US",
    "postal_code": "45402",
}  # fmt: skip


def sent_straight() -> Scene:
    line = drops.proposed(sold.world())
    refresh(type="orders.shortage", subject_ids=[line.pk], now=NOW)
    case = ExceptionCase.objects.get(type="orders.shortage", subject_id=line.pk)
    return case, doer(), NOW


def late_supply(*, waited_for: int = 0) -> Scene:
    item = costly()
    made = factories.purchase(item, 10, expected=TODAY - timedelta(days=3))
    factories.offer(item, lead_time_days=4)
    if waited_for:
        factories.short_line(waited_for, item=item)
    refresh(type="procurement.late_supply", subject_ids=[made.pk], now=NOW)
    case = ExceptionCase.objects.get(type="procurement.late_supply", subject_id=made.pk)
    return case, doer(), NOW


def unapproved() -> Scene:
    item, buyer = costly(), factories.person("bea", "buyer")
    offer = factories.offer(item, unit_price=900)
    asked = NOW - timedelta(days=2)
    order = write_order(
        entity_id=offer.entity_id, supplier_id=offer.supplier_id, node_id=factories.node().pk,
        lines=[PurchaseLine(item.pk, Decimal(10))], actor=buyer, now=asked,
    )  # fmt: skip
    submit_order(order_id=order.pk, actor=buyer, now=asked)
    refresh(type="procurement.approval_overdue", now=NOW)
    return ExceptionCase.objects.get(type="procurement.approval_overdue"), doer(), NOW


def not_found() -> Scene:
    where = sold.world()
    item = sold.product(where, on_hand="10")
    order = sold.allocated(where, (item, "10", "7"), now=NOW)
    (shipment,) = sold.shipments_of(order)
    line = ShipmentLine.objects.get(shipment=shipment)
    short = ShortPick(line_id=line.pk, picked=Decimal(7), reason="not_found")
    pick_shipments(picks=[Pick(shipment_id=shipment, shorts=[short])], actor=None, now=NOW)
    factories.stock(item, 5, node=factories.node("DC-WEST"))
    refresh(type="inventory.short_pick", subject_ids=[line.pk], now=NOW)
    return ExceptionCase.objects.get(type="inventory.short_pick"), doer(), NOW


def late_shipment() -> Scene:
    where = sold.world()
    sold.allocated(where, (sold.product(where), "4", "7"), now=NOW)
    later = NOW + timedelta(days=9)
    refresh(type="inventory.shipment_overdue", now=later)
    return ExceptionCase.objects.get(type="inventory.shipment_overdue"), doer(), later


def unbilled() -> Scene:
    where = sold.world()
    _order, (shipment,) = sold.packed(where, (sold.product(where), "4", "25"), now=NOW)
    ship_shipments(shipment_ids=[shipment], actor=None, now=NOW)
    later = NOW + timedelta(hours=3)
    refresh(type="finance.shipped_not_billed", now=later)
    return ExceptionCase.objects.get(type="finance.shipped_not_billed"), doer(), later


def undelivered() -> Scene:
    factories.company()
    message = Message.objects.create(name="orders.line_covered", payload={}, published_at=NOW)
    dead = Delivery.objects.create(
        message=message, handler="exceptions.clear_cases_of_covered_lines", status="dead",
        attempts=8, settled_at=NOW,
    )  # fmt: skip
    refresh(type="outbox.dead_delivery", subject_ids=[dead.pk], now=NOW)
    return ExceptionCase.objects.get(type="outbox.dead_delivery"), doer(), NOW


def waited_for(case_type: str, made: PurchaseOrder) -> Scene:
    refresh(type=case_type, subject_ids=[made.pk], now=NOW)
    case = ExceptionCase.objects.get(type=case_type, subject_id=made.pk)
    return case, doer(), NOW


def moved_day() -> Scene:
    item = costly()
    factories.short_line(4, item=item)
    made = factories.purchase(item, 10, expected=TODAY + timedelta(days=3))
    line = made.lines.get()
    later = TODAY + timedelta(days=8)
    reschedule_order(order_id=made.pk, dates={line.pk: later}, actor=None, now=NOW)
    return waited_for("procurement.supplier_change", made)


def running_out() -> Scene:
    """12 are free and 4 leave a day; the next would come in 9 days. Another node has 40."""
    item, here = costly(), factories.node()
    factories.stock(item, 12, node=here)
    factories.stock(item, 40, node=factories.node("DC-WEST"))
    factories.offer(item, lead_time_days=9)
    rule = ReplenishmentRule.objects.create(
        entity=factories.company(), node=here, product=item, reorder_point=10, order_up_to=60
    )
    left(item, here, 112)
    refresh(type="inventory.predicted_stockout", subject_ids=[rule.pk], now=NOW)
    case = ExceptionCase.objects.get(type="inventory.predicted_stockout", subject_id=rule.pk)
    return case, doer(), NOW


def left(item: Product, place: Node, quantity: int) -> None:
    """So much of a product left a node ten days ago."""
    StockMove.objects.create(
        at=NOW - timedelta(days=10), kind="shipment", entity=factories.company(), node=place,
        product=item, status="available", quantity=-quantity, value=-quantity,
        cause_kind="test", cause_id=item.pk,
    )  # fmt: skip


def lot_near_its_end() -> Scene:
    item, here = costly(tracking="lot"), factories.node()
    lot = Lot.objects.create(
        product=item, code="L1", created_at=NOW, expires_on=TODAY + timedelta(days=9)
    )
    row = factories.stock(item, 30, node=here, lot=lot, expires_on=lot.expires_on)
    west = factories.node("DC-WEST")
    StockMove.objects.create(
        at=NOW - timedelta(days=10), kind="shipment", entity=factories.company(), node=west,
        product=item, lot=lot, status="available", quantity=-56, value=-56,
        cause_kind="test", cause_id=item.pk,
    )  # fmt: skip
    refresh(type="inventory.lot_expiring", subject_ids=[row.pk], now=NOW)
    return ExceptionCase.objects.get(type="inventory.lot_expiring"), doer(), NOW


def on_the_road() -> tuple[Order, int]:
    where = sold.world()
    factories.carrier("SLOW", transit_days=6, base_rate=5)
    factories.carrier("FAST", transit_days=1, base_rate=90)
    order, (shipment,) = sold.shipped(where, (sold.product(where), "4", "25"), now=NOW)
    return order, shipment


def did_not_arrive() -> Scene:
    _, shipment = on_the_road()
    Shipment.objects.filter(pk=shipment).update(carrier=factories.carrier("TRUCK"))
    fail_shipment(shipment_id=shipment, reason="Nobody home", actor=None, now=NOW)
    refresh(type="inventory.shipment_failed", subject_ids=[shipment], now=NOW)
    return ExceptionCase.objects.get(type="inventory.shipment_failed"), doer(), NOW


def not_heard_of() -> Scene:
    _, shipment = on_the_road()
    Shipment.objects.filter(pk=shipment).update(promised_date=TODAY)
    later = NOW + timedelta(days=2)
    refresh(type="inventory.delivery_overdue", subject_ids=[shipment], now=later)
    return ExceptionCase.objects.get(type="inventory.delivery_overdue"), doer(), later


def came_short() -> Scene:
    where = sold.world()
    item = sold.product(where)
    there = transfers.second_node(where)
    transfer = transfers.sent(where, (item, "10"), to=there)
    receive_transfer(
        transfer_id=transfer.pk, came=[transfers.came(transfer, "7")], is_last=True, actor=None,
        now=NOW,
    )  # fmt: skip
    refresh(type="inventory.transfer_short", subject_ids=[transfer.pk], now=NOW)
    return ExceptionCase.objects.get(type="inventory.transfer_short"), doer(), NOW


def conflicting() -> Scene:
    who = factories.person("dora", "controller")
    factories.person("max", "buyer", "operations_lead")
    refresh(type="governance.duty_conflict", now=NOW)
    case = ExceptionCase.objects.get(type="governance.duty_conflict", party="Max")
    return case, who, NOW


def month_open() -> Scene:
    where = sold.world()
    _order, (shipment,) = sold.packed(where, (sold.product(where), "4", "25"), now=NOW)
    ship_shipments(shipment_ids=[shipment], actor=None, now=NOW)
    later = NOW + timedelta(days=10)
    refresh(type="finance.period_blocker", now=later)
    return ExceptionCase.objects.get(type="finance.period_blocker"), doer(), later


def oddly_priced() -> Scene:
    item = costly()
    for price in (10, 10, 11, 10, 9, 10, 10, 11):
        factories.short_line(2, item=item, unit_price=price)
    odd = factories.short_line(
        2, item=item, unit_price=100, account=factories.account(committed=1000)
    )
    refresh(type="orders.price_anomaly", now=NOW)
    case = ExceptionCase.objects.get(type="orders.price_anomaly", subject_id=odd.pk)
    return case, doer(), NOW


SCENES: Mapping[str, Callable[[], Scene]] = {
    "other_node": lambda: elsewhere(("DC-WEST", 20)),
    "split": lambda: elsewhere(("DC-WEST", 12), ("DC-NORTH", 8)),
    "partial": partial,
    "backorder": lambda: offered(12),
    "pegged_inbound": inbound,
    "redate": lambda: offered(20),
    "transfer": lambda: elsewhere(("DC-WEST", 20)),
    "transfer_group": of_the_group,
    "buy": lambda: offered(12),
    "buy_expedited": lambda: offered(12, 3),
    "drop_ship": sent_straight,
    "substitute": alike,
    "cancel_line": line_short,
    "release": over_limit,
    "cancel": over_limit,
    "raise_limit": over_limit,
    "prepayment": over_limit,
    "keep_held": over_limit,
    "honour_contract": lambda: price_in_doubt(is_contract=True),
    "honour_quote": lambda: price_in_doubt(is_quoted=True),
    "reprice": price_in_doubt,
    "accept_late": late_supply,
    "resource": late_supply,
    "split_purchase": lambda: late_supply(waited_for=4),
    "close_rest": late_supply,
    "approve": unapproved,
    "send_back": unapproved,
    "put_back": not_found,
    "write_off": not_found,
    "repick": not_found,
    "replan": late_shipment,
    "invoice": unbilled,
    "replay": undelivered,
    "accept_change": moved_day,
    "stock_up": running_out,
    "move_in": running_out,
    "move_lot": lot_near_its_end,
    "block_lot": lot_near_its_end,
    "redeliver": did_not_arrive,
    "reroute": did_not_arrive,
    "expedite": did_not_arrive,
    "note_arrival": not_heard_of,
    "note_failure": not_heard_of,
    "chase": not_heard_of,
    "accept_loss": came_short,
    "came_late": came_short,
    "came_back": came_short,
    "count_there": came_short,
    "end_role": conflicting,
    "bear": conflicting,
    "invoice_month": month_open,
    "stop_order": oddly_priced,
}
