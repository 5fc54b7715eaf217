"""The papers of the demo: quotes in every state, blanket orders, kits, customers who follow."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import cycle, islice

from erp.kernel.sql import rows
from erp.web.demo.company import CENT, DemoCustomer
from erp.web.demo.history import Past
from inventory.services import ProductDraft, upsert_products
from orders.services import (
    LineDraft,
    OrderDraft,
    PriceRow,
    create_order,
    submit_order,
    upsert_prices,
)
from orders.services.agreeing import (
    BlanketDraft,
    BlanketLineDraft,
    CallOffDraft,
    CallOffPart,
    activate_blanket,
    announce_endings,
    call_off,
    schedule_call_offs,
    write_blanket,
)
from orders.services.kitting import KitPart, save_kit
from orders.services.quoting import (
    QuoteDraft,
    accept_quote,
    decline_quote,
    expire_quotes,
    order_quote,
    revise_quote,
    send_quote,
    write_quote,
)
from orders.services.telling import SubscriptionDraft, follow_milestones

QUOTES, BLANKETS, FOLLOWERS = 32, 7, 12
STATES = ("draft", "sent", "sent", "accepted", "ordered", "declined", "expired", "revised")
KITS = (("KIT-DRESSING", "Dressing set"), ("KIT-DOCK", "Dock starter set"), ("KIT-LAB", "Lab set"))
LISTED = """
    SELECT s.product_id, p.unit_price, p.currency FROM orders_price p
    JOIN inventory_stock s ON s.product_id = p.product_id AND s.entity_id = p.entity_id
    WHERE p.entity_id = %(entity)s AND p.kind = 'list' AND p.min_quantity = 0 AND p.uom = ''
      AND p.valid_from <= %(on)s AND (p.valid_until IS NULL OR p.valid_until > %(on)s)
      AND p.price_list_id IS NULL AND s.status = 'available'
    GROUP BY 1, 2, 3 HAVING sum(s.on_hand - s.reserved) > 150
    ORDER BY s.product_id LIMIT 40
