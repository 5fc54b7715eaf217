"""Confirms what was picked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from django.db import transaction

from erp.governance.services import record
from erp.kernel.errors import DomainError
from erp.kernel.prepared import Prepared
from erp.kernel.sql import rows, run
from erp.kernel.states import target_of
from erp.outbox.publishing import publish_all
from inventory.events import PickFellShort, ShipmentPicked, ShipmentVoided, StockFell
from inventory.models import Shipment, ShipmentLine, StockMove, StockStatus
from inventory.rules import countable
from inventory.services._posting import Key, Movement, balances, posting, posting_and
from inventory.services._standing import Standing, lock, ready
from inventory.services._telling import fallen
from inventory.services.binning._picking import BinLine, BinPick, pick_out
from inventory.services.numbering._picking import SerialPick, pick_serials
from inventory.services.tracking._swapping import LotSwap, swap_lots

if TYPE_CHECKING:
    from erp.accounts.models import User

Reason = ShipmentLine.ShortReason

AVAILABLE = str(StockStatus.AVAILABLE)
CAUSE = "inventory.shipmentline"
NOT_FOUND = "Nothing of it was found"

GOES_TO = {
    Reason.DAMAGED: StockStatus.DAMAGED,
    Reason.EXPIRED: StockStatus.QUARANTINE,
    Reason.NOT_FOUND: StockStatus.INSPECTION,
    Reason.MISMATCH: StockStatus.INSPECTION,
    Reason.MISLOCATED: StockStatus.INSPECTION,
}


class BadPick(DomainError):
    """A line cannot have been picked like that; `line_id` says which."""

    code: ClassVar[str] = "bad_pick"

    def __init__(self, line_id: int, sentence: str) -> None:
        super().__init__(sentence)
        self.line_id = line_id


@dataclass(frozen=True, slots=True, kw_only=True)
class ShortPick:
    """A line of which less was found: `picked` base units, zero or more, for `reason`."""

    line_id: int
    picked: Decimal
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """A shipment that was picked; lines not named in `shorts` were picked in full.

    `swaps` are the lines that were taken out of another lot than planned. `bins` says out of which
    bins; lines not named in it came out of those that the pick list proposes. `serials` names the
    pieces of every line that is kept by serial number.
    """

    shipment_id: int
    shorts: Sequence[ShortPick] = ()
    swaps: Sequence[LotSwap] = ()
    bins: Sequence[BinPick] = ()
    serials: Sequence[SerialPick] = ()


@dataclass(frozen=True, slots=True)
class PickedShort:
    """What was missing of one demand line; it is reserved no longer."""

    shipment_line_id: int
    shipment_id: int
    demand_id: int
    node_id: int
    product_id: int
    missing: Decimal
    reason: str


@dataclass(frozen=True, slots=True)
class PickOutcome:
    """What a pick did now: `picked_ids` are ready to pack, `voided_ids` had nothing left."""

    picked_ids: list[int]
    voided_ids: list[int]
    shorts: list[PickedShort]


PICK = Prepared("""
    WITH picked AS (
        UPDATE inventory_shipment
        SET state = %(target)s, picked_at = %(now)s, picked_by_id = %(actor)s
        WHERE id = ANY(%(picked)s)
    ), voided AS (
        UPDATE inventory_shipment SET state = %(void)s WHERE id = ANY(%(voided)s)
    )
    UPDATE inventory_shipmentline l
    SET picked = coalesce(short.picked, l.quantity), short_reason = coalesce(short.reason, '')
    FROM inventory_shipmentline line
    LEFT JOIN unnest(%(lines)s::bigint[], %(found)s::numeric[], %(reasons)s::text[])
        AS short (id, picked, reason) ON short.id = line.id
    WHERE l.id = line.id AND line.shipment_id = ANY(%(all)s)
""")

# Lines of these shipments, in order, and how many lines each has.
LINES = """
    SELECT l.id, l.shipment_id, l.demand_kind, l.demand_id, l.product_id, l.stock_id,
        coalesce(s.lot_id, 0), l.quantity, p.code
    FROM inventory_shipmentline l
    JOIN inventory_stock s ON s.id = l.stock_id
    JOIN inventory_product p ON p.id = l.product_id
    WHERE l.shipment_id = ANY(%s) ORDER BY l.id
"""

SHORT = posting_and(
    """
    UPDATE inventory_reservation r
    SET quantity = CASE WHEN r.quantity = d.missing THEN r.quantity ELSE r.quantity - d.missing END,
        closed_at = CASE WHEN r.quantity = d.missing THEN %(now)s::timestamptz END,
        closed_as = CASE WHEN r.quantity = d.missing THEN 'released' ELSE '' END
    FROM unnest(%(kinds)s::text[], %(demands)s::bigint[], %(stocks)s::bigint[],
        %(missing)s::numeric[]) AS d (kind, id, stock_id, missing)
    JOIN locked ON locked.id = d.stock_id
    WHERE r.stock_id = d.stock_id AND r.demand_id = d.id AND r.demand_kind = d.kind
        AND r.closed_at IS NULL
