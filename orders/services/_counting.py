"""Counts what orders take of quotes and blanket orders, anew whenever an order changes."""

from collections.abc import Collection
from decimal import Decimal
from typing import ClassVar

from erp.kernel.errors import DomainError
from erp.kernel.sql import rows, run
from erp.kernel.states import move
from orders.models import Quote
from orders.rules import PART_OF

# Of a line its worth counts like its quantity: without what was cancelled.
WORTH = "l.amount - " + PART_OF.format(amount="l.amount", done="l.cancelled", quantity="l.quantity")

NAMED = """
    SELECT DISTINCT {name} FROM (
        SELECT {name} FROM orders_orderline WHERE order_id = ANY(%(orders)s)
        UNION SELECT {name} FROM orders_kitline WHERE order_id = ANY(%(orders)s)
    ) AS l
    WHERE {name} IS NOT NULL
"""

LOCK = "SELECT id FROM {table} WHERE id = ANY(%(ids)s) ORDER BY id FOR NO KEY UPDATE"

# A statement of its own: what it sums is seen after the locks are held.
TAKEN = f"""
    SELECT a.id, a.{{limits}}, coalesce(sum(l.taken), 0), coalesce(sum(l.worth), 0)
    FROM {{table}} a
    LEFT JOIN (
        SELECT {{name}}, quantity - cancelled AS taken, {WORTH} AS worth FROM orders_orderline l
        WHERE {{name}} = ANY(%(ids)s)
        UNION ALL
        SELECT {{name}}, quantity - cancelled, {WORTH} FROM orders_kitline l
        WHERE {{name}} = ANY(%(ids)s)
    ) AS l ON l.{{name}} = a.id
    WHERE a.id = ANY(%(ids)s)
    GROUP BY a.id ORDER BY a.id
"""  # noqa: S608  the parts are our own

QUOTED = """
    UPDATE orders_quoteline q SET ordered = taken.quantity
    FROM unnest(%(ids)s::bigint[], %(quantities)s::numeric[]) AS taken (id, quantity)
    WHERE q.id = taken.id
"""

USED_UP = """
    SELECT quote_id, bool_and(ordered = quantity) FROM orders_quoteline
    WHERE quote_id IN (SELECT quote_id FROM orders_quoteline WHERE id = ANY(%(ids)s))
    GROUP BY quote_id
"""

CALLED = """
    UPDATE orders_blanketline b SET called = taken.quantity, called_value = taken.worth
    FROM unnest(%(ids)s::bigint[], %(quantities)s::numeric[], %(worths)s::numeric[])
        AS taken (id, quantity, worth)
    WHERE b.id = taken.id
"""


class MoreThanAgreed(DomainError):
    """An order would take more than was quoted, or committed in a blanket order."""

    code: ClassVar[str] = "more_than_agreed"


def count_agreed(order_ids: Collection[int]) -> None:
    """Count what these orders' quotes and blanket orders are used up by.

    Locks their lines in id order, after the accounts and orders.

    Raises:
        MoreThanAgreed: there is not so much left.
    """
    count_lines(agreed_lines(*order_ids))


def agreed_lines(*order_ids: int) -> tuple[set[int], set[int]]:
    """Return the lines of quotes, and of blanket orders, that these orders take of."""
    quoted, called = (
        {row[0] for row in rows(NAMED.format(name=name), {"orders": list(order_ids)})}
        for name in ("quote_line_id", "blanket_line_id")
    )
    return quoted, called


def count_lines(*agreed: tuple[set[int], set[int]]) -> None:
    """Count what orders took of these lines; see `count_agreed`.

    Raises:
        MoreThanAgreed: there is not so much left.
    """
    count_quoted(set[int]().union(*(quoted for quoted, _ in agreed)))
    count_called(set[int]().union(*(called for _, called in agreed)))


def count_quoted(line_ids: Collection[int]) -> None:
    """Count what orders took of these lines of quotes; a quote follows its lines.

    Raises:
        MoreThanAgreed: they took more than was quoted.
    """
    if not line_ids:
        return
    ids = sorted(line_ids)
    rows(LOCK.format(table="orders_quoteline"), {"ids": ids})
    limits = "position, a.quantity"
    statement = TAKEN.format(table="orders_quoteline", name="quote_line_id", limits=limits)
    found = rows(statement, {"ids": ids})
    for _, position, quantity, taken, _ in found:
        if taken > quantity:
            said = f"Line {position} was quoted for {_plain(quantity)} in all."
            raise MoreThanAgreed(f"{said} {_plain(taken - quantity)} more is too much.")
    run(QUOTED, {"ids": [row[0] for row in found], "quantities": [row[3] for row in found]})
    used = dict(rows(USED_UP, {"ids": ids}))
    move(Quote, "order_all", [quote for quote, is_used in used.items() if is_used])
    move(Quote, "reopen", [quote for quote, is_used in used.items() if not is_used])


def count_called(line_ids: Collection[int]) -> None:
    """Count what orders took of these lines of blanket orders.

    Raises:
        MoreThanAgreed: they took more than is committed and tolerated.
    """
    if not line_ids:
        return
    ids = sorted(line_ids)
    rows(LOCK.format(table="orders_blanketline"), {"ids": ids})
    limits = "position, a.quantity, a.value, a.tolerance"
    statement = TAKEN.format(table="orders_blanketline", name="blanket_line_id", limits=limits)
    found = rows(statement, {"ids": ids})
    for _, position, quantity, value, tolerance, taken, worth in found:
        over = [
            limit
            for limit, reached in ((quantity, taken), (value, worth))
            if limit is not None and reached > limit * (1 + tolerance)
        ]
        if over:
            said = f"Line {position} commits {_plain(over[0])}, and {tolerance:.2%} more at most."
            raise MoreThanAgreed(said)
    run(
        CALLED,
        {
            "ids": [row[0] for row in found],
            "quantities": [row[5] for row in found],
            "worths": [row[6] for row in found],
        },
    )


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"
