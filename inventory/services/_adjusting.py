"""Corrects balances."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar

from django.db import transaction

from erp.governance.services import Change, record
from erp.kernel.errors import DomainError
from erp.kernel.sql import rows, run
from erp.outbox.publishing import publish_all
from inventory.events import StockFell, StockReceived
from inventory.models import StockMove, StockStatus
from inventory.rules import Draw, countable, draw, moved_on, valued
from inventory.services._posting import Balance, Key, Movement, balances, posting, posting_and
from inventory.services._telling import fallen, received
from inventory.services.binning._carrying import carry
from inventory.services.binning._settling import BinDifference, put_found, take_lost
from inventory.services.numbering._posting import Brought, bring_serials

if TYPE_CHECKING:
    from erp.accounts.models import User

CAUSE = "inventory.adjustment"
KINDS = (StockMove.Kind.OPENING, StockMove.Kind.ADJUSTMENT)


class BadAdjustment(DomainError):
    """A correction corrects nothing, has no reason, or names an unknown status."""

    code: ClassVar[str] = "bad_adjustment"


class NotThatMuch(DomainError):
    """There is less unreserved stock than the correction takes away; `free` is what there is."""

    code: ClassVar[str] = "not_that_much"

    def __init__(self, product_id: int, node_id: int, free: Decimal) -> None:
        product, node = rows(NAMES, [product_id, node_id])[0]
        super().__init__(f"Only {free.normalize():f} of {product} at {node} can be taken away.")
        self.product_id, self.node_id, self.free = product_id, node_id, free


@dataclass(frozen=True, slots=True, kw_only=True)
class StockAdjustment:
    """A signed correction in base units. `unit_value` (entity's currency) prices what is found.

    Without it, and for what is lost, the moving average counts. `bins` says by how much which bin
    differs, signed; what it does not say comes off the floor first, and stands there when found.
    `serials` are the numbers of the pieces, where the product is kept by them.
    """

    entity_id: int
    node_id: int
    product_id: int
    quantity: Decimal
    reason: str
    unit_value: Decimal | None = None
    status: str = "available"
    lot_id: int | None = None
    bins: Sequence[tuple[int, Decimal]] = ()
    serials: Sequence[str] = ()

    @property
    def key(self) -> Key:
        return Key(self.entity_id, self.node_id, self.product_id, self.status, self.lot_id or 0)


@dataclass(frozen=True, slots=True)
class Adjusted:
    """A posted correction and its signed value in the entity's currency, whole cents."""

    adjustment_id: int
    entity_id: int
    product_id: int
    value: Decimal


NAMES = """
    SELECT p.code, n.code FROM inventory_product p, inventory_node n WHERE p.id = %s AND n.id = %s
"""

IDS = """
    SELECT nextval(pg_get_serial_sequence('inventory_adjustment', 'id'))
    FROM generate_series(1, %s)
"""

ADJUST = posting_and(
    """
    INSERT INTO inventory_adjustment (id, entity_id, node_id, product_id, lot_id, status, quantity,
        value, reason, posted_at, posted_by_id)
    SELECT a.id, locked.entity_id, locked.node_id, locked.product_id, locked.lot_id, locked.status,
        a.quantity, a.value, a.reason, %(now)s, %(actor)s
    FROM unnest(%(move_causes)s::bigint[], %(move_stocks)s::bigint[],
        %(move_quantities)s::numeric[], %(move_values)s::numeric[], %(reasons)s::text[]
    ) AS a (id, stock_id, quantity, value, reason)
    JOIN locked ON locked.id = a.stock_id
"""
)


@transaction.atomic
def adjust_stock(
    *,
    adjustments: Sequence[StockAdjustment],
    kind: str,
    actor: "User | None",
    now: datetime,
) -> list[Adjusted]:
    """Post signed corrections of balances, all or none, in their order; answer in the same order.

    `kind` is "opening" or "adjustment". Six statements for thousands. What is lost costs the moving
    average, or what the oldest layers cost, exact over the whole set. Locks costs, then stock rows,
    each in id order. Called by finance, which posts the ledger's side in the same commit.

    Raises:
        BadAdjustment: one corrects nothing, has no reason, or names an unknown status or kind.
        NotThatMuch: one takes away more than is there and unreserved.
        LotNeeded: one of a product that is kept by lot names none, or the other way round.
        SerialsNeeded, BadSerial: one of a product kept by serial number names other pieces.

    Publishes:
        StockFell
        StockReceived
    """
    _check(adjustments, kind)
    if not adjustments:
        return []
    held = balances([each.key for each in adjustments], now=now)
    ids = [row[0] for row in rows(IDS, [len(adjustments)])]
    movements = _movements(adjustments, ids, held)
    values = [each.value for each in movements]
    params = posting(
        movements,
        kind=kind,
        cause_kind=CAUSE,
        actor=actor,
        now=now,
        pools=[balance.pool for balance in held.values()],
    ) | {"reasons": [each.reason for each in adjustments]}
    differences = [
        BinDifference(held[each.key].stock_id, bin_id, quantity, adjustment_id)
        for each, adjustment_id in zip(adjustments, ids, strict=True)
        for bin_id, quantity in each.bins
    ]
    take_lost(differences, cause_kind=CAUSE, actor=actor, now=now)
    carry(held.values(), movements, cause_kind=CAUSE, actor=actor, now=now)
    run(ADJUST.of(params), params)
    put_found(differences, cause_kind=CAUSE, actor=actor, now=now)
    bring_serials(
        held,
        [
            Brought(each.key, each.quantity, adjustment_id, each.serials)
            for each, adjustment_id in zip(adjustments, ids, strict=True)
        ],
        kind=kind,
        cause_kind=CAUSE,
        actor=actor,
        now=now,
    )
    record(
        changes=[
            _change(each, value, adjustment_id, kind)
            for each, value, adjustment_id in zip(adjustments, values, ids, strict=True)
        ],
        actor=actor,
        now=now,
    )
    publish_all(_facts(adjustments))
    return [
        Adjusted(adjustment_id, each.entity_id, each.product_id, value)
        for each, value, adjustment_id in zip(adjustments, values, ids, strict=True)
    ]


def _check(adjustments: Sequence[StockAdjustment], kind: str) -> None:
    if kind not in KINDS:
        raise BadAdjustment(f"“{kind}” is no kind of correction.")
    for each in adjustments:
        if not countable(each.quantity) or not each.quantity:
            raise BadAdjustment("A correction is more or less than nothing, in thousandths.")
        if not each.reason.strip():
            raise BadAdjustment("Say why the stock is corrected.")
        if each.status not in StockStatus.values:
            raise BadAdjustment(f"“{each.status}” is no status of stock.")
        if each.unit_value is not None and not (
            each.unit_value.is_finite() and each.unit_value >= 0
        ):
            raise BadAdjustment("A value is zero or more.")


def _movements(
    adjustments: Sequence[StockAdjustment], ids: Sequence[int], held: Mapping[Key, Balance]
) -> list[Movement]:
    """Return each correction with its value, in order, as the pools and balances change."""
    free = {key: balance.free for key, balance in held.items()}
    pools = {(key.entity_id, key.product_id): balance.pool for key, balance in held.items()}
    movements: list[Movement] = []
    for each, adjustment_id in zip(adjustments, ids, strict=True):
        pool = pools[each.entity_id, each.product_id]
        draws: Sequence[Draw] = ()
        if each.quantity > 0:
            value = valued(pool, each.quantity, each.unit_value)
        elif free[each.key] + each.quantity < 0:
            raise NotThatMuch(each.product_id, each.node_id, free[each.key])
        else:
            issued = draw(pool, [-each.quantity])[0]
            value, draws = -issued.cost, issued.draws
        free[each.key] += each.quantity
        pools[each.entity_id, each.product_id] = moved_on(
            pool, each.quantity, value, source=adjustment_id, draws=draws
        )
        stock_id = held[each.key].stock_id
        movements.append(Movement(stock_id, each.quantity, value, adjustment_id, draws=draws))
    return movements


def _change(each: StockAdjustment, value: Decimal, adjustment_id: int, kind: str) -> Change:
    return Change(
        entity_id=each.entity_id,
        action="inventory.adjust" if kind == StockMove.Kind.ADJUSTMENT else "inventory.open",
        subject_kind="inventory.adjustment",
        subject_id=adjustment_id,
        thread=f"inventory.product:{each.product_id}",
        after={
            "node_id": each.node_id,
            "status": each.status,
            "quantity": f"{each.quantity:f}",
            "value": f"{value:f}",
        },
        reason=each.reason,
    )


def _facts(adjustments: Sequence[StockAdjustment]) -> list[StockReceived | StockFell]:
    """Return what became available and what fell, by company, node and product."""
    changes: dict[tuple[int, int, int], Decimal] = defaultdict(Decimal)
    for each in adjustments:
        if each.status == StockStatus.AVAILABLE:
            changes[each.entity_id, each.node_id, each.product_id] += each.quantity
    return [
        *received({place: quantity for place, quantity in changes.items() if quantity > 0}),
        *fallen(place for place, quantity in changes.items() if quantity < 0),
    ]
