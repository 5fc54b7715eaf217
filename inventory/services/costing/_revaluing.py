"""Spreads costs that became known late over what is still there and what is gone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from django.db import transaction

from erp.governance.services import Change, record
from erp.kernel.errors import DomainError
from erp.kernel.money import CENT
from erp.kernel.sql import rows, run
from inventory.models import LateCost, ProductCost, StockMove
from inventory.rules import spread
from inventory.services._posting import Movement, posting, posting_and

if TYPE_CHECKING:
    from erp.accounts.models import User

LATE = "inventory.latecost"
CostMethod = ProductCost.Method

# Documents before costs: nobody changes a receipt, so its line is only read. Nothing is there of
# what a supplier sent straight to a customer.
GOODS = """
    WITH line AS (
        SELECT l.id, r.entity_id, r.node_id, l.product_id, l.status, l.lot_id, l.quantity
        FROM inventory_receiptline l JOIN inventory_receipt r ON r.id = l.receipt_id
        WHERE l.id = %(line)s
    ), cost AS MATERIALIZED (
        SELECT c.quantity, c.value, c.method, c.product_id, c.entity_id
        FROM inventory_productcost c
        JOIN line ON line.product_id = c.product_id AND line.entity_id = c.entity_id
        FOR UPDATE OF c
    )
    SELECT line.entity_id, line.product_id, s.id, line.quantity,
        CASE WHEN s.is_direct THEN 0 ELSE cost.quantity END, cost.value, cost.method
    FROM line JOIN cost ON cost.product_id = line.product_id
    JOIN inventory_stock s ON s.product_id = line.product_id AND s.node_id = line.node_id
        AND s.entity_id = line.entity_id AND s.status = line.status
        AND s.lot_id IS NOT DISTINCT FROM line.lot_id
"""

# Where the goods of a layer went: what left for customers, sister companies, or was corrected.
WENT = """
    SELECT l.id, l.quantity_left, l.value_left,
        -coalesce(sum(i.quantity) FILTER (WHERE i.kind = 'shipment'), 0),
        -coalesce(sum(i.quantity) FILTER (WHERE i.kind = 'transfer'), 0),
        -coalesce(sum(i.quantity) FILTER (WHERE i.kind NOT IN ('shipment', 'transfer')), 0)
    FROM inventory_costlayer l
    LEFT JOIN inventory_layerissue i ON i.layer_id = l.id
    WHERE l.cause_kind = 'inventory.receiptline' AND l.cause_id = %s
    GROUP BY l.id
"""

RAISE = posting_and(
    """
    , raised AS (
        UPDATE inventory_costlayer l SET value_left = l.value_left + %(raise)s::numeric
        WHERE l.id = %(layer)s AND %(raise)s::numeric <> 0
    )
    INSERT INTO inventory_layerissue (layer_id, at, kind, cause_kind, cause_id, quantity, value)
    SELECT %(layer)s, %(now)s, 'revaluation', %(cause_kind)s, %(late)s, 0, %(raise)s::numeric
    WHERE %(layer)s::bigint > 0 AND %(raise)s::numeric <> 0
