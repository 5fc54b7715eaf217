"""Makes what finance's tests need, by the ordinary services: an order that is packed, and more."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import count

from erp.accounts.models import Entity
from erp.kernel.invariants import by_code, check
from erp.kernel.sql import rows, run
from finance.models import Invoice, JournalEntry
from finance.selectors import INVARIANTS
from finance.services import adjust_stock, invoice_shipments, open_books, ship_shipments
from inventory.models import Node, Product
from inventory.services import Pack, Pick, StockAdjustment, pack_shipments
from orders.models import Customer, Order
from orders.services import (
    AccountRow,
    CustomerRow,
    LineDraft,
    OrderDraft,
    allocate_orders,
    create_order,
    pick_shipments,
    submit_order,
    upsert_accounts,
    upsert_customers,
)

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
TODAY = date(2026, 11, 22)
_serial = count(1)


@dataclass(frozen=True, slots=True)
class World:
    """One entity with its books, one node, one customer with room to buy."""

    entity: Entity
    node: Node
    customer: Customer
    account_id: int


def world(code: str = "US01", currency: str = "USD", limit: str = "1000000") -> World:
    entity = Entity.objects.get_or_create(
        code=code, defaults={"name": f"Crossdock {code}", "currency": currency, "country": "US"}
    )[0]
    open_books(entity_id=entity.pk, now=NOW)
    node = Node.objects.get_or_create(
        code=f"DC-{code}",
        defaults={"name": f"DC {code}", "entity": entity, "country": "US", "time_zone": "UTC"},
    )[0]
    number = next(_serial)
    customer = customer_named(f"CU-{number}")
    account_id = account(entity, customer, currency=currency, limit=limit)
    return World(entity, node, customer, account_id)


def customer_named(code: str) -> Customer:
    row = CustomerRow(
        code=code, name=f"Customer {code}", address="1 Dock Road", city="Dayton", country="US",
        postal_code="45402",
    )  # fmt: skip
    upsert_customers(rows=[row], actor=None, now=NOW)
    return Customer.objects.get(code=code)


def account(entity: Entity, customer: Customer, *, currency: str, limit: str) -> int:
    row = AccountRow(
        entity_id=entity.pk, customer_id=customer.pk, currency=currency,
        credit_limit=Decimal(limit), terms_days=30,
    )  # fmt: skip
    return upsert_accounts(rows=[row], actor=None, now=NOW)[0]


def product(where: World, *, on_hand: str = "1000", unit_value: str = "2") -> Product:
    """Make a product and put some of it on the shelf."""
    number = next(_serial)
    made = Product.objects.create(code=f"F-{number}", name=f"Product {number}", weight="0.5")
    if Decimal(on_hand):
        adjust_stock(
            adjustments=[adjustment(where, made, on_hand, unit_value)],
            kind="opening",
            actor=None,
            now=NOW,
        )
    return made


def adjustment(
    where: World, product: Product, quantity: str, unit_value: str | None = None
) -> StockAdjustment:
    return StockAdjustment(
        entity_id=where.entity.pk,
        node_id=where.node.pk,
        product_id=product.pk,
        quantity=Decimal(quantity),
        reason="Counted",
        unit_value=None if unit_value is None else Decimal(unit_value),
    )


Line = tuple[Product, str, str]


def released(where: World, *lines: Line, freight: str = "0", now: datetime = NOW) -> Order:
    """Enter an order of (product, quantity, price) and submit it."""
    draft = OrderDraft(
        entity_id=where.entity.pk,
        customer_id=where.customer.pk,
        lines=[
            LineDraft(product_id=each.pk, quantity=Decimal(quantity), unit_price=Decimal(price))
            for each, quantity, price in lines
        ],
        requested_date=now.date(),
        freight=Decimal(freight),
    )
    order = create_order(draft=draft, actor=None, now=now)
    submit_order(order_id=order.id, actor=None, now=now)
    return Order.objects.get(pk=order.id)


def allocated(where: World, *lines: Line, freight: str = "0", now: datetime = NOW) -> Order:
    order = released(where, *lines, freight=freight, now=now)
    allocate_orders(order_ids=[order.pk], cause="test", now=now)
    return Order.objects.get(pk=order.pk)


def shipments_of(order: Order, state: str = "planned") -> list[int]:
    statement = """
        SELECT id FROM inventory_shipment
        WHERE source_id = %s AND source_kind = 'orders.order' AND state = %s ORDER BY id"""
    return [row[0] for row in rows(statement, [order.pk, state])]


def packed(
    where: World, *lines: Line, freight: str = "0", now: datetime = NOW
) -> tuple[Order, list[int]]:
    order = allocated(where, *lines, freight=freight, now=now)
    return order, pack(shipments_of(order), now=now)


def pack(shipments: Sequence[int], *, now: datetime = NOW) -> list[int]:
    pick_shipments(picks=[Pick(shipment_id=each) for each in shipments], actor=None, now=now)
    pack_shipments(packs=[Pack(shipment_id=each) for each in shipments], actor=None, now=now)
    return list(shipments)


def shipped(
    where: World, *lines: Line, freight: str = "0", now: datetime = NOW
) -> tuple[Order, list[int]]:
    order, shipments = packed(where, *lines, freight=freight, now=now)
    ship_shipments(shipment_ids=shipments, actor=None, now=now)
    return order, shipments


def invoiced(
    where: World, *lines: Line, freight: str = "0", now: datetime = NOW
) -> tuple[Order, list[str]]:
    """Return the order and its invoices' numbers."""
    order, shipments = shipped(where, *lines, freight=freight, now=now)
    invoice_shipments(shipment_ids=shipments, now=now)  # unless the event was quicker
    numbers = Invoice.objects.filter(order=order).order_by("id").values_list("number", flat=True)
    return order, [str(number) for number in numbers]


def entry(cause_kind: str, cause_id: int) -> dict[str, Decimal]:
    """Return what one entry does to each account: debits positive."""
    found = JournalEntry.objects.get(cause_kind=cause_kind, cause_id=cause_id)
    moved: dict[str, Decimal] = {}
    for purpose, debit, credit in found.lines.values_list("account__purpose", "debit", "credit"):
        moved[purpose] = moved.get(purpose, Decimal(0)) + debit - credit
    return moved


def balance(where: World, purpose: str) -> Decimal:
    statement = """
        SELECT coalesce(sum(l.debit - l.credit), 0) FROM finance_journalline l
        JOIN finance_account a ON a.id = l.account_id
        WHERE a.entity_id = %s AND a.purpose = %s"""
    return Decimal(rows(statement, [where.entity.pk, purpose])[0][0])


def drift() -> dict[str, int]:
    """Return the broken promises of finance, by code."""
    return {
        code: found
        for code, found in by_code([check(each) for each in INVARIANTS]).items()
        if found
    }


def close_month(starts: str, entity: Entity | None = None, state: str = "closed") -> None:
    """Close a month ("2026-11-01") of one entity, or of all, whatever is still open in it."""
    run(
        "UPDATE finance_period SET state = %(state)s,"
        " closed_at = CASE WHEN %(state)s = 'closed' THEN now() END"
        " WHERE starts = %(starts)s AND (%(entity)s IS NULL OR entity_id = %(entity)s)",
        {"state": state, "starts": starts, "entity": None if entity is None else entity.pk},
    )
