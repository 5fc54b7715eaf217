"""How late suppliers come, as procurement measured it."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import transaction

from erp.kernel.sql import run
from inventory.rules.promising import quantiles

TELL = """
    INSERT INTO inventory_supplierpace AS kept (supplier_id, p50_days, p90_days, samples, told_at)
    SELECT t.*, %(now)s
    FROM unnest(%(suppliers)s::bigint[], %(p50)s::int[], %(p90)s::int[], %(samples)s::int[])
        AS t (supplier_id, p50_days, p90_days, samples)
    ORDER BY t.supplier_id
    ON CONFLICT (supplier_id) DO UPDATE SET p50_days = excluded.p50_days,
        p90_days = excluded.p90_days, samples = excluded.samples, told_at = excluded.told_at
    WHERE (kept.p50_days, kept.p90_days, kept.samples)
        IS DISTINCT FROM (excluded.p50_days, excluded.p90_days, excluded.samples)
"""


@transaction.atomic(savepoint=False)
def tell_paces(*, days_late: Mapping[int, Sequence[int]], now: datetime) -> int:
    """Remember how late suppliers come, out of days after the day told; return how many changed.

    By supplier id. Fewer than five deliveries are kept and not used: the policy's usual lateness
    counts. One statement.
    """
    if not days_late:
        return 0
    paces = {supplier: quantiles(days) for supplier, days in sorted(days_late.items()) if days}
    return run(
        TELL,
        {
            "now": now,
            "suppliers": list(paces),
            "p50": [pace.p50 for pace in paces.values()],
            "p90": [pace.p90 for pace in paces.values()],
            "samples": [len(days_late[supplier]) for supplier in paces],
        },
    )
