"""Puts shipments into cartons."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from django.db import transaction

from erp.governance.services import record
from erp.kernel.errors import DomainError
from erp.kernel.prepared import Prepared
from erp.kernel.sql import rows, run
from erp.kernel.states import target_of
from erp.outbox.publishing import publish_all
from inventory.events import ShipmentPacked
from inventory.models import Shipment
from inventory.rules import carriage, sscc
from inventory.services._standing import Standing, known, ready

if TYPE_CHECKING:
    from erp.accounts.models import User

GRAM = Decimal("0.001")
CARTONS_MAX = 999
WEIGHT_MAX = Decimal(100_000)


class BadCarton(DomainError):
    """A carton cannot weigh that, or there are too many of them."""

    code: ClassVar[str] = "bad_carton"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """A shipment that was packed, in cartons of these weights (kg); none named means one carton."""

    shipment_id: int
    cartons: Sequence[Decimal] = ()


# A carrier that charges in another currency adds no freight cost until it bills.
LOCK = Prepared("""
    WITH shipment AS MATERIALIZED (
        SELECT id, state, number, entity_id, node_id, source_kind, source_id, carrier_id
        FROM inventory_shipment WHERE id = ANY(%(ids)s) ORDER BY id FOR NO KEY UPDATE
    )
    SELECT shipment.id, shipment.state, shipment.number, shipment.entity_id, shipment.node_id,
        shipment.source_kind, shipment.source_id,
        (
            SELECT sum(coalesce(l.picked, l.quantity) * p.weight)
            FROM inventory_shipmentline l JOIN inventory_product p ON p.id = l.product_id
            WHERE l.shipment_id = shipment.id
        ),
        coalesce(c.base_rate, 0), coalesce(c.rate_per_kg, 0),
        ARRAY(
            SELECT nextval('inventory_carton_serial')
            FROM generate_series(1, greatest(wanted.cartons, 1))
        )
    FROM shipment
    JOIN unnest(%(ids)s::bigint[], %(cartons)s::int[]) AS wanted (id, cartons)
        ON wanted.id = shipment.id
    LEFT JOIN accounts_entity e ON e.id = shipment.entity_id
    LEFT JOIN inventory_carrier c ON c.id = shipment.carrier_id AND c.currency = e.currency
    ORDER BY shipment.id
""")

PACK = Prepared("""
    WITH packed AS (
        UPDATE inventory_shipment s
        SET state = %(target)s, packed_at = %(now)s, cartons = d.cartons, weight = d.weight,
            freight_cost = d.freight
        FROM unnest(%(shipments)s::bigint[], %(counts)s::int[], %(weights)s::numeric[],
            %(freights)s::numeric[]) AS d (id, cartons, weight, freight)
        WHERE s.id = d.id
    )
    INSERT INTO inventory_carton (shipment_id, number, sscc, weight)
    SELECT * FROM unnest(%(boxes)s::bigint[], %(box_numbers)s::int[], %(ssccs)s::text[],
        %(box_weights)s::numeric[])
""")


class _Packed(NamedTuple):
    standing: Standing
    cartons: list[tuple[str, Decimal]]  # SSCC, kg
    weight: Decimal
    freight: Decimal


@transaction.atomic
def pack_shipments(*, packs: Sequence[Pack], actor: "User | None", now: datetime) -> list[int]:
    """Put picked shipments into cartons with serial numbers; return those that were packed now.

    A shipment weighs what its cartons weigh; without any named it goes in one, of the weight of its
    products. Its freight cost follows the carrier's rates. Those packed before are passed over.

    Raises:
        Shipment.DoesNotExist: one of them is not there.
        ShipmentNotReady: one of them is not picked, or void.
        BadCarton: a weight is negative or beyond 100 t, or there are more than 999 cartons.

    Publishes:
        ShipmentPacked
    """
    by_id = {pack.shipment_id: pack for pack in packs}
    for pack in packs:
        _check(pack.cartons)
    params = {"ids": list(by_id), "cartons": [len(pack.cartons) for pack in by_id.values()]}
    found = {row[0]: row for row in rows(LOCK, params)}
    standing = known([Standing(*row[:7]) for row in found.values()], by_id)
    packed = [
        _packed(each, by_id[each.id].cartons, found[each.id][7:])
        for each in ready(standing, "pack")
    ]
    if not packed:
        return []
    _write(packed, now)
    record(
        changes=[
            each.standing.change(
                "pack", state="packed", cartons=len(each.cartons), weight=f"{each.weight:f}"
            )
            for each in packed
        ],
        actor=actor,
        now=now,
    )
    publish_all([ShipmentPacked(**each.standing.facts()) for each in packed])
    return [each.standing.id for each in packed]


def _check(cartons: Sequence[Decimal]) -> None:
    if len(cartons) > CARTONS_MAX:
        raise BadCarton(f"A shipment has at most {CARTONS_MAX} cartons.")
    if not all(weight.is_finite() and 0 <= weight < WEIGHT_MAX for weight in cartons):
        raise BadCarton("A carton weighs between 0 kg and 100 t.")


def _packed(standing: Standing, cartons: Sequence[Decimal], found: tuple[Any, ...]) -> _Packed:
    computed, base, per_kg, serials = found
    weights = [weight.quantize(GRAM) for weight in cartons or [computed]]
    weight = sum(weights, Decimal(0))
    return _Packed(
        standing,
        [(sscc(serial), each) for serial, each in zip(serials, weights, strict=True)],
        weight,
        carriage(weight, base=base, per_kg=per_kg),
    )


def _write(packed: Sequence[_Packed], now: datetime) -> None:
    boxes = [
        (each.standing.id, place, *carton)
        for each in packed
        for place, carton in enumerate(each.cartons, start=1)
    ]
    params = {
        "target": target_of(Shipment, "pack"),
        "now": now,
        "shipments": [each.standing.id for each in packed],
        "counts": [len(each.cartons) for each in packed],
        "weights": [each.weight for each in packed],
        "freights": [each.freight for each in packed],
        "boxes": [box[0] for box in boxes],
        "box_numbers": [box[1] for box in boxes],
        "ssccs": [box[2] for box in boxes],
        "box_weights": [box[3] for box in boxes],
    }
    run(PACK, params)
