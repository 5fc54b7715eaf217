"""Takes goods into stock."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar

from django.db import transaction

from erp.governance.services import Change, record
from erp.kernel.errors import DomainError
from erp.kernel.money import CENT
from erp.kernel.sql import rows
from erp.outbox.publishing import publish_all
from inventory.models import StockMove, StockStatus
from inventory.rules import countable
from inventory.services._posting import Key, Movement, balances, posting, posting_and
from inventory.services._telling import received
from inventory.services.numbering._posting import Brought, bring_serials

if TYPE_CHECKING:
    from erp.accounts.models import User


class NothingReceived(DomainError):
    """A receipt has no lines, or a line of it has no quantity, a bad value or an unknown status."""

    code: ClassVar[str] = "nothing_received"


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingLine:
    """So many base units of a product, worth `value` in the entity's currency, whole cents."""

    source_line_id: int
    product_id: int
    quantity: Decimal
    value: Decimal
    status: str = "available"
    lot_id: int | None = None
    serials: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class ReceivedLine:
    """One line of a receipt."""

    id: int
    source_line_id: int
    product_id: int
    quantity: Decimal
    value: Decimal


@dataclass(frozen=True, slots=True)
class ReceivedGoods:
    """A receipt as it was posted."""

    receipt_id: int
    number: str
    lines: Sequence[ReceivedLine]


IDS = """
    SELECT nextval(pg_get_serial_sequence('inventory_receiptline', 'id'))
    FROM generate_series(1, %s)
"""

RECEIVE = posting_and(
    """
    , receipt AS (
        INSERT INTO inventory_receipt
            (entity_id, node_id, source_kind, source_id, received_at, received_by_id)
        VALUES (%(entity)s, %(node)s, %(source_kind)s, %(source_id)s, %(now)s, %(actor)s)
        RETURNING id, number
    ), lines AS (
        INSERT INTO inventory_receiptline
            (id, receipt_id, source_line_id, product_id, lot_id, status, quantity, value)
        SELECT l.id, receipt.id, l.source_line_id, l.product_id, l.lot_id, l.status, l.quantity,
            l.value
        FROM receipt, unnest(%(lines)s::bigint[], %(source_lines)s::bigint[],
            %(products)s::bigint[], %(lots)s::bigint[], %(statuses)s::text[],
            %(quantities)s::numeric[], %(values)s::numeric[]
        ) AS l (id, source_line_id, product_id, lot_id, status, quantity, value)
    )
    SELECT id, number FROM receipt
"""
)


@transaction.atomic
def receive_stock(
    *,
    entity_id: int,
    node_id: int,
    source_kind: str,
    source_id: int,
    lines: Sequence[IncomingLine],
    actor: "User | None",
    now: datetime,
) -> ReceivedGoods:
    """Take goods that came in into stock at what they are worth: a receipt, moves, average cost.

    Six statements, however many lines. Locks costs, then stock rows, in id order. Not repeatable by
    itself: the caller locks the document that the goods were ordered on. Called by finance, which
    posts the ledger's side in the same commit.

    Raises:
        NothingReceived: there is nothing to take in, or a line makes no sense.
        LotNeeded: a product that is kept by lot came without one, or the other way round.
        SerialsNeeded, BadSerial: what came is not one known number for each piece.

    Publishes:
        StockReceived
    """
    _check(lines)
    keys = [
        Key(entity_id, node_id, line.product_id, line.status, line.lot_id or 0) for line in lines
    ]
    held = balances(keys, now=now)
    ids = [row[0] for row in rows(IDS, [len(lines)])]
    movements = [
        Movement(held[key].stock_id, line.quantity, line.value, line_id)
        for key, line, line_id in zip(keys, lines, ids, strict=True)
    ]
    params = posting(
        movements,
        kind=StockMove.Kind.RECEIPT,
        cause_kind="inventory.receiptline",
        actor=actor,
        now=now,
        pools=[balance.pool for balance in held.values()],
    ) | {
        "entity": entity_id,
        "node": node_id,
        "source_kind": source_kind,
        "source_id": source_id,
        "lines": ids,
        **_columns(lines),
    }
    receipt_id, number = rows(RECEIVE.of(params), params)[0]
    came = zip(keys, lines, ids, strict=True)
    brought = [Brought(key, line.quantity, line_id, line.serials) for key, line, line_id in came]
    bring_serials(
        held, brought, kind="receipt", cause_kind="inventory.receiptline", actor=actor, now=now
    )
    change = Change(
        entity_id=entity_id,
        action="inventory.receive",
        subject_kind="inventory.receipt",
        subject_id=receipt_id,
        thread=f"{source_kind}:{source_id}",
        after={"number": number, "lines": len(lines), "value": f"{_value(lines):f}"},
    )
    record(changes=[change], actor=actor, now=now)
    publish_all(received(_available(entity_id, node_id, lines)))
    return ReceivedGoods(
        receipt_id,
        number,
        [
            ReceivedLine(line_id, line.source_line_id, line.product_id, line.quantity, line.value)
            for line, line_id in zip(lines, ids, strict=True)
        ],
    )


def _columns(lines: Sequence[IncomingLine]) -> dict[str, list[object]]:
    """Return what the receipt's lines say, column by column."""
    return {
        "source_lines": [line.source_line_id for line in lines],
        "products": [line.product_id for line in lines],
        "lots": [line.lot_id for line in lines],
        "statuses": [line.status for line in lines],
        "quantities": [line.quantity for line in lines],
        "values": [line.value for line in lines],
    }


def _check(lines: Sequence[IncomingLine]) -> None:
    if not lines:
        raise NothingReceived("Say what came in.")
    for line in lines:
        if not countable(line.quantity) or line.quantity <= 0:
            raise NothingReceived("A received quantity is above zero, in thousandths.")
        if not (line.value.is_finite() and 0 <= line.value == line.value.quantize(CENT)):
            raise NothingReceived("The value of a receipt is in whole cents, zero or more.")
        if line.status not in StockStatus.values:
            raise NothingReceived(f"“{line.status}” is no status of stock.")


def _value(lines: Sequence[IncomingLine]) -> Decimal:
    return sum((line.value for line in lines), Decimal(0))


def _available(
    entity_id: int, node_id: int, lines: Sequence[IncomingLine]
) -> dict[tuple[int, int, int], Decimal]:
    """Return how much of each product is available now."""
    quantities: dict[tuple[int, int, int], Decimal] = defaultdict(Decimal)
    for line in lines:
        if line.status == StockStatus.AVAILABLE:
            quantities[entity_id, node_id, line.product_id] += line.quantity
    return quantities