"""
)


class _Line(NamedTuple):
    id: int
    shipment_id: int
    demand_kind: str
    demand_id: int
    product_id: int
    stock_id: int
    lot_id: int
    quantity: Decimal
    product: str


@transaction.atomic
def pick_shipments(*, picks: Sequence[Pick], actor: "User | None", now: datetime) -> PickOutcome:
    """Confirm planned shipments as picked; four statements when nothing is short and no bin kept.

    What is short leaves available stock for the status its reason asks for (none of its value is
    lost) and is reserved no longer: the caller may allocate it anew. A shipment of which nothing
    was found is voided. Those picked before are passed over. Locks shipments, then costs and stock
    rows, each in id order.

    Raises:
        Shipment.DoesNotExist: one of them is not there.
        ShipmentNotReady: one of them is void.
        BadPick: a short line is not of its shipment, or its quantity or reason makes no sense.
        BadLot, NoSuchLot: a line cannot be taken out of that lot.
        NotInBin: a line was not picked out of that bin.
        SerialsNeeded, BadSerial: a line was not picked as those pieces.

    Publishes:
        BinFoundShort
        PickFellShort
        ShipmentPicked
        ShipmentVoided
        StockFell
    """
    by_id = {pick.shipment_id: pick for pick in picks}
    due = ready(lock(by_id), "pick")
    if not due:
        return PickOutcome([], [], [])
    for each in due:
        if by_id[each.id].swaps:
            swaps = by_id[each.id].swaps
            swap_lots(shipment_id=each.id, swaps=swaps, actor=actor, now=now)
    named = {each.id: by_id[each.id].shorts for each in due if by_id[each.id].shorts}
    in_bins = {each.id for each in due if each.has_bins or by_id[each.id].bins}
    needed = [*(named.keys() | in_bins)]
    lines = [_Line(*row) for row in rows(LINES, [needed])] if needed else []
    shorts = _checked(named, {line.id: line for line in lines})
    voided = _emptied(lines, shorts)
    found_short = (
        pick_out(
            _bin_lines(due, lines, shorts),
            [each for shipment_id in in_bins for each in by_id[shipment_id].bins],
            cause_kind=CAUSE,
            actor=actor,
            now=now,
        )
        if in_bins
        else []
    )
    _write(due, shorts, voided, actor, now)
    picked = [each for each in due if each.id not in voided]
    missing = _set_aside(due, shorts, actor, now)
    if numbered := [each.id for each in due if each.has_serials or by_id[each.id].serials]:
        serials = [each for shipment_id in numbered for each in by_id[shipment_id].serials]
        pick_serials(numbered, serials, goes_to=GOES_TO, actor=actor, now=now)
    record(
        changes=[
            *(each.change("pick", state="picked", shorts=_said(each, shorts)) for each in picked),
            *(
                each.change("void", reason=NOT_FOUND, state="void")
                for each in due
                if each.id in voided
            ),
        ],
        actor=actor,
        now=now,
    )
    publish_all(
        [*_facts(picked, [each for each in due if each.id in voided], missing), *found_short]
    )
    return PickOutcome([each.id for each in picked], sorted(voided), missing)


Shorts = dict[int, tuple[_Line, ShortPick]]  # by shipment line


def _checked(named: dict[int, Sequence[ShortPick]], lines: dict[int, _Line]) -> Shorts:
    shorts: Shorts = {}
    for shipment_id, picks in named.items():
        for short in picks:
            line = lines.get(short.line_id)
            if line is None or line.shipment_id != shipment_id:
                raise BadPick(short.line_id, f"Line {short.line_id} is not of this shipment.")
            if line.id in shorts:
                raise BadPick(line.id, f"{line.product} is named twice.")
            if not (countable(short.picked) and 0 <= short.picked <= line.quantity):
                raise BadPick(
                    line.id,
                    f"{line.product}: picked must be between 0 and {line.quantity.normalize():f}.",
                )
            if short.picked == line.quantity:
                continue
            if short.reason not in Reason.values:
                raise BadPick(line.id, f"{line.product}: say why less was picked.")
            shorts[line.id] = (line, short)
    return shorts


def _emptied(lines: Sequence[_Line], shorts: Shorts) -> set[int]:
    """Return the shipments of which no line was found at all."""
    some = {
        line.shipment_id for line in lines if line.id not in shorts or shorts[line.id][1].picked
    }
    return {line.shipment_id for line in lines} - some


def _write(
    due: Sequence[Standing],
    shorts: Shorts,
    voided: set[int],
    actor: "User | None",
    now: datetime,
) -> None:
    found = [short for _, short in shorts.values()]
    params = {
        "target": target_of(Shipment, "pick"),
        "void": target_of(Shipment, "void"),
        "now": now,
        "actor": actor.pk if actor else None,
        "all": [each.id for each in due],
        "picked": [each.id for each in due if each.id not in voided],
        "voided": sorted(voided),
        "lines": [short.line_id for short in found],
        "found": [short.picked for short in found],
        "reasons": [short.reason for short in found],
    }
    run(PICK, params)


def _bin_lines(due: Sequence[Standing], lines: Sequence[_Line], shorts: Shorts) -> list[BinLine]:
    places = {each.id: (each.entity_id, each.node_id) for each in due}
    found = {line_id: (short.picked, short.reason) for line_id, (_, short) in shorts.items()}
    return [
        BinLine(
            line.id,
            line.stock_id,
            Key(*places[line.shipment_id], line.product_id, AVAILABLE, line.lot_id),
            line.product,
            line.quantity,
            *found.get(line.id, (line.quantity, "")),
        )
        for line in lines
    ]


def _set_aside(
    due: Sequence[Standing], shorts: Shorts, actor: "User | None", now: datetime
) -> list[PickedShort]:
    """Move what is missing out of available stock, and off its reservations."""
    if not shorts:
        return []
    shipments = {each.id: each for each in due}
    missing = [
        PickedShort(
            line.id,
            line.shipment_id,
            line.demand_id,
            shipments[line.shipment_id].node_id,
            line.product_id,
            line.quantity - short.picked,
            short.reason,
        )
        for line, short in shorts.values()
    ]
    params = posting(
        _moved_aside(missing, shorts, shipments),
        kind=StockMove.Kind.STATUS,
        cause_kind=CAUSE,
        actor=actor,
        now=now,
    ) | {
        "kinds": [line.demand_kind for line, _ in shorts.values()],
        "demands": [line.demand_id for line, _ in shorts.values()],
        "stocks": [line.stock_id for line, _ in shorts.values()],
        "missing": [each.missing for each in missing],
    }
    if run(SHORT.of(params), params) != len(missing):
        raise RuntimeError("a short line was not reserved")  # undoes everything
    return missing


def _moved_aside(
    missing: Sequence[PickedShort], shorts: Shorts, shipments: Mapping[int, Standing]
) -> list[Movement]:
    """Lock the balances on both sides; return a move out of one and into the other for each."""
    keys: list[tuple[Key, Key]] = []
    for each in missing:
        place = (shipments[each.shipment_id].entity_id, each.node_id, each.product_id)
        to = str(GOES_TO[Reason(each.reason)])
        lot_id = shorts[each.shipment_line_id][0].lot_id
        keys.append((Key(*place, AVAILABLE, lot_id), Key(*place, to, lot_id)))
    held = balances([key for pair in keys for key in pair])
    movements: list[Movement] = []
    for each, (out, into) in zip(missing, keys, strict=True):
        line = each.shipment_line_id
        movements += [
            Movement(held[out].stock_id, -each.missing, Decimal(0), line, released=each.missing),
            Movement(held[into].stock_id, each.missing, Decimal(0), line),
        ]
    return movements


def _said(shipment: Standing, shorts: Shorts) -> list[dict[str, str]]:
    """Return what the audit keeps of a shipment's short lines."""
    return [
        {
            "product": line.product,
            "planned": f"{line.quantity:f}",
            "picked": f"{short.picked:f}",
            "reason": short.reason,
        }
        for line, short in shorts.values()
        if line.shipment_id == shipment.id
    ]


def _facts(
    picked: Sequence[Standing], voided: Sequence[Standing], missing: Sequence[PickedShort]
) -> list[ShipmentPicked | ShipmentVoided | PickFellShort | StockFell]:
    entities = {each.id: each.entity_id for each in (*picked, *voided)}
    return [
        *(ShipmentPicked(**each.facts()) for each in picked),
        *(ShipmentVoided(**each.facts(), reason=NOT_FOUND) for each in voided),
        *(
            PickFellShort(
                shipment_id=each.shipment_id,
                shipment_line_id=each.shipment_line_id,
                entity_id=entities[each.shipment_id],
                node_id=each.node_id,
                product_id=each.product_id,
                demand_id=each.demand_id,
                missing=f"{each.missing:f}",
                reason=each.reason,
            )
            for each in missing
        ),
        *fallen((entities[s.shipment_id], s.node_id, s.product_id) for s in missing),
    ]