"""


@dataclass(frozen=True, slots=True)
class _Good:
    """One product that an entity lists and has plenty of, at so much of its currency."""

    product_id: int
    price: Decimal
    currency: str


@dataclass
class _Desk:
    """Who writes, for whom, about what."""

    past: Past
    now: datetime
    goods: dict[str, list[_Good]]
    buyers: Iterator[DemoCustomer]

    @property
    def today(self) -> date:
        return self.now.date()

    def ids(self, buyer: DemoCustomer) -> tuple[int, int]:
        return self.past.entities[buyer.entity.code].pk, self.past.customers[buyer.code]


def write_papers(past: Past, now: datetime) -> None:
    """Write a few dozen quotes, blanket orders with call-offs, kits that sell, and subscriptions.

    The same company gets the same papers: no chance is in it.
    """
    goods = {
        code: [_Good(*row) for row in rows(LISTED, {"entity": entity.pk, "on": now.date()})]
        for code, entity in sorted(past.entities.items())
    }
    known = sorted(past.company.customers, key=lambda each: each.code)
    buyers = [each for each in known if len(goods[each.entity.code]) > 2]  # noqa: PLR2004  parts of a kit
    if not buyers:
        return
    desk = _Desk(past, now, goods, cycle(buyers))
    for turn in range(QUOTES):
        _quote(desk, turn, next(desk.buyers))
    expire_quotes(now=now)
    for turn in range(BLANKETS):
        _blanket(desk, turn, next(desk.buyers))
    announce_endings(now=now)
    _kits(desk)
    for turn, buyer in enumerate(islice(desk.buyers, FOLLOWERS)):
        _follow(desk, turn, buyer)


def _quote(desk: _Desk, turn: int, buyer: DemoCustomer) -> None:
    state = STATES[turn % len(STATES)]
    at = desk.now - timedelta(days=50 if state == "expired" else turn % 9, minutes=turn)
    draft = _offer(desk, turn, buyer, at, 3 + turn % 20)
    who = desk.past.people["order_desk"]
    quote = write_quote(draft=draft, actor=who, now=at)
    if state == "draft":
        return
    send_quote(quote_id=quote.pk, actor=who, now=at)
    if state == "declined":
        decline_quote(quote_id=quote.pk, reason="Bought elsewhere", actor=who, now=desk.now)
    elif state == "revised":
        better = _offer(desk, turn, buyer, desk.now, 30)
        later = revise_quote(quote_id=quote.pk, draft=better, actor=who, now=desk.now)
        send_quote(quote_id=later.pk, actor=who, now=desk.now)
    elif state in {"accepted", "ordered"}:
        accept_quote(quote_id=quote.pk, actor=who, now=desk.now)
    if state == "ordered":
        made = order_quote(quote_id=quote.pk, channel="page", actor=who, now=desk.now)
        submit_order(order_id=made.id, actor=who, now=desk.now)


def _offer(desk: _Desk, turn: int, buyer: DemoCustomer, at: datetime, quantity: int) -> QuoteDraft:
    entity_id, customer_id = desk.ids(buyer)
    known = desk.goods[buyer.entity.code]
    chosen = [known[(turn * 3 + n) % len(known)] for n in range(1 + turn % 3)]
    order = OrderDraft(
        entity_id=entity_id,
        customer_id=customer_id,
        channel="page",
        customer_po=f"RFQ {2_100 + turn}",
        lines=[
            LineDraft(product_id=each.product_id, quantity=Decimal(quantity)) for each in chosen
        ],
    )
    return QuoteDraft(order, at.date() + timedelta(days=20 + turn), "")


def _blanket(desk: _Desk, turn: int, buyer: DemoCustomer) -> None:
    entity_id, customer_id = desk.ids(buyer)
    known = desk.goods[buyer.entity.code]
    chosen = [known[(turn * 5 + n) % len(known)] for n in range(1 + turn % 2)]
    began = desk.now - timedelta(days=60)
    who = desk.past.people["order_desk"]
    draft = BlanketDraft(
        entity_id=entity_id,
        customer_id=customer_id,
        valid_from=began.date() - timedelta(days=1),  # it is still yesterday in the west
        valid_until=desk.today + timedelta(days=(5, 24, 90, 150, 200, 305, 28)[turn % 7]),
        lines=[
            BlanketLineDraft(
                product_id=each.product_id,
                quantity=Decimal(240),
                unit_price=(each.price * Decimal("0.96")).quantize(CENT) if turn % 3 else None,
                tolerance=Decimal("0.05") if turn % 2 else Decimal(0),
            )
            for each in chosen
        ],
        customer_po=f"FRAME {700 + turn}",
    )
    made = write_blanket(draft=draft, actor=who, now=began)
    if turn == BLANKETS - 1:
        return  # one is a draft still
    activate_blanket(blanket_id=made.pk, actor=who, now=began)
    line = made.lines.order_by("position")[0]
    for week in range(1 + turn):
        call_off(
            blanket_id=made.pk,
            parts=[CallOffPart(line.pk, Decimal(12 + 6 * (week % 3)))],
            client_key=f"demo:{made.number}:{week}",
            actor=who,
            now=began + timedelta(days=7 * week),
        )
    days = (desk.today + timedelta(days=n) for n in (2, 4))
    plans = [CallOffDraft(1, day + timedelta(days=1), Decimal(12), day) for day in days]
    schedule_call_offs(blanket_id=made.pk, call_offs=plans, actor=who, now=desk.now)


def _kits(desk: _Desk) -> None:
    """Make three sets out of what every entity lists, and sell some."""
    who = desk.past.people["order_desk"]
    drafts = [ProductDraft(code=code, name=name) for code, name in KITS]
    upsert_products(drafts=drafts, actor=None, now=desk.now)
    statement = "SELECT code, id FROM inventory_product WHERE code = ANY(%s)"
    ids = dict(rows(statement, [[code for code, _name in KITS]]))
    sellers = [code for code, goods in sorted(desk.goods.items()) if len(goods) > 2]  # noqa: PLR2004
    for place, (code, _name) in enumerate(KITS):
        seller = sellers[place % len(sellers)]
        known = desk.goods[seller]
        parts = [known[(place * 4 + n) % len(known)] for n in range(3)]
        price = sum((each.price * n for n, each in enumerate(parts, 1)), Decimal(0))
        row = PriceRow(
            entity_id=desk.past.entities[seller].pk,
            product_id=ids[code],
            currency=parts[0].currency,
            unit_price=(price * Decimal("0.95")).quantize(CENT),
            valid_from=desk.today - timedelta(days=30),
        )
        upsert_prices(rows=[row], actor=None, now=desk.now)
        made_of = [KitPart(each.product_id, Decimal(n)) for n, each in enumerate(parts, 1)]
        save_kit(product_id=ids[code], parts=made_of, actor=who, now=desk.now)
        buyers = [each for each in islice(desk.buyers, 60) if each.entity.code == seller][:3]
        _sell(desk, buyers, ids[code])


def _sell(desk: _Desk, buyers: Sequence[DemoCustomer], kit_id: int) -> None:
    who = desk.past.people["order_desk"]
    for turn, buyer in enumerate(buyers):
        entity_id, customer_id = desk.ids(buyer)
        draft = OrderDraft(
            entity_id=entity_id,
            customer_id=customer_id,
            channel="page",
            customer_po=f"SET {310 + turn}",
            lines=[LineDraft(product_id=kit_id, quantity=Decimal(2 + turn))],
        )
        made = create_order(draft=draft, actor=who, now=desk.now)
        submit_order(order_id=made.id, actor=who, now=desk.now)


def _follow(desk: _Desk, turn: int, buyer: DemoCustomer) -> None:
    entity_id, customer_id = desk.ids(buyer)
    by_mail = turn % 3 == 0
    draft = SubscriptionDraft(
        entity_id=entity_id,
        customer_id=customer_id,
        channel="email" if by_mail else "in_app",
        address=f"goods-in@{buyer.code.lower()}.example" if by_mail else "",
        kinds=("shipped", "delivered", "delayed") if turn % 2 else (),
    )
    follow_milestones(draft=draft, actor=desk.past.people["order_desk"], now=desk.now)
