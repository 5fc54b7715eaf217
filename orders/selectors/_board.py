"""The list of orders: filtered, searched, page by page."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from erp.kernel.sql import records, rows

# What a chip stands for: the states in which an order is at that stage.
STAGES: Mapping[str, Sequence[str]] = {
    "open": (
        "draft", "submitted", "held", "released", "allocated", "partly_allocated", "backordered",
        "fulfilling", "partly_shipped",
    ),
    "draft": ("draft",),
    "held": ("submitted", "held"),
    "waiting": ("released", "partly_allocated", "backordered"),
    "allocated": ("allocated",),
    "fulfilling": ("fulfilling", "partly_shipped"),
    "shipped": ("shipped",),
    "invoiced": ("invoiced",),
    "closed": ("closed",),
    "cancelled": ("cancelled",),
}  # fmt: skip
LEAVING = (
    "released", "allocated", "partly_allocated", "backordered", "fulfilling", "partly_shipped",
)  # fmt: skip
SORTS = {
    "-number": ("o.id", "DESC", "bigint"),
    "number": ("o.id", "ASC", "bigint"),
    "requested": ("o.requested_date", "ASC", "date"),
    "-requested": ("o.requested_date", "DESC", "date"),
    "total": ("o.total", "ASC", "numeric"),
    "-total": ("o.total", "DESC", "numeric"),
}
COUNTED_MAX = 10_000


@dataclass(frozen=True, slots=True)
class BoardFilters:
    """What the list is narrowed to. `stage` is a key of STAGES, empty for all orders.

    `late` keeps those past what was promised (or else requested) on that day and not gone;
    `text` finds numbers, customers' order numbers and the beginning of customers' names and codes.
    """

    stage: str = ""
    text: str = ""
    customer: str = ""
    author_id: int | None = None
    late_on: date | None = None
    sort: str = "-number"


@dataclass(frozen=True, slots=True)
class BoardRow:
    """One order in the list. `secured` is the share (0 to 1) reserved or gone."""

    id: int
    number: str
    state: str
    entity: str
    customer: str
    customer_code: str
    customer_po: str
    class_code: str
    channel: str
    lines: int
    secured: Decimal
    holds: str
    requested_date: date
    promised_date: date | None
    total: Decimal
    currency: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class BoardPage:
    """One page of the list; `after` leads to the next, empty where there is none."""

    rows: list[BoardRow]
    after: str


@dataclass(frozen=True, slots=True)
class BoardTotals:
    """How many orders there are in all, up to COUNTED_MAX, and what they come to by currency."""

    count: int
    is_more: bool
    amounts: Mapping[str, Decimal]


PAGE = """
    WITH chosen AS MATERIALIZED (
        SELECT o.id, {key} AS sort_key FROM orders_order o {join}
        WHERE {where} {beyond}
        ORDER BY {key} {way}, o.id {way}
        LIMIT %(limit)s
    )
    SELECT o.id, o.number, o.state, e.code AS entity, c.name AS customer,
           c.code AS customer_code, o.customer_po, o.class_code, o.channel, l.lines, l.secured,
           coalesce((SELECT string_agg(h.kind, ', ' ORDER BY h.kind) FROM orders_hold h
                     WHERE h.order_id = o.id AND h.state = 'active'), '') AS holds,
           o.requested_date, o.promised_date, o.total, o.currency, o.created_at,
           chosen.sort_key::text
    FROM chosen
    JOIN orders_order o ON o.id = chosen.id
    JOIN orders_customer c ON c.id = o.customer_id
    JOIN accounts_entity e ON e.id = o.entity_id
    CROSS JOIN LATERAL (
        SELECT count(*) AS lines,
               coalesce(round(sum(l.reserved + l.shipped)
                              / nullif(sum(l.quantity - l.cancelled), 0), 4), 0) AS secured
        FROM orders_orderline l WHERE l.order_id = o.id
    ) AS l
    ORDER BY chosen.sort_key {way}, o.id {way}
