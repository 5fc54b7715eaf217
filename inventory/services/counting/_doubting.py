"""Has counted what a bin was found not to hold."""

from datetime import datetime

from django.db import transaction

from erp.kernel.sql import rows
from inventory.models import Count
from inventory.services.counting._planning import NothingToCount, plan_count

# The goods in every status: what was set aside may turn up in the bin after all.
GOODS = """
    SELECT t.id, s.entity_id, s.node_id
    FROM inventory_stock s
    JOIN inventory_stock t ON t.product_id = s.product_id AND t.node_id = s.node_id
        AND t.entity_id = s.entity_id AND t.lot_id IS NOT DISTINCT FROM s.lot_id
        AND t.status <> 'in_transit' AND (t.on_hand > 0 OR t.id = s.id)
    WHERE s.id = %s
    ORDER BY t.id
"""


@transaction.atomic
def count_what_was_missed(*, stock_id: int, cause: str, now: datetime) -> Count | None:
    """Make a sheet of the goods that a bin was short of, in every status they lie in.

    Goods that stand on an open sheet already are being counted: then nothing is made, so asking
    again changes nothing.

    Publishes:
        CountPlanned
    """
    found = rows(GOODS, [stock_id])
    if not found:
        return None
    _, entity_id, node_id = found[0]
    try:
        with transaction.atomic():
            return plan_count(
                entity_id=entity_id,
                node_id=node_id,
                stock_ids=[row[0] for row in found],
                cause=cause,
                actor=None,
                now=now,
            )
    except NothingToCount:
        return None
