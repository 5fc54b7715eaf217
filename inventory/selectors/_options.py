"""What could be promised now: from where, when it would leave, and what carrying it costs."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from erp.kernel.sql import records
from inventory.rules import carriage, leaves_on

OPTIONS = """
    SELECT s.entity_id, s.product_id, n.code AS node, n.name, s.available,
        n.time_zone, n.cutoff, n.handling_days, p.weight, e.currency, c.code AS carrier,
        coalesce(c.transit_days, 0) AS transit_days, coalesce(c.base_rate, 0) AS base_rate,
        coalesce(c.rate_per_kg, 0) AS rate_per_kg
    FROM unnest(%(entities)s::bigint[], %(products)s::bigint[]) AS k (entity_id, product_id)
    JOIN LATERAL (
        SELECT s.entity_id, s.product_id, s.node_id, sum(s.on_hand - s.reserved) AS available
        FROM inventory_stock s
        WHERE s.product_id = k.product_id AND s.entity_id = k.entity_id
            AND s.status = 'available' AND s.on_hand > s.reserved AND NOT s.is_barred
        GROUP BY s.entity_id, s.product_id, s.node_id
    ) s ON true
    JOIN inventory_node n ON n.id = s.node_id
    JOIN inventory_product p ON p.id = s.product_id
    JOIN accounts_entity e ON e.id = s.entity_id
    LEFT JOIN LATERAL (
        SELECT code, transit_days, base_rate, rate_per_kg FROM inventory_carrier
        WHERE is_active AND currency = e.currency ORDER BY base_rate, rate_per_kg, id LIMIT 1
    ) c ON true
    WHERE n.is_active
    ORDER BY s.available DESC, n.code
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """So many base units of a product of one company."""

    entity_id: int
    product_id: int
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Option:
    """One node that could give `quantity` of what is wanted.

    It would leave on `leaves_on` and arrive `transit_days` later, at `cost` of carriage in
    `currency` with the cheapest carrier (empty without one).
    """

    node: str
    name: str
    available: Decimal
    quantity: Decimal
    leaves_on: date
    transit_days: int
    carrier: str
    cost: Decimal
    currency: str


def options(*, wanted: Sequence[Wanted], now: datetime) -> list[list[Option]]:
    """Return for each of `wanted` the nodes that could give some, the fullest first. One query.

    Nothing is reserved, and each is looked at by itself: two wants of one product see the same.
    """
    keys: Collection[tuple[int, int]] = sorted({(w.entity_id, w.product_id) for w in wanted})
    params = {"entities": [key[0] for key in keys], "products": [key[1] for key in keys]}
    found: dict[tuple[int, int], list[dict[str, Any]]] = {}
    for row in records(OPTIONS, params):
        found.setdefault((row.pop("entity_id"), row.pop("product_id")), []).append(row)
    return [
        [
            _option(row, each.quantity, now)
            for row in found.get((each.entity_id, each.product_id), [])
        ]
        for each in wanted
    ]


def _option(row: dict[str, Any], wanted: Decimal, now: datetime) -> Option:
    quantity = min(wanted, row["available"])
    day = leaves_on(
        now,
        zone=ZoneInfo(str(row["time_zone"])),
        cutoff=row["cutoff"],
        handling_days=row["handling_days"],
    )
    cost = Decimal(0)
    if row["carrier"]:
        cost = carriage(
            quantity * row["weight"],
            base=row["base_rate"],
            per_kg=row["rate_per_kg"],
        )
    return Option(
        node=str(row["node"]),
        name=str(row["name"]),
        available=row["available"],
        quantity=quantity,
        leaves_on=day,
        transit_days=row["transit_days"],
        carrier=str(row["carrier"] or ""),
        cost=cost,
        currency=str(row["currency"]),
    )
