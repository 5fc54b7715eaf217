"""The ledger of promises of an order's lines."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from erp.kernel.sql import records

LINES = """
    SELECT l.id, l.position, p.code AS product, l.quantity - l.cancelled AS quantity, l.reserved,
        coalesce((SELECT sum(g.quantity) FROM inventory_peg g
                  WHERE g.demand_id = l.id AND g.demand_kind = 'orders.line'), 0) AS pegged,
        l.waiting, o.requested_date, l.first_promised_date, l.promised_date, l.promised_p90_date,
        l.promise_basis
    FROM orders_orderline l
    JOIN orders_order o ON o.id = l.order_id
    JOIN inventory_product p ON p.id = l.product_id
    WHERE l.order_id = %(order)s
    ORDER BY l.position
"""
CHANGES = """
    SELECT c.line_id, c.at, c.requested_date, c.previous_date, c.promised_date, c.p90_date, c.cause,
        c.supplies
    FROM orders_promisechange c JOIN orders_orderline l ON l.id = c.line_id
    WHERE l.order_id = %(order)s
    ORDER BY c.id
"""


@dataclass(frozen=True, slots=True)
class PromiseEntry:
    """One entry of the ledger; `previous_date` none: the first promise."""

    at: datetime
    requested_date: date
    previous_date: date | None
    promised_date: date | None
    p90_date: date | None
    cause: str
    supplies: Sequence[Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class LinePromise:
    """What is promised for one line: one time of two, nine of ten, and by which supplies."""

    position: int
    product: str
    quantity: Decimal
    reserved: Decimal
    pegged: Decimal
    waiting: Decimal
    requested_date: date
    first_promised_date: date | None
    promised_date: date | None
    promised_p90_date: date | None
    cause: str
    supplies: Sequence[Mapping[str, str]]
    changes: Collection[PromiseEntry]


def promises_of(*, order_id: int) -> list[LinePromise]:
    """Return what is promised for each line, with its ledger, the oldest first. Two queries."""
    changes: dict[int, list[PromiseEntry]] = {}
    for row in records(CHANGES, {"order": order_id}):
        line_id = row.pop("line_id")
        entry = PromiseEntry(**row | {"supplies": _json(row["supplies"])})
        changes.setdefault(line_id, []).append(entry)
    found = []
    for row in records(LINES, {"order": order_id}):
        line_id, basis = row.pop("id"), _json(row.pop("promise_basis")) or {}
        found.append(
            LinePromise(
                **row,
                cause=basis.get("cause", ""),
                supplies=basis.get("supplies", []),
                changes=changes.get(line_id, []),
            )
        )
    return found


def _json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value