"""

TOTALS = """
    SELECT currency, count(*), sum(total)
    FROM (SELECT o.currency, o.total FROM orders_order o {join}
          WHERE {where} LIMIT %(limit)s) AS o
    GROUP BY currency ORDER BY currency
"""


def order_board(
    *, entity_ids: Collection[int], filters: BoardFilters, after: str = "", limit: int = 100
) -> BoardPage:
    """Return one page of the orders in `entity_ids`. One query, as quick at depth as at the top.

    A cursor that is not one of this list's begins at the top.
    """
    key, way, kind = SORTS.get(filters.sort, SORTS["-number"])
    join, where, params = _where(entity_ids, filters)
    cursor = _cursor(after)
    beyond = ""
    if cursor is not None:
        sign = "<" if way == "DESC" else ">"
        beyond = f"AND ({key}, o.id) {sign} (%(key)s::{kind}, %(id)s)"
        params |= {"key": cursor[0], "id": cursor[1]}
    statement = PAGE.format(key=key, way=way, join=join, where=where, beyond=beyond)
    found = records(statement, params | {"limit": limit + 1})
    keys = [each.pop("sort_key") for each in found]
    page = [BoardRow(**each) for each in found[:limit]]
    following = json.dumps([keys[limit - 1], page[-1].id]) if len(found) > limit else ""
    return BoardPage(page, following)


def board_totals(*, entity_ids: Collection[int], filters: BoardFilters) -> BoardTotals:
    """Return the count and amounts of the whole list, as far as COUNTED_MAX orders. One query."""
    join, where, params = _where(entity_ids, filters)
    statement = TOTALS.format(join=join, where=where)
    found = rows(statement, params | {"limit": COUNTED_MAX + 1})
    count = sum(row[1] for row in found)
    return BoardTotals(
        count=min(count, COUNTED_MAX),
        is_more=count > COUNTED_MAX,
        amounts={row[0]: row[2] for row in found},
    )


def _where(entity_ids: Collection[int], filters: BoardFilters) -> tuple[str, str, dict[str, Any]]:
    join, params = "", {"entities": sorted(entity_ids)}
    terms = ["o.entity_id = ANY(%(entities)s)"]
    named: dict[str, Any] = {}
    if filters.stage in STAGES:
        # Spelled out, so that the planner sees that the partial index of open orders answers.
        states = ", ".join(f"'{state}'" for state in STAGES[filters.stage])
        terms.append(f"o.state IN ({states})")
        if not {"closed", "cancelled", "invoiced"} & set(STAGES[filters.stage]):
            terms.append("o.state NOT IN ('closed', 'cancelled', 'invoiced')")
    if filters.author_id is not None:
        terms.append("o.created_by_id = %(author)s")
        named["author"] = filters.author_id
    if filters.late_on is not None:
        terms.append(
            "o.state = ANY(%(leaving)s)"
            " AND coalesce(o.promised_date, o.requested_date) < %(late_on)s"
        )
        named |= {"leaving": list(LEAVING), "late_on": filters.late_on}
    if filters.customer or filters.text:
        join = "JOIN orders_customer c ON c.id = o.customer_id"
    if filters.customer:
        terms.append("c.code = %(customer)s")
        named["customer"] = filters.customer
    if filters.text:
        terms.append(
            "(o.number LIKE %(starts)s OR o.number LIKE %(digits)s OR o.customer_po = %(text)s"
            " OR upper(c.name) LIKE %(starts)s OR upper(c.code) LIKE %(starts)s)"
        )
        text = " ".join(filters.text.replace("\0", " ").split())[:80]
        plain = text.upper().replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
        named |= {"text": text, "starts": f"{plain}%"}
        named["digits"] = f"SO-{plain}%" if text.isdigit() else plain
    return join, " AND ".join(terms), params | named


def _cursor(text: str) -> tuple[str, int] | None:
    try:
        key, order_id = json.loads(text)
    except (ValueError, TypeError):
        return None
    if not isinstance(key, str) or not isinstance(order_id, int) or "\0" in key:
        return None
    return key[:40], order_id