"""
)


class BadLateCost(DomainError):
    """A late cost is of nothing, of no receipt, or not in whole cents; `field` says what."""

    code: ClassVar[str] = "bad_late_cost"

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


@dataclass(frozen=True, slots=True, kw_only=True)
class LateCostDraft:
    """`amount` (company's currency, whole cents, signed) on the goods of one receipt line.

    The same `reference` (the bill's number) on one line is the same cost, once.
    """

    receipt_line_id: int
    amount: Decimal
    reason: str
    reference: str


@dataclass(frozen=True, slots=True)
class SpreadCost:
    """A late cost as it was spread, in the company's currency, whole cents; see `LateCost`."""

    late_cost_id: int
    entity_id: int
    amount: Decimal
    on_hand: Decimal
    sold: Decimal
    group_sold: Decimal
    adjusted: Decimal
    is_new: bool


class _Goods(NamedTuple):
    entity_id: int
    product_id: int
    stock_id: int
    received: Decimal
    owned: Decimal
    value: Decimal
    method: str


@transaction.atomic
def spread_late_costs(
    *, drafts: Sequence[LateCostDraft], actor: "User | None", now: datetime
) -> list[SpreadCost]:
    """Spread costs that became known after their goods came, forward: no move is changed.

    What is still owned of the goods is worth more (or less) from now on; the rest is the cost of
    what left, by where it went. By layers that is known exactly; by moving average the goods that
    came last are held to be there, and what left was sold. Shares are by quantity, exact to the
    cent by largest remainder. What is owned never becomes worth less than nothing: the rest of a
    credit goes to what left. Locks the costs one after the other. Called by finance, which posts
    the ledger's side in the same commit.

    Raises:
        BadLateCost: there is no such receipt line, the amount is nothing or not whole cents, or it
            has no reason or reference.
    """
    ordered = sorted(drafts, key=lambda draft: draft.receipt_line_id)
    spread_out = {id(draft): _spread_one(draft, actor, now) for draft in ordered}
    return [spread_out[id(draft)] for draft in drafts]


def _spread_one(draft: LateCostDraft, actor: "User | None", now: datetime) -> SpreadCost:
    goods = _goods(draft)
    known = LateCost.objects.filter(
        receipt_line_id=draft.receipt_line_id, reference=draft.reference.strip()
    ).first()
    if known is not None:
        return _answer(known, is_new=False)
    parts, layer_id = _parts(draft, goods)
    late = LateCost.objects.create(
        entity_id=goods.entity_id,
        receipt_line_id=draft.receipt_line_id,
        amount=draft.amount,
        on_hand=parts[0],
        sold=parts[1],
        group_sold=parts[2],
        adjusted=parts[3],
        reason=draft.reason.strip()[:200],
        reference=draft.reference.strip()[:60],
        posted_at=now,
        posted_by=actor,
    )
    if parts[0]:
        movement = Movement(goods.stock_id, Decimal(0), parts[0], late.pk)
        params = posting(
            [movement],
            kind=StockMove.Kind.REVALUATION,
            cause_kind=LATE,
            actor=actor,
            now=now,
        )
        params |= {"raise": parts[0], "layer": layer_id, "late": late.pk}
        run(RAISE.of(params), params)
    change = Change(
        entity_id=goods.entity_id,
        action="inventory.spread_late_cost",
        subject_kind=LATE,
        subject_id=late.pk,
        thread=f"inventory.product:{goods.product_id}",
        after={
            "amount": f"{draft.amount:f}",
            "on_hand": f"{parts[0]:f}",
            "reference": late.reference,
        },
        reason=draft.reason[:300],
    )
    record(changes=[change], actor=actor, now=now)
    return _answer(late, is_new=True)


def _goods(draft: LateCostDraft) -> _Goods:
    if not (draft.amount.is_finite() and draft.amount == draft.amount.quantize(CENT)):
        raise BadLateCost("amount", "A late cost is in whole cents.")
    if not draft.amount:
        raise BadLateCost("amount", "A late cost is more or less than nothing.")
    if not draft.reason.strip():
        raise BadLateCost("reason", "Say what the cost is for.")
    if not draft.reference.strip():
        raise BadLateCost("reference", "Name the bill that says so.")
    found = rows(GOODS, {"line": draft.receipt_line_id})
    if not found:
        raise BadLateCost("receipt_line", "There is no such receipt line.")
    return _Goods(*found[0])


def _parts(draft: LateCostDraft, goods: _Goods) -> tuple[list[Decimal], int]:
    """Return what goes to stock, sales, sister companies and corrections; and the layer."""
    layers = rows(WENT, [draft.receipt_line_id]) if goods.method == CostMethod.FIFO else []
    if layers:
        layer_id, left, value, *gone = layers[0]
        weights = [left, *gone]
    else:  # its layer is no more, or it never had one: what came last is what is there
        layer_id, value = 0, goods.value
        left = min(goods.owned, goods.received) if goods.method != CostMethod.FIFO else Decimal(0)
        weights = [left, goods.received - left, Decimal(0), Decimal(0)]
    parts = spread(draft.amount, weights)
    if parts[0] < -value:  # a credit larger than what is there is worth
        rest, parts[0] = parts[0] + value, -value
        others = spread(rest, weights[1:]) if any(weights[1:]) else [rest, Decimal(0), Decimal(0)]
        parts[1:] = [part + more for part, more in zip(parts[1:], others, strict=True)]
    return parts, layer_id


def _answer(late: LateCost, *, is_new: bool) -> SpreadCost:
    return SpreadCost(
        late.pk,
        late.entity_id,
        late.amount,
        late.on_hand,
        late.sold,
        late.group_sold,
        late.adjusted,
        is_new,
    )
