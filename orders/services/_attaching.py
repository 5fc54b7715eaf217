"""Notes on new lines what few of them have: what becomes of what is short."""

from collections.abc import Sequence

from erp.kernel.sql import run
from orders.models import OrderLine
from orders.services._drafting import LineDraft, OrderDraft

DISPOSE = """
    UPDATE orders_orderline l SET disposition = d.disposition
    FROM unnest(%(orders)s::bigint[], %(positions)s::int[], %(dispositions)s::text[])
        AS d (order_id, position, disposition)
    WHERE l.order_id = d.order_id AND l.position = d.position
"""

Attached = tuple[int, OrderDraft, Sequence[LineDraft]]


def attach(made: Sequence[Attached]) -> None:
    """Write what lines of new orders have beyond their price. No statement where none has."""
    found = [
        (order_id, position, said)
        for order_id, draft, lines in made
        for position, line in enumerate(lines, 1)
        if (said := line.disposition or draft.disposition)
        and said != OrderLine.Disposition.BACKORDER
    ]
    if found:
        run(
            DISPOSE,
            {
                "orders": [each[0] for each in found],
                "positions": [each[1] for each in found],
                "dispositions": [each[2] for each in found],
            },
        )
