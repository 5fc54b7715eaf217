"""What is on its way to the nodes, as told by whoever ordered it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db import transaction

from erp.kernel.sql import run

EXPECT = """
    INSERT INTO inventory_inbound AS i
        (entity_id, node_id, product_id, source_kind, source_id, quantity, expected_date)
    SELECT g.entity_id, g.node_id, g.product_id, %(kind)s, g.source_id, g.quantity, g.expected
    FROM unnest(%(entities)s::bigint[], %(nodes)s::bigint[], %(products)s::bigint[],
                %(sources)s::bigint[], %(quantities)s::numeric[], %(days)s::date[])
        AS g (entity_id, node_id, product_id, source_id, quantity, expected)
    ORDER BY g.source_id
    ON CONFLICT (source_id, source_kind) DO UPDATE
    SET quantity = excluded.quantity, expected_date = excluded.expected_date
    WHERE (i.quantity, i.expected_date) IS DISTINCT FROM (excluded.quantity, excluded.expected_date)
"""
FORGET = """
    DELETE FROM inventory_inbound WHERE source_kind = %(kind)s AND source_id = ANY(%(sources)s)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedGoods:
    """So much of a product is to come to a node on a day; zero: nothing (any more)."""

    source_id: int
    entity_id: int
    node_id: int
    product_id: int
    quantity: Decimal
    expected_date: date


@transaction.atomic
def expect_goods(*, kind: str, goods: Sequence[ExpectedGoods]) -> None:
    """Note what is on its way by the lines of documents (`kind`), as it stands now.

    Each source is named once. Telling it again changes nothing. Two statements.
    """
    coming = [each for each in goods if each.quantity > 0]
    over: Collection[int] = [each.source_id for each in goods if each.quantity <= 0]
    if over:
        run(FORGET, {"kind": kind, "sources": list(over)})
    if coming:
        run(
            EXPECT,
            {
                "kind": kind,
                "entities": [each.entity_id for each in coming],
                "nodes": [each.node_id for each in coming],
                "products": [each.product_id for each in coming],
                "sources": [each.source_id for each in coming],
                "quantities": [each.quantity for each in coming],
                "days": [each.expected_date for each in coming],
            },
        )
