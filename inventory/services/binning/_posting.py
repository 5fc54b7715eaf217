"""Posts moves between bins: bins, what balances have in them, and the moves change at once."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from erp.kernel.prepared import Prepared
from erp.kernel.sql import rows, run
from inventory.rules.binning import Holding

if TYPE_CHECKING:
    from erp.accounts.models import User


@dataclass(frozen=True, slots=True, kw_only=True)
class BinChange:
    """So much of one balance goes from one bin to another, in base units; 0 is the floor."""

    stock_id: int
    quantity: Decimal
    kind: str
    source: int = 0
    target: int = 0
    cause_kind: str = ""
    cause_id: int = 0


POST = Prepared("""
    WITH move AS (
        SELECT * FROM unnest(
            %(stocks)s::bigint[], %(sources)s::bigint[], %(targets)s::bigint[],
            %(quantities)s::numeric[], %(kinds)s::text[], %(cause_kinds)s::text[],
            %(causes)s::bigint[]
        ) AS move (stock_id, source, target, quantity, kind, cause_kind, cause_id)
    ), delta AS (
        SELECT stock_id, bin_id, sum(quantity) AS quantity
        FROM (
            SELECT stock_id, source, -quantity FROM move WHERE source > 0
            UNION ALL SELECT stock_id, target, quantity FROM move WHERE target > 0
        ) AS d (stock_id, bin_id, quantity)
        GROUP BY stock_id, bin_id HAVING sum(quantity) <> 0
    ), lying AS (
        MERGE INTO inventory_binstock b USING delta
            ON b.stock_id = delta.stock_id AND b.bin_id = delta.bin_id
        WHEN MATCHED AND b.quantity + delta.quantity = 0 THEN DELETE
        WHEN MATCHED THEN UPDATE SET quantity = b.quantity + delta.quantity
        WHEN NOT MATCHED THEN INSERT (stock_id, bin_id, quantity)
            VALUES (delta.stock_id, delta.bin_id, delta.quantity)
    ), balance AS (
        UPDATE inventory_stock s SET binned = s.binned + d.quantity
        FROM (SELECT stock_id, sum(quantity) AS quantity FROM delta GROUP BY stock_id) d
        WHERE s.id = d.stock_id AND d.quantity <> 0
    )
    INSERT INTO inventory_binmove (at, kind, stock_id, source_id, target_id, quantity, cause_kind,
        cause_id, actor_id)
    SELECT %(now)s::timestamptz, kind, stock_id, nullif(source, 0), nullif(target, 0), quantity,
        cause_kind, cause_id, %(actor)s::bigint
    FROM move
    RETURNING id
""")

HELD = Prepared("""
    SELECT l.stock_id, b.id, b.code, b.kind, b.sequence, l.quantity
    FROM inventory_binstock l JOIN inventory_bin b ON b.id = l.bin_id
    WHERE l.stock_id = ANY(%(stocks)s::bigint[])
    ORDER BY l.stock_id, b.sequence, b.code
""")

LOCK = Prepared("""
    SELECT id, node_id, entity_id, product_id, status, binned
    FROM inventory_stock WHERE id = ANY(%(stocks)s::bigint[]) ORDER BY id FOR NO KEY UPDATE
""")

# What was picked and has not left stands in no bin, and not on the floor to be put away either.
FLOOR = Prepared("""
    WITH stock AS (
        SELECT id, node_id, on_hand - binned AS loose
        FROM inventory_stock WHERE id = ANY(%(stocks)s::bigint[])
    ), staged AS (
        SELECT l.stock_id, sum(l.picked) AS quantity
        FROM inventory_shipment sh JOIN inventory_shipmentline l ON l.shipment_id = sh.id
        WHERE sh.node_id IN (SELECT node_id FROM stock) AND sh.state IN ('picked', 'packed')
            AND l.stock_id IN (SELECT id FROM stock)
        GROUP BY l.stock_id
        UNION ALL
        SELECT p.stock_id, sum(p.quantity)
        FROM inventory_transferpiece p
        JOIN inventory_transferline tl ON tl.id = p.line_id
        JOIN inventory_transfer t ON t.id = tl.transfer_id
        WHERE p.stock_id IN (SELECT id FROM stock) AND t.state = 'picked'
        GROUP BY p.stock_id
    )
    SELECT stock.id, stock.loose - coalesce(
        (SELECT sum(quantity) FROM staged WHERE staged.stock_id = stock.id), 0)
    FROM stock
""")


def post_bins(changes: Sequence[BinChange], *, actor: "User | None", now: datetime) -> list[int]:
    """Move goods between bins and the floor; return the moves' ids. One statement.

    The caller holds the lock of every balance.
    """
    if not changes:
        return []
    params = {
        "stocks": [each.stock_id for each in changes],
        "sources": [each.source for each in changes],
        "targets": [each.target for each in changes],
        "quantities": [each.quantity for each in changes],
        "kinds": [str(each.kind) for each in changes],
        "cause_kinds": [each.cause_kind for each in changes],
        "causes": [each.cause_id for each in changes],
        "actor": actor.pk if actor else None,
        "now": now,
    }
    return [row[0] for row in rows(POST, params)]


def lock_balances(stock_ids: Collection[int]) -> list[tuple[int, int, int, int, str, Decimal]]:
    """Lock balances in id order: id, node, entity, product, status, in bins. One statement."""
    return rows(LOCK, {"stocks": sorted(set(stock_ids))})


def held_in(stock_ids: Collection[int]) -> dict[int, list[Holding]]:
    """Return what of each balance lies in which bin. One statement."""
    held: dict[int, list[Holding]] = defaultdict(list)
    for stock_id, *holding in rows(HELD, {"stocks": list(stock_ids)}):
        held[stock_id].append(Holding(*holding))
    return held


def on_floor(stock_ids: Collection[int]) -> dict[int, Decimal]:
    """Return how much of each balance lies in no bin and was not picked. One statement."""
    return dict(rows(FLOOR, {"stocks": list(stock_ids)}))


def lock_bins(bin_ids: Collection[int]) -> None:
    """Lock bins in id order, after balances: so that two do not fill the same room."""
    statement = "SELECT id FROM inventory_bin WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE"
    run(statement, [list(bin_ids)])
