"""Notes on new lines what few of them have: what becomes of a shortage, what they take of."""

from collections.abc import Mapping, Sequence
from typing import Any

from erp.kernel.sql import run
from orders.models import OrderLine
from orders.services._counting import count_agreed
from orders.services._drafting import LineDraft, OrderDraft

DISPOSE = """
    UPDATE orders_orderline l SET disposition = d.disposition
    FROM unnest(%(orders)s::bigint[], %(positions)s::int[], %(dispositions)s::text[])
        AS d (order_id, position, disposition)
    WHERE l.order_id = d.order_id AND l.position = d.position
"""

TAKE_OF = """
    UPDATE orders_orderline l
    SET quote_line_id = d.quote_line_id, blanket_line_id = d.blanket_line_id
    FROM unnest(
        %(orders)s::bigint[], %(positions)s::int[], %(quotes)s::bigint[], %(blankets)s::bigint[]
    ) AS d (order_id, position, quote_line_id, blanket_line_id)
    WHERE l.order_id = d.order_id AND l.position = d.position
"""

Attached = tuple[int, OrderDraft, Sequence[LineDraft]]


def attach(made: Sequence[Attached]) -> None:
    """Write what lines of new orders have beyond their price. No statement where none has.

    Raises:
        MoreThanAgreed: they take more of a quote or blanket order than is left.
    """
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
    _take_of(made)


def _take_of(made: Sequence[Attached]) -> None:
    found = [
        (order_id, position, *agreed_of(line.price_basis))
        for order_id, _, lines in made
        for position, line in enumerate(lines, 1)
        if any(agreed_of(line.price_basis))
    ]
    if found:
        orders, positions, quotes, blankets = (list(column) for column in zip(*found, strict=True))
        params = {"orders": orders, "positions": positions, "quotes": quotes, "blankets": blankets}
        run(TAKE_OF, params)
        count_agreed(set(orders))


def agreed_of(basis: Mapping[str, Any]) -> tuple[int | None, int | None]:
    """Return the line of a quote and of a blanket order that a price comes from, if of one."""
    return basis.get("quote_line"), basis.get("blanket_line")
