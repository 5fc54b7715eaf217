"""Moves what is reserved from line to line, all pieces at once."""

from collections.abc import Mapping
from datetime import datetime

from erp.kernel.sql import run

# Lines of planned shipments that hold what is lost go: what is left is planned anew.
UNPLAN = """
    DELETE FROM inventory_shipmentline l
    USING inventory_shipment sh,
        unnest(%(demands)s::bigint[], %(stocks)s::bigint[]) AS d (demand_id, stock_id)
    WHERE sh.id = l.shipment_id AND sh.state = 'planned' AND l.demand_kind = %(kind)s
        AND l.demand_id = d.demand_id AND l.stock_id = d.stock_id
"""
LOSE = """
    UPDATE inventory_reservation r
    SET quantity = CASE WHEN r.quantity > d.steps * 0.001 THEN r.quantity - d.steps * 0.001
            ELSE r.quantity END,
        closed_at = CASE WHEN r.quantity > d.steps * 0.001 THEN NULL ELSE %(now)s::timestamptz END,
        closed_as = CASE WHEN r.quantity > d.steps * 0.001 THEN '' ELSE 'released' END
    FROM unnest(%(demands)s::bigint[], %(stocks)s::bigint[], %(steps)s::bigint[])
        AS d (demand_id, stock_id, steps)
    WHERE r.demand_kind = %(kind)s AND r.demand_id = d.demand_id AND r.stock_id = d.stock_id
        AND r.closed_at IS NULL
"""
GAIN = """
    INSERT INTO inventory_reservation AS r
        (stock_id, demand_kind, demand_id, quantity, created_at, closed_as)
    SELECT d.stock_id, %(kind)s, d.demand_id, d.steps * 0.001, %(now)s, ''
    FROM unnest(%(demands)s::bigint[], %(stocks)s::bigint[], %(steps)s::bigint[])
        AS d (demand_id, stock_id, steps)
    ON CONFLICT (demand_id, demand_kind, stock_id) WHERE closed_at IS NULL
        DO UPDATE SET quantity = r.quantity + excluded.quantity
"""
BALANCE = """
    UPDATE inventory_stock s SET reserved = s.reserved + d.steps * 0.001
    FROM (
        SELECT stock_id, sum(steps) AS steps
        FROM unnest(%(stocks)s::bigint[], %(steps)s::bigint[]) AS d (stock_id, steps)
        GROUP BY stock_id
    ) AS d
    WHERE s.id = d.stock_id AND d.steps <> 0
"""


def move_pieces(kind: str, deltas: Mapping[tuple[int, int], int], now: datetime) -> None:
    """Let each line hold so many steps more of each stock row (less, below zero).

    Four statements at most, however many pieces. The stock rows and the lines' shipments are
    locked.
    """
    lost = {pair: -steps for pair, steps in deltas.items() if steps < 0}
    gained = {pair: steps for pair, steps in deltas.items() if steps > 0}
    if lost:
        params = {"kind": kind, "now": now, **_columns(lost)}
        run(UNPLAN, params)
        run(LOSE, params)
    if gained:
        run(GAIN, {"kind": kind, "now": now, **_columns(gained)})
    if deltas:
        run(BALANCE, _columns(deltas))


def _columns(steps: Mapping[tuple[int, int], int]) -> dict[str, list[int]]:
    pairs = list(steps)
    return {
        "demands": [demand for demand, _ in pairs],
        "stocks": [stock for _, stock in pairs],
        "steps": list(steps.values()),
    }
