"""What depends on a supply, and what a demand depends on, over any number of hops."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from erp.kernel.sql import records, rows
from inventory.selectors._sources import demand_source

PO_LINE = "procurement.line"
STOCK = "inventory.stock"
TRANSFER_LINE = "inventory.transferline"  # a demand where it leaves, a supply where it comes to

# Every pair once, whatever the ways lead to it: so a ring of transfers ends.
DOWN = """
    WITH RECURSIVE reach (kind, id) AS (
        SELECT * FROM unnest(%(kinds)s::text[], %(ids)s::bigint[])
        UNION
        SELECT next.kind, next.id
        FROM reach
        CROSS JOIN LATERAL (
            SELECT p.demand_kind AS kind, p.demand_id AS id
            FROM inventory_inbound i JOIN inventory_peg p ON p.inbound_id = i.id
            WHERE i.source_kind = reach.kind AND i.source_id = reach.id
            UNION ALL
            SELECT r.demand_kind, r.demand_id
            FROM inventory_reservation r
            WHERE reach.kind = 'inventory.stock' AND r.stock_id = reach.id AND r.closed_at IS NULL
        ) AS next
    )
"""
REACHED = f"""{DOWN}
    SELECT kind, array_agg(id) FROM reach
    WHERE NOT (kind = ANY(ARRAY['procurement.line', 'inventory.stock'])) GROUP BY kind
"""  # noqa: S608  our own
# The supplies that lie directly behind what was reached, with how much of each and its day.
EDGES = f"""{DOWN}
    SELECT p.demand_kind, p.demand_id, sum(p.quantity) AS quantity,
        max(i.expected_date) AS expected
    FROM reach
    JOIN inventory_inbound i ON i.source_kind = reach.kind AND i.source_id = reach.id
    JOIN inventory_peg p ON p.inbound_id = i.id
    GROUP BY p.demand_kind, p.demand_id
    UNION ALL
    SELECT r.demand_kind, r.demand_id, sum(r.quantity), NULL
    FROM reach JOIN inventory_reservation r
        ON reach.kind = 'inventory.stock' AND r.stock_id = reach.id AND r.closed_at IS NULL
    GROUP BY r.demand_kind, r.demand_id
"""  # noqa: S608  our own
UP = """
    WITH RECURSIVE reach (kind, id) AS (
        SELECT %(kind)s::text, %(id)s::bigint
        UNION
        SELECT next.kind, next.id
        FROM reach
        CROSS JOIN LATERAL (
            SELECT i.source_kind AS kind, i.source_id AS id
            FROM inventory_peg p JOIN inventory_inbound i ON i.id = p.inbound_id
            WHERE p.demand_kind = reach.kind AND p.demand_id = reach.id
            UNION ALL
            SELECT 'inventory.stock', r.stock_id
            FROM inventory_reservation r
            WHERE r.demand_kind = reach.kind AND r.demand_id = reach.id AND r.closed_at IS NULL
        ) AS next
    )
    SELECT r.kind, r.id, coalesce(i.source_label, '') AS label, n.code AS node, i.expected_date,
        coalesce(i.quantity, s.on_hand) AS quantity
    FROM reach r
    LEFT JOIN inventory_inbound i ON i.source_kind = r.kind AND i.source_id = r.id
    LEFT JOIN inventory_stock s ON r.kind = 'inventory.stock' AND s.id = r.id
    LEFT JOIN inventory_node n ON n.id = coalesce(i.node_id, s.node_id)
    WHERE (r.kind, r.id) <> (%(kind)s::text, %(id)s::bigint)
    ORDER BY i.expected_date NULLS FIRST, r.kind, r.id
    LIMIT 200
"""
PEGS = """
    SELECT i.source_id, p.demand_kind, p.demand_id, pr.code AS product, n.code AS node, p.quantity,
        i.expected_date, p.pegged_at
    FROM inventory_inbound i
    JOIN inventory_peg p ON p.inbound_id = i.id
    JOIN inventory_product pr ON pr.id = i.product_id
    JOIN inventory_node n ON n.id = i.node_id
    WHERE i.source_kind = %(kind)s AND i.source_id = ANY(%(ids)s)
    ORDER BY i.expected_date, i.id, p.id
    LIMIT %(limit)s
"""
LOT = "SELECT id FROM inventory_stock WHERE lot_id = %(lot)s AND entity_id = ANY(%(entities)s)"
AT_NODE = """
    SELECT 'inventory.stock', id FROM inventory_stock
    WHERE node_id = %(node)s AND entity_id = ANY(%(entities)s) AND reserved > 0
    UNION ALL
    SELECT source_kind, source_id FROM inventory_inbound
    WHERE node_id = %(node)s AND entity_id = ANY(%(entities)s)
