"""Taking in what was bought: one commit from the dock to the ledger."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from erp.accounts.models import Entity, User
from finance.models import Account, JournalEntry
from finance.services._posting import ForeignCurrency, Posting, post
from inventory.services import IncomingLine, receive_stock
from procurement.services import record_received

Purpose = Account.Purpose


@dataclass(frozen=True, slots=True)
class Received:
    """A receipt as it was posted; `value` is in the entity's currency, whole cents."""

    receipt_id: int
    number: str
    value: Decimal
    state: str


@transaction.atomic
def receive_purchase_order(
    *,
    order_id: int,
    lines: Sequence[tuple[int, Decimal]],
    actor: User | None,
    now: datetime,
) -> Received:
    """Take goods of a purchase order into stock: (line id, base units) for each line that came.

    One commit: the order's lines and state, receipt, stock and its value at the order's prices,
    inventory against goods received and not billed. Locks the purchase order, then costs and stock.

    Raises:
        ForeignCurrency: the order is in another currency than its entity's books.
        PeriodClosed, BooksNotOpen: the entry cannot be posted.
        and what `procurement.services.record_received` refuses.
    """
    came = record_received(order_id=order_id, lines=lines, actor=actor, now=now)
    books = Entity.objects.values_list("currency", flat=True).get(pk=came.entity_id)
    if came.currency != books:
        raise ForeignCurrency(came.number, came.currency, books)
    goods = receive_stock(
        entity_id=came.entity_id,
        node_id=came.node_id,
        source_kind="procurement.order",
        source_id=order_id,
        lines=[
            IncomingLine(
                source_line_id=line.line_id,
                product_id=line.product_id,
                quantity=line.quantity,
                value=line.value,
            )
            for line in came.lines
        ],
        actor=actor,
        now=now,
    )
    value = sum((line.value for line in came.lines), Decimal(0))
    post(
        [
            Posting(
                entity_id=came.entity_id,
                kind=JournalEntry.Kind.RECEIPT,
                cause_kind="inventory.receipt",
                cause_id=goods.receipt_id,
                lines=[(Purpose.INVENTORY, value), (Purpose.RECEIVED, -value)],
                memo=f"{goods.number} of {came.number}",
            )
        ],
        actor=actor,
        now=now,
    )
    return Received(goods.receipt_id, goods.number, value, came.state)
