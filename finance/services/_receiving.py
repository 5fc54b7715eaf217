"""Taking in what was bought: one commit from the dock to the ledger."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar

from django.db import transaction

from erp.accounts.models import Entity, User
from erp.kernel.errors import DomainError
from finance.models import Account, JournalEntry
from finance.services._posting import ForeignCurrency, Posting, post
from inventory.services import IncomingLine, ReceivedGoods, receive_stock
from inventory.services.tracking import LotDraft, name_lots
from procurement.services import ReceivedOrder, ReceivedOrderLine, record_received

Purpose = Account.Purpose


@dataclass(frozen=True, slots=True)
class Received:
    """A receipt as it was posted; `value` is in the entity's currency, whole cents."""

    receipt_id: int
    number: str
    value: Decimal
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LotOnGoods:
    """What stands on goods of a product that is kept by lot."""

    code: str
    expires_on: date | None = None
    manufactured_on: date | None = None
    supplier_lot: str = ""


@dataclass(frozen=True, slots=True)
class Marks:
    """What stands on goods, by line id of their purchase: lots, and numbers of single pieces."""

    lots: Mapping[int, LotOnGoods]
    serials: Mapping[int, Sequence[str]]


class SentStraight(DomainError):
    """The goods go straight from the supplier to a customer."""

    code: ClassVar[str] = "sent_straight"


@transaction.atomic
def receive_purchase_order(
    *,
    order_id: int,
    lines: Sequence[tuple[int, Decimal]],
    actor: User | None,
    now: datetime,
    lots: Mapping[int, LotOnGoods] | None = None,
    serials: Mapping[int, Sequence[str]] | None = None,
) -> Received:
    """Take goods of a purchase order into stock: (line id, base units) for each line that came.

    One commit: the order's lines and state, receipt, stock and its value at the order's prices,
    inventory against goods received and not billed. `lots` are by line id, one to a line: what came
    in two lots is two receipts. `serials` are, by line id, the numbers of the pieces of a product
    that is kept by them. Locks the purchase order, its lots, then costs and stock.

    Raises:
        SentStraight: the supplier sends it straight to a customer.
        ForeignCurrency: the order is in another currency than its entity's books.
        PeriodClosed, BooksNotOpen: the entry cannot be posted.
        LotNeeded: a product that is kept by lot came without one, or the other way round.
        BadLot: a lot is no lot, or known with another expiry.
        SerialsNeeded, BadSerial: what came is not one new number for each piece.
        and what `procurement.services.record_received` refuses.
    """
    came = record_received(order_id=order_id, lines=lines, actor=actor, now=now)
    if came.for_id is not None:
        raise SentStraight(f"{came.number} goes straight to a customer: nothing of it comes here.")
    goods, value = take_in(came, Marks(lots or {}, serials or {}), actor, now)
    return Received(goods.receipt_id, goods.number, value, came.state)


def take_in(
    came: ReceivedOrder, marks: Marks, actor: User | None, now: datetime
) -> tuple[ReceivedGoods, Decimal]:
    """Take what came into stock, against goods received and not billed; return it and its value.

    Raises:
        ForeignCurrency: the order is in another currency than its entity's books.
        and what `receive_purchase_order` says of lots, serial numbers and periods.
    """
    books = Entity.objects.values_list("currency", flat=True).get(pk=came.entity_id)
    if came.currency != books:
        raise ForeignCurrency(came.number, came.currency, books)
    named = _named(came.lines, marks.lots, actor, now)
    goods = receive_stock(
        entity_id=came.entity_id,
        node_id=came.node_id,
        source_kind="procurement.order",
        source_id=came.order_id,
        lines=[
            IncomingLine(
                source_line_id=line.line_id,
                product_id=line.product_id,
                quantity=line.quantity,
                value=line.value,
                lot_id=named.get(line.line_id),
                serials=marks.serials.get(line.line_id, ()),
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
    return goods, value


def _named(
    lines: Sequence[ReceivedOrderLine],
    lots: Mapping[int, LotOnGoods],
    actor: User | None,
    now: datetime,
) -> dict[int, int]:
    """Return the id of each line's lot, made where it is new."""
    drafts = {
        line.line_id: LotDraft(
            product_id=line.product_id,
            code=lot.code,
            expires_on=lot.expires_on,
            manufactured_on=lot.manufactured_on,
            supplier_lot=lot.supplier_lot,
        )
        for line in lines
        if (lot := lots.get(line.line_id))
    }
    ids = name_lots(drafts=list(drafts.values()), actor=actor, now=now)
    return {line_id: ids[draft.product_id, draft.code.strip()] for line_id, draft in drafts.items()}
