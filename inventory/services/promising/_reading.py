"""What promising reads: goods, supplies, lanes and paces, for all wishes at once."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from erp.kernel.calendars import BusinessCalendar
from erp.kernel.prepared import Prepared
from erp.kernel.sql import records
from inventory.rules import Policy, Protection
from inventory.rules.promising import Pace, Shares
from inventory.selectors import NodeHours, Situation, Terms, calendars, situations
from inventory.selectors._sources import every_offer_sql, offers_sql
from inventory.services.promising._terms import promise_terms
from inventory.services.protecting._applying import with_protection

GOODS = Prepared("""
    SELECT k.entity_id, p.id AS product_id, p.weight, e.currency, c.code AS carrier,
        coalesce(c.transit_days, 0) AS transit_days, coalesce(c.base_rate, 0) AS base_rate,
        coalesce(c.rate_per_kg, 0) AS rate_per_kg, c.calendar_id,
        (SELECT EXISTS (SELECT FROM inventory_protection)) AS is_kept
    FROM (SELECT DISTINCT entity_id, product_id
          FROM unnest(%(entities)s::bigint[], %(products)s::bigint[])
              AS w (entity_id, product_id)) AS k
    JOIN inventory_product p ON p.id = k.product_id
    JOIN accounts_entity e ON e.id = k.entity_id
    LEFT JOIN LATERAL (
        SELECT code, transit_days, base_rate, rate_per_kg, calendar_id FROM inventory_carrier
        WHERE is_active AND currency = e.currency ORDER BY base_rate, rate_per_kg, id LIMIT 1
    ) c ON true
""")
LANES = Prepared("""
    SELECT origin_id, destination_id, days, currency, cost FROM inventory_lane
    WHERE destination_id = ANY(%(nodes)s::bigint[])
""")
PACES = Prepared("""
    SELECT supplier_id, p50_days, p90_days FROM inventory_supplierpace
    WHERE supplier_id = ANY(%(ids)s::bigint[]) AND samples >= 5
""")


@dataclass(frozen=True, slots=True)
class Wish:
    """So many base units of a product of one company, at one node or any.

    `calendar_id` is the customer's. `ahead` goes to others first whom no books show yet. With
    `transit_days` they are those of `carrier_calendar_id`, else the cheapest carrier's. What is
    kept for `segment` (0: none) may be promised to it.
    """

    entity_id: int
    product_id: int
    quantity: Decimal
    node_id: int | None = None
    calendar_id: int | None = None
    ahead: Decimal = Decimal(0)
    transit_days: int | None = None
    carrier_calendar_id: int | None = None
    segment: int = 0


@dataclass(frozen=True, slots=True)
class World:
    """All that the choices of one call are made of, read once."""

    now: datetime
    terms: Mapping[int, Terms]
    hours: Mapping[int, NodeHours]
    found: Mapping[tuple[int, int], Situation]
    goods: Mapping[tuple[int, int], Mapping[str, Any]]
    lanes: Mapping[int, Sequence[Mapping[str, Any]]]
    offers: Mapping[tuple[int, int], Mapping[str, Any]]
    paces: Mapping[int, Pace]
    weeks: Mapping[int, BusinessCalendar]
    every: Mapping[tuple[int, int], Sequence[Mapping[str, Any]]]  # offer, where it was asked for
    kept: Mapping[tuple[int, int], Shares]  # where anything is kept for anybody


def read_world(
    wishes: Sequence[Wish],
    now: datetime,
    asking: tuple[str, Collection[int]],
    hours: dict[int, NodeHours],
    targets: Collection[int] = (),
    *,
    every_offer: bool = False,
) -> World:
    """Read what every wish needs, a few queries however many; `hours` are those of every node.

    Lanes are those to the nodes that are wished for, and to `targets`. With `every_offer`, those of
    all suppliers are read besides the preferred ones.
    """
    keys = sorted({(wish.entity_id, wish.product_id) for wish in wishes})
    asked = {"entities": [key[0] for key in keys], "products": [key[1] for key in keys]}
    terms = {
        entity: promise_terms(entity_id=entity, now=now).terms for entity in {k[0] for k in keys}
    }
    found: dict[tuple[int, int], Situation] = {}
    for entity, said in terms.items():
        own = [key for key in keys if key[0] == entity]
        found |= situations(keys=own, now=now, terms=said, hours=hours, but=asking)
    goods = {(row["entity_id"], row["product_id"]): row for row in records(GOODS, asked)}
    statement = offers_sql()
    offers = {
        (row["entity_id"], row["product_id"]): row
        for row in (records(statement, asked) if statement else [])
    }
    lanes: dict[int, list[Mapping[str, Any]]] = {}
    ends = sorted({wish.node_id for wish in wishes if wish.node_id is not None} | set(targets))
    for row in records(LANES, {"nodes": ends}) if ends else ():
        lanes.setdefault(row["destination_id"], []).append(row)
    statement = every_offer_sql() if every_offer else None
    listed = records(statement, asked) if statement else []
    every: dict[tuple[int, int], list[Mapping[str, Any]]] = {}
    for row in listed:
        every.setdefault((row["entity_id"], row["product_id"]), []).append(row)
    suppliers = sorted({row["supplier_id"] for row in (*offers.values(), *listed)})
    paces = {
        row["supplier_id"]: Pace(row["p50_days"], row["p90_days"])
        for row in (records(PACES, {"ids": suppliers}) if suppliers else [])
    }
    weeks = calendars(
        ids=[
            *(row["calendar_id"] for row in (*goods.values(), *offers.values(), *listed)),
            *(each for w in wishes for each in (w.calendar_id, w.carrier_calendar_id)),
        ],
        on=now.date(),
    )
    is_kept = any(row["is_kept"] for row in goods.values())
    kept = shares_of(keys, now) if is_kept else {}
    return World(now, terms, hours, found, goods, lanes, offers, paces, weeks, every, kept)


def shares_of(keys: Sequence[tuple[int, int]], now: datetime) -> dict[tuple[int, int], Shares]:
    """Return what is kept of each product, by company. Two queries."""
    said = with_protection(Policy(), keys, now.date())
    held: dict[tuple[int, int], list[Protection]] = {}
    for each in said.protections:
        held.setdefault((each.owner, each.product), []).append(each)
    return {key: Shares(said.segments, listed) for key, listed in held.items()}
