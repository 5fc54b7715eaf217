"""Taking in what was bought: one commit from the dock to the ledger."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import ClassVar

from django.db import transaction

from erp.accounts.models import User
from erp.kernel.errors import DomainError
from erp.kernel.sql import records
from finance.models import Account, JournalEntry
from finance.rules import value_of
from finance.services._posting import Posting, post
from inventory.services import IncomingLine, receive_stock
from procurement.services import record_received

Purpose = Account.Purpose

LOCK = """
    SELECT o.id, o.number, o.entity_id, o.node_id, o.currency, e.currency AS books
    FROM procurement_purchaseorder o JOIN accounts_entity e ON e.id = o.entity_id
    WHERE o.id = %s
    FOR NO KEY UPDATE OF o
"""
LINES = """
    SELECT id, position, product_id, quantity, received, unit_price
    FROM procurement_purchaseorderline WHERE order_id = %s
"""


class UnknownPurchaseOrder(DomainError):
    """There is no such purchase order, or no such line on it."""

    code: ClassVar[str] = "finance.unknown_purchase_order"


class BadReceipt(DomainError):
    """A received quantity makes no sense."""

    code: ClassVar[str] = "finance.bad_receipt"


@dataclass(frozen=True, slots=True)
class Received:
    """A receipt as it was posted; `value` is in the entity's currency, whole cents."""

    receipt_id: int
    number: str
    value: Decimal


@transaction.atomic
def receive_purchase_order(
    *,
    order_id: int,
    lines: Sequence[tuple[int, Decimal]],
    actor: User | None,
    now: datetime,
) -> Received:
    """Take goods of a purchase order into stock: (line id, base units) for each line that came.

    One commit: receipt, stock and its value at the order's prices, the order's state, inventory
    against goods received and not billed. More than was ordered is taken in as it came. Locks the
    purchase order, then stock.

    Raises:
        UnknownPurchaseOrder: there is none, or a line is not on it.
        BadReceipt: a quantity is not above zero in thousandths, a line comes twice, or there is none.
        ForeignCurrency: the order is in another currency than the books.
        PeriodClosed, BooksNotOpen: the entry cannot be posted.
        and what `procurement.services.record_received` refuses.
    """
    found = records(LOCK, [order_id])
    if not found:
        raise UnknownPurchaseOrder("There is no such purchase order.")
    order = found[0]
    if order["currency"] != order["books"]:
        raise BadReceipt(
            f"{order['number']} is in {order['currency']}, the books are in {order['books']}: "
            "there is no rate to value it at."
        )
    incoming = _valued(order_id, lines)
    goods = receive_stock(
        entity_id=order["entity_id"],
        node_id=order["node_id"],
        source_kind="procurement.order",
        source_id=order_id,
        lines=incoming,
        actor=actor,
        now=now,
    )
    record_received(order_id=order_id, lines=lines, receipt_id=goods.receipt_id, now=now)
    value = sum((line.value for line in incoming), Decimal(0))
    post(
        [
            Posting(
                entity_id=order["entity_id"],
                kind=JournalEntry.Kind.RECEIPT,
                cause_kind="inventory.receipt",
                cause_id=goods.receipt_id,
                lines=[(Purpose.INVENTORY, value), (Purpose.RECEIVED, -value)],
                memo=f"{goods.number} of {order['number']}",
            )
        ],
        actor=actor,
        now=now,
    )
    return Received(receipt_id=goods.receipt_id, number=goods.number, value=value)


def _valued(order_id: int, lines: Sequence[tuple[int, Decimal]]) -> list[IncomingLine]:
    """Price what came, so that all receipts of a line sum to its quantity x price, rounded once."""
    ordered = {line["id"]: line for line in records(LINES, [order_id])}
    came: dict[int, int] = defaultdict(int)
    incoming = []
    for line_id, quantity in lines:
        line = ordered.get(line_id)
        if line is None:
            raise UnknownPurchaseOrder(f"lines: {line_id} is not on this purchase order.")
        came[line_id] += 1
        if came[line_id] > 1:
            raise BadReceipt(f"lines: line {line['position']} is named twice.")
        if not quantity.is_finite() or not 0 < quantity < 10**12:
            raise BadReceipt(f"quantity: {quantity} on line {line['position']} is not above zero.")
        if quantity != round(quantity, 3):
            raise BadReceipt(f"quantity: {quantity} on line {line['position']} has over 3 decimals.")
        incoming.append(
            IncomingLine(
                source_line_id=line_id,
                product_id=line["product_id"],
                quantity=quantity,
                value=value_of(line["received"], quantity, line["unit_price"]),
            )
        )
    if not incoming:
        raise BadReceipt("lines: say what came.")
    return incoming