"""


@dataclass(frozen=True, slots=True)
class HitDemand:
    """One demand that depends on a supply. `value` is the money still open, in `currency`.

    `is_late`: with the delay asked about, its supply comes after the day it must leave.
    """

    kind: str
    id: int
    label: str
    detail: str
    party: str
    quantity: Decimal
    value: Decimal
    currency: str
    wanted_on: date
    promised_on: date | None
    expected_on: date | None
    is_late: bool
    page: str


@dataclass(frozen=True, slots=True)
class Impact:
    """The blast radius of a supply. `demands` are the dearest; the sums count all of them."""

    documents: int
    lines: int
    parties: int
    values: dict[str, Decimal]
    late_documents: int
    late_values: dict[str, Decimal]
    demands: Sequence[HitDemand]


@dataclass(frozen=True, slots=True)
class PegRow:
    """So much of one supply that one demand waits for. `is_hard` never: it would be reserved."""

    source_id: int
    demand: str
    document: str
    detail: str
    party: str
    product: str
    node: str
    quantity: Decimal
    expected_date: date


@dataclass(frozen=True, slots=True)
class SupplyRow:
    """One supply that a demand depends on, directly or over a transfer."""

    kind: str
    id: int
    label: str
    node: str | None
    expected_date: date | None
    quantity: Decimal | None


def blast_radius(
    *, supplies: Collection[tuple[str, int]], days: int = 0, limit: int = 100
) -> Impact:
    """Return who depends on supplies, (kind, id), over any hops, and whom a delay makes late.

    Two queries. The caller has checked that the supplies are theirs to see.
    """
    asked = {"kinds": [kind for kind, _ in supplies], "ids": [at for _, at in supplies]}
    edges = {(row["demand_kind"], row["demand_id"]): row for row in records(EDGES, asked)}
    told = _about({key for key in edges if key[0] != TRANSFER_LINE})
    hits = [_hit(key, edges[key], row, days) for key, row in told.items()]
    hits.sort(key=lambda each: (not each.is_late, -each.value, each.id))
    late = [each for each in hits if each.is_late]
    return Impact(
        documents=len({each.label for each in hits}),
        lines=len(hits),
        parties=len({each.party for each in hits}),
        values=_sums(hits),
        late_documents=len({each.label for each in late}),
        late_values=_sums(late),
        demands=hits[:limit],
    )


def reached_demand(*, supplies: Collection[tuple[str, int]]) -> dict[str, list[int]]:
    """Return the ids of every demand that depends on supplies, by kind. One query."""
    asked = {"kinds": [kind for kind, _ in supplies], "ids": [at for _, at in supplies]}
    return dict(rows(REACHED, asked))


def supplies_of(*, kind: str, demand_id: int) -> list[SupplyRow]:
    """Return what a demand depends on, directly or over transfers, at most 200. One query."""
    return [SupplyRow(**row) for row in records(UP, {"kind": kind, "id": demand_id})]


def supplies_at(*, node_id: int, entity_ids: Collection[int]) -> list[tuple[str, int]]:
    """Return all supplies of a node: what lies there and is promised, and what comes."""
    found = rows(AT_NODE, {"node": node_id, "entities": sorted(entity_ids)})
    return [(kind, at) for kind, at in found]


def supplies_of_lot(*, lot_id: int, entity_ids: Collection[int]) -> list[tuple[str, int]]:
    """Return the balances of a lot as supplies."""
    return [(STOCK, row[0]) for row in rows(LOT, {"lot": lot_id, "entities": sorted(entity_ids)})]


def pegs_of(*, kind: str, source_ids: Collection[int], limit: int = 500) -> list[PegRow]:
    """Return who waits for what the lines of a document bring, the first to come first."""
    asked = {"kind": kind, "ids": sorted(source_ids), "limit": limit}
    found = records(PEGS, asked)
    told = _about({(row["demand_kind"], row["demand_id"]) for row in found})
    answer = []
    for row in found:
        key = (row["demand_kind"], row["demand_id"])
        about = told.get(key, {"label": "", "detail": "", "party": ""})
        answer.append(
            PegRow(
                source_id=row["source_id"],
                demand=f"{key[0]}:{key[1]}",
                document=about["label"],
                detail=about["detail"],
                party=about["party"],
                product=row["product"],
                node=row["node"],
                quantity=row["quantity"],
                expected_date=row["expected_date"],
            )
        )
    return answer


def _about(keys: Collection[tuple[str, int]]) -> dict[tuple[str, int], dict[str, Any]]:
    """Return what people want to know of demands, as the apps above tell it. A query per kind."""
    found: dict[tuple[str, int], dict[str, Any]] = {}
    for kind in sorted({kind for kind, _ in keys}):
        source = demand_source(kind)
        if source is None:
            continue
        ids = [at for each, at in keys if each == kind]
        for row in records(source.about, {"ids": ids}):
            found[kind, row["id"]] = {**row, "page": source.page}
    return found


def _hit(key: tuple[str, int], edge: dict[str, Any], row: dict[str, Any], days: int) -> HitDemand:
    expected = edge["expected"]
    comes = expected + timedelta(days=days) if expected else None
    return HitDemand(
        kind=key[0],
        id=key[1],
        label=row["label"],
        detail=row["detail"],
        party=row["party"],
        quantity=edge["quantity"],
        value=row["value"],
        currency=row["currency"],
        wanted_on=row["wanted_on"],
        promised_on=row["promised_on"],
        expected_on=expected,
        is_late=comes is not None and comes > row["needs_on"],
        page=row["page"],
    )


def _sums(hits: Sequence[HitDemand]) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = {}
    for each in hits:
        sums[each.currency] = sums.get(each.currency, Decimal(0)) + each.value
    return sums
