"""What is on its way to the nodes, as told by whoever ordered it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import transaction

from erp.kernel.sql import records, run
from erp.outbox.publishing import publish_all
from inventory.events import InboundChanged

EXPECT = """
    INSERT INTO inventory_inbound AS i (entity_id, node_id, product_id, source_kind, source_id,
        quantity, expected_date, supplier_id, source_label)
    SELECT g.entity_id, g.node_id, g.product_id, %(kind)s, g.source_id, g.quantity, g.expected,
        g.supplier_id, g.label
    FROM unnest(%(entities)s::bigint[], %(nodes)s::bigint[], %(products)s::bigint[],
                %(sources)s::bigint[], %(quantities)s::numeric[], %(days)s::date[],
                %(suppliers)s::bigint[], %(labels)s::text[])
        AS g (entity_id, node_id, product_id, source_id, quantity, expected, supplier_id, label)
    ORDER BY g.source_id
    ON CONFLICT (source_id, source_kind) DO UPDATE
    SET quantity = excluded.quantity, expected_date = excluded.expected_date,
        supplier_id = excluded.supplier_id, source_label = excluded.source_label
    WHERE (i.quantity, i.expected_date, i.supplier_id, i.source_label) IS DISTINCT FROM
        (excluded.quantity, excluded.expected_date, excluded.supplier_id, excluded.source_label)
    RETURNING id, entity_id, node_id, product_id, source_label, old.expected_date AS previous,
        new.expected_date AS expected, old.quantity AS was, new.quantity AS quantity
"""
FORGET = """
    WITH over AS (
        SELECT id FROM inventory_inbound
        WHERE source_kind = %(kind)s AND source_id = ANY(%(sources)s) ORDER BY id FOR NO KEY UPDATE
    ), unpegged AS (
        DELETE FROM inventory_peg WHERE inbound_id IN (SELECT id FROM over)
    )
    DELETE FROM inventory_inbound WHERE id IN (SELECT id FROM over)
    RETURNING id, entity_id, node_id, product_id, source_label, expected_date AS previous,
        NULL::date AS expected, quantity AS was, 0 AS quantity
"""
# What is less than was pegged of it is taken from who was pegged last.
TRIM = """
    WITH standing AS (
        SELECT p.id, p.quantity, i.quantity - (
            sum(p.quantity) OVER (PARTITION BY p.inbound_id ORDER BY p.id) - p.quantity
        ) AS room
        FROM inventory_peg p JOIN inventory_inbound i ON i.id = p.inbound_id
        WHERE p.inbound_id = ANY(%(ids)s)
    ), gone AS (
        DELETE FROM inventory_peg WHERE id IN (SELECT id FROM standing WHERE room <= 0)
    )
    UPDATE inventory_peg p SET quantity = standing.room
    FROM standing WHERE p.id = standing.id AND standing.room > 0 AND standing.room < p.quantity
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedGoods:
    """So much of a product is to come to a node on a day; zero: nothing (any more).

    `label` is what people call the document, `supplier_id` who sends it (opaque).
    """

    source_id: int
    entity_id: int
    node_id: int
    product_id: int
    quantity: Decimal
    expected_date: date
    supplier_id: int | None = None
    label: str = ""


@transaction.atomic
def expect_goods(*, kind: str, goods: Sequence[ExpectedGoods]) -> None:
    """Note what is on its way by the lines of documents (`kind`), as it stands now.

    Each source is named once. Telling it again changes nothing. No more stays pegged than comes.
    Three statements and the facts.

    Publishes:
        InboundChanged
    """
    coming = [each for each in goods if each.quantity > 0]
    over: Collection[int] = [each.source_id for each in goods if each.quantity <= 0]
    changed: list[dict[str, Any]] = []
    if over:
        changed += records(FORGET, {"kind": kind, "sources": list(over)})
    if coming:
        told = {
            "kind": kind,
            "entities": [each.entity_id for each in coming],
            "nodes": [each.node_id for each in coming],
            "products": [each.product_id for each in coming],
            "sources": [each.source_id for each in coming],
            "quantities": [each.quantity for each in coming],
            "days": [each.expected_date for each in coming],
            "suppliers": [each.supplier_id for each in coming],
            "labels": [each.label for each in coming],
        }
        written = records(EXPECT, told)
        less = [row["id"] for row in written if row["was"] and row["quantity"] < row["was"]]
        if less:
            run(TRIM, {"ids": less})
        changed += written
    publish_all(_facts(changed))


def _facts(changed: Sequence[dict[str, Any]]) -> list[InboundChanged]:
    """Return one fact for each place and cause, with all its products."""
    products: dict[tuple[int, int, str], set[int]] = {}
    for row in changed:
        key = (row["entity_id"], row["node_id"], _cause(row))
        products.setdefault(key, set()).add(row["product_id"])
    return [
        InboundChanged(
            entity_id=entity_id,
            node_id=node_id,
            product_ids=",".join(map(str, sorted(ids))),
            cause=cause,
        )
        for (entity_id, node_id, cause), ids in sorted(products.items())
    ]


def _cause(row: dict[str, Any]) -> str:
    name = row["source_label"] or "A supply"
    if row["expected"] is None:
        return f"{name} is no longer on its way"
    if row["previous"] is None:
        return f"{name} is on its way"
    if row["previous"] != row["expected"]:
        return f"{name} moved from {row['previous']} to {row['expected']}"
    return f"{name} brings {row['quantity'].normalize():f}"
