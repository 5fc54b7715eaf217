"""Takes serial numbers for shipments, gives them back, and lets them leave."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from erp.kernel.sql import rows
from inventory.models import SerialMove
from inventory.services.numbering._carrying import (
    BadSerial,
    SerialStep,
    carry_serials,
    refuse_numbers,
)

if TYPE_CHECKING:
    from erp.accounts.models import User

Kind = SerialMove.Kind
LINE = "inventory.shipmentline"

# Where what was missing went: the same goods in the status that its reason asks for.
PICKED = """
    SELECT l.id, l.product_id, l.stock_id, s.is_serial, l.quantity, l.picked, coalesce(t.id, 0)
    FROM inventory_shipmentline l
    JOIN inventory_stock s ON s.id = l.stock_id
    LEFT JOIN unnest(%(reasons)s::text[], %(statuses)s::text[]) AS goes (reason, status)
        ON goes.reason = l.short_reason
    LEFT JOIN inventory_stock t ON t.product_id = s.product_id AND t.node_id = s.node_id
        AND t.entity_id = s.entity_id AND t.status = goes.status
        AND t.lot_id IS NOT DISTINCT FROM s.lot_id
    WHERE l.shipment_id = ANY(%(shipments)s)
    ORDER BY l.id
"""

TAKEN = """
    SELECT l.id, l.product_id, l.stock_id, count(*)::numeric
    FROM inventory_shipmentline l
    JOIN inventory_serial n ON n.line_id = l.id AND n.stock_id IS NOT NULL
    WHERE l.{column} = ANY(%s)
    GROUP BY l.id ORDER BY l.id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SerialPick:
    """The pieces that were picked for a line, and those of it that were not found or not whole.

    Nothing needs to be said of what is missing where as many lie there as are missing.
    """

    line_id: int
    numbers: Sequence[str]
    missing: Sequence[str] = ()


class _Line(NamedTuple):
    id: int
    product_id: int
    stock_id: int
    is_serial: bool
    quantity: Decimal
    picked: Decimal | None
    aside: int


def pick_serials(
    shipment_ids: Collection[int],
    picks: Sequence[SerialPick],
    *,
    goes_to: Mapping[Any, Any],
    actor: "User | None",
    now: datetime,
) -> None:
    """Take the pieces that were picked, after the pick was written; what is missing goes aside.

    Raises:
        SerialsNeeded: a line does not name one number for each piece that was picked.
        BadSerial: one does not lie there, is taken, or is of no line of these shipments.
    """
    params = {
        "shipments": list(shipment_ids),
        "reasons": [str(reason) for reason in goes_to],
        "statuses": [str(status) for status in goes_to.values()],
    }
    lines = {row[0]: _Line(*row) for row in rows(PICKED, params)}
    named = {each.line_id: each for each in picks}
    _refuse_strangers(named, lines)
    own = [line for line in lines.values() if line.is_serial]
    nothing = SerialPick(line_id=0, numbers=())
    carry_serials(
        [
            SerialStep(
                product_id=line.product_id,
                quantity=line.picked or Decimal(0),
                source=line.stock_id,
                target=line.stock_id,
                cause_id=line.id,
                numbers=named.get(line.id, nothing).numbers,
                taken=(line.id, 0),
            )
            for line in own
        ],
        kind=Kind.PICK,
        cause_kind=LINE,
        actor=actor,
        now=now,
    )
    carry_serials(
        [
            SerialStep(
                product_id=line.product_id,
                quantity=line.quantity - (line.picked or Decimal(0)),
                source=line.stock_id,
                target=line.aside,
                cause_id=line.id,
                numbers=named.get(line.id, nothing).missing,
                may_infer=True,
            )
            for line in own
        ],
        kind=Kind.STATUS,
        cause_kind=LINE,
        actor=actor,
        now=now,
    )


def _refuse_strangers(named: Mapping[int, SerialPick], lines: Mapping[int, _Line]) -> None:
    """Refuse numbers for what is not on these shipments, or not kept by serial number."""
    for line_id, each in named.items():
        if line_id not in lines:
            first = [*each.numbers, *each.missing, ""][0]
            raise BadSerial(f"Line {line_id}", first, "is of no line of this shipment", line_id)
        if not lines[line_id].is_serial:
            refuse_numbers(lines[line_id].product_id, [*each.numbers, *each.missing])


def give_back_serials(
    shipment_ids: Collection[int], *, actor: "User | None", now: datetime
) -> None:
    """Free the pieces that were picked for shipments that do not leave. They stay there."""
    carry_serials(
        [
            SerialStep(
                product_id=product_id,
                quantity=quantity,
                source=stock_id,
                target=stock_id,
                cause_id=line_id,
                was=(line_id, 0),
                may_infer=True,
            )
            for line_id, product_id, stock_id, quantity in rows(
                TAKEN.format(column="shipment_id"), [list(shipment_ids)]
            )
        ],
        kind=Kind.UNPICK,
        cause_kind=LINE,
        actor=actor,
        now=now,
    )


def ship_serials(line_ids: Collection[int], *, actor: "User | None", now: datetime) -> None:
    """Let the pieces leave that were picked for these lines, after their moves were posted."""
    carry_serials(
        [
            SerialStep(
                product_id=product_id,
                quantity=quantity,
                source=stock_id,
                target=0,
                cause_id=line_id,
                was=(line_id, 0),
                taken=(line_id, 0),
                may_infer=True,
            )
            for line_id, product_id, stock_id, quantity in rows(
                TAKEN.format(column="id"), [list(line_ids)]
            )
        ],
        kind=Kind.SHIPMENT,
        cause_kind=LINE,
        actor=actor,
        now=now,
    )
