"""Takes another lot than was planned."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar

from django.db import transaction

from erp.governance.services import record
from erp.kernel.errors import DomainError
from erp.kernel.sql import rows, run
from erp.kernel.states import sources_of
from inventory.models import Shipment
from inventory.services._standing import ShipmentNotReady, lock
from inventory.services.tracking._naming import BadLot

if TYPE_CHECKING:
    from erp.accounts.models import User


class NoSuchLot(DomainError):
    """The lot is not at the node, has too little that is free, or may not be promised."""

    code: ClassVar[str] = "no_such_lot"

    def __init__(self, lot: str, sentence: str) -> None:
        super().__init__(sentence)
        self.lot = lot
        self.errors = [{"field": "lot", "code": self.code, "message": sentence}]


@dataclass(frozen=True, slots=True, kw_only=True)
class LotSwap:
    """A line that is picked out of another lot, named by its code, and why."""

    line_id: int
    lot: str
    reason: str


LINE = """
    SELECT l.id, l.shipment_id, l.stock_id, l.quantity, l.demand_kind, l.demand_id, p.code,
        coalesce(lot.code, ''), other.id
    FROM inventory_shipmentline l
    JOIN inventory_product p ON p.id = l.product_id
    JOIN inventory_stock s ON s.id = l.stock_id
    LEFT JOIN inventory_lot lot ON lot.id = s.lot_id
    LEFT JOIN inventory_lot named ON named.product_id = l.product_id AND named.code = %(lot)s
    LEFT JOIN inventory_stock other ON other.lot_id = named.id AND other.node_id = s.node_id
        AND other.entity_id = s.entity_id AND other.product_id = s.product_id
        AND other.status = s.status
    WHERE l.id = %(line)s AND l.shipment_id = %(shipment)s
"""
FREE = """
    SELECT id, on_hand - reserved,
        is_barred OR coalesce(expires_on < %(today)s, false)
    FROM inventory_stock WHERE id = ANY(%(stocks)s) ORDER BY id FOR NO KEY UPDATE
"""
SWAP = """
    WITH less AS (
        UPDATE inventory_reservation
        SET quantity = CASE WHEN quantity = %(quantity)s THEN quantity
                ELSE quantity - %(quantity)s END,
            closed_at = CASE WHEN quantity = %(quantity)s THEN %(now)s::timestamptz END,
            closed_as = CASE WHEN quantity = %(quantity)s THEN 'released' ELSE '' END
        WHERE stock_id = %(old)s AND demand_id = %(demand)s AND demand_kind = %(kind)s
            AND closed_at IS NULL
        RETURNING 1
    ), more AS (
        INSERT INTO inventory_reservation AS r
            (stock_id, demand_kind, demand_id, quantity, created_at, closed_as)
        SELECT %(new)s, %(kind)s, %(demand)s, %(quantity)s, %(now)s, '' FROM less
        ON CONFLICT (demand_id, demand_kind, stock_id) WHERE closed_at IS NULL
            DO UPDATE SET quantity = r.quantity + excluded.quantity
    ), joined AS (
        UPDATE inventory_shipmentline SET quantity = quantity + %(quantity)s
        WHERE shipment_id = %(shipment)s AND demand_id = %(demand)s AND demand_kind = %(kind)s
            AND stock_id = %(new)s
        RETURNING 1
    ), moved AS (
        UPDATE inventory_shipmentline SET stock_id = %(new)s
        WHERE id = %(line)s AND NOT EXISTS (SELECT FROM joined)
    ), emptied AS (
        DELETE FROM inventory_shipmentline WHERE id = %(line)s AND EXISTS (SELECT FROM joined)
    )
    UPDATE inventory_stock
    SET reserved = reserved + CASE WHEN id = %(new)s THEN %(quantity)s ELSE -%(quantity)s END
    FROM less
    WHERE id IN (%(old)s, %(new)s)
"""


@transaction.atomic
def swap_lots(
    *, shipment_id: int, swaps: Sequence[LotSwap], actor: "User | None", now: datetime
) -> None:
    """Plan lines of a shipment out of other lots than they were: what is kept changes with them.

    A line that is of that lot already is left alone. Where another line of the shipment takes that
    lot for the same demand, the two become one. Locks the shipment, then both balances.

    Raises:
        Shipment.DoesNotExist: there is no such shipment.
        ShipmentNotReady: it was picked.
        BadLot: a line is not of the shipment, or no reason is given.
        NoSuchLot: too little of the lot is free there, or nothing of it may leave.
    """
    standing = lock([shipment_id])[0]
    if standing.state not in sources_of(Shipment, "pick"):
        raise ShipmentNotReady("pick", [standing])
    told = []
    for swap in swaps:
        found = rows(LINE, {"lot": swap.lot, "line": swap.line_id, "shipment": shipment_id})
        if not found:
            raise BadLot("line", f"Line {swap.line_id} is not of this shipment.")
        _, _, old, quantity, kind, demand_id, product, former, new = found[0]
        if new == old:
            continue
        if not swap.reason.strip():
            raise BadLot("reason", f"{product}: say why another lot is taken.")
        _refuse_lack((swap.lot, product), (old, new), quantity, now)
        params = {
            "line": swap.line_id,
            "shipment": shipment_id,
            "old": old,
            "new": new,
            "quantity": quantity,
            "kind": kind,
            "demand": demand_id,
            "now": now,
        }
        if run(SWAP, params) != 2:  # noqa: PLR2004  both balances
            raise RuntimeError("a planned line was not reserved")  # undoes everything
        after = {"product": product, "lot": swap.lot, "instead_of": former}
        told.append(standing.change("swap", reason=swap.reason, **after))
    record(changes=told, actor=actor, now=now)


def _refuse_lack(
    names: tuple[str, str], stocks: tuple[int, int | None], quantity: Decimal, now: datetime
) -> None:
    """Lock both balances; refuse a lot that cannot give so much."""
    lot, product = names
    new = stocks[1]
    if new is None:
        raise NoSuchLot(lot, f"{product}: nothing of lot {lot} lies there.")
    params = {"stocks": list(stocks), "today": now.date()}
    free, is_barred = {row[0]: row[1:] for row in rows(FREE, params)}[new]
    if is_barred:
        raise NoSuchLot(lot, f"{product}: lot {lot} is blocked or has expired.")
    if free < quantity:
        raise NoSuchLot(lot, f"{product}: only {free.normalize():f} of lot {lot} is free.")
