"""Keeps stock at the origin for transfers."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from erp.kernel.sql import rows
from inventory.models import Transfer
from inventory.services._allocating import Demand, allocate
from inventory.services.transferring._telling import LINE

PRIORITY = 60  # after customers of the ordinary classes, before those who come now and then

MISSING = """
    SELECT l.id, l.transfer_id, l.product_id, l.quantity - coalesce(sum(r.quantity), 0)
    FROM inventory_transferline l
    LEFT JOIN inventory_reservation r
        ON r.demand_id = l.id AND r.demand_kind = %(kind)s AND r.closed_at IS NULL
    WHERE l.transfer_id = ANY(%(transfers)s)
    GROUP BY l.id
    HAVING l.quantity > coalesce(sum(r.quantity), 0)
    ORDER BY l.id
"""


def keep_for(transfers: Sequence[Transfer], now: datetime) -> None:
    """Reserve at the origin what approved transfers still lack, as far as it is there.

    The caller holds the transfers' locks. Locks the stock rows of the products in id order.
    """
    by_id = {each.pk: each for each in transfers if each.state == Transfer.State.APPROVED}
    missing = rows(MISSING, {"kind": LINE, "transfers": list(by_id)}) if by_id else []
    demands = [
        Demand(
            kind=LINE,
            id=line_id,
            entity_id=by_id[transfer_id].entity_id,
            product_id=product_id,
            quantity=Decimal(quantity),
            node_id=by_id[transfer_id].origin_id,
            priority=PRIORITY,
            due=by_id[transfer_id].expected_date,
            group_id=transfer_id,
            label=by_id[transfer_id].number,
        )
        for line_id, transfer_id, product_id, quantity in missing
    ]
    allocate(
        demands=demands,
        cause="Transfer",
        policy_version="",
        now=now,
        only_nodes={line[0]: [by_id[line[1]].origin_id] for line in missing},
    )
