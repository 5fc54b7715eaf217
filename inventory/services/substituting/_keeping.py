"""Keeps the stock rows of other products that a run chose."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from erp.kernel.prepared import Prepared
from erp.kernel.sql import rows

KEEP = Prepared("""
    WITH piece AS (
        SELECT demand_id, stock_id, quantity
        FROM unnest(%(demands)s::bigint[], %(stocks)s::bigint[], %(quantities)s::numeric[])
            AS piece (demand_id, stock_id, quantity)
    ), balance AS (
        UPDATE inventory_stock s SET reserved = s.reserved + taken.quantity
        FROM (SELECT stock_id, sum(quantity) AS quantity FROM piece GROUP BY stock_id) taken
        WHERE s.id = taken.stock_id
    )
    INSERT INTO inventory_reservation
        (stock_id, demand_kind, demand_id, quantity, created_at, closed_as)
    SELECT stock_id, %(kind)s, demand_id, quantity, %(now)s, '' FROM piece
    RETURNING id
""")


@transaction.atomic(savepoint=False)  # it refuses nothing: nobody goes on after it failed
def keep_exchanges(
    *, kind: str, pieces: Sequence[tuple[int, int, Decimal]], now: datetime
) -> list[int]:
    """Keep (demand, stock row, quantity) of what `allocate` chose as exchanges; return their ids.

    Call it in the transaction of that run, which holds the rows' locks: each demand is new. What
    the rows have is guarded by the balances themselves.
    """
    if not pieces:
        return []
    demands, stocks, quantities = map(list, zip(*pieces, strict=True))
    params = {
        "kind": kind,
        "demands": demands,
        "stocks": stocks,
        "quantities": quantities,
        "now": now,
    }
    return [row[0] for row in rows(KEEP, params)]
