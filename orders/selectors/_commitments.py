"""What is promised to customers, and by which supply each part of it is covered."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from erp.kernel.sql import records
from orders.selectors._board import LEAVING

# By what commitments are summed: the key and the words of each.
GROUPINGS: Mapping[str, tuple[str, str]] = {
    "customer": ("cu.code", "cu.name"),
    "order": ("o.number", "cu.name"),
    "blanket": ("b.number", "cu.name"),
    "product": ("p.code", "p.name"),
    "node": ("coalesce(n.code, '')", "coalesce(n.name, '')"),
}
CODE_MAX = 60

# One row for each part of a line that one supply covers. What is overdue, or comes so late that the
# promise is after the wish, is at risk; what nothing covers stands by itself.
PARTS = """
    WITH line AS (
        SELECT l.id, l.order_id, l.product_id, l.node_id, l.position, l.waiting, l.amount,
            l.quantity, l.blanket_line_id, l.promised_date, l.promised_p90_date,
            coalesce(l.promised_date > o.requested_date, false) AS is_late
        FROM orders_order o
        JOIN orders_orderline l ON l.order_id = o.id
        WHERE o.entity_id = ANY(%(entities)s) AND o.state = ANY(%(states)s)
            AND l.quantity > l.cancelled + l.shipped
    ), covered AS (
        SELECT line.id, 'on_hand' AS cover, s.node_id, r.quantity, false AS is_overdue,
            NULL::date AS expected, ''::text AS label
        FROM line
        JOIN inventory_reservation r
            ON r.demand_id = line.id AND r.demand_kind = 'orders.line' AND r.closed_at IS NULL
        JOIN inventory_stock s ON s.id = r.stock_id
        UNION ALL
        SELECT line.id,
            CASE WHEN i.source_kind = 'inventory.transferline' THEN 'transfer' ELSE 'inbound' END,
            i.node_id, g.quantity, i.expected_date < %(today)s, i.expected_date, i.source_label
        FROM line
        JOIN inventory_peg g ON g.demand_id = line.id AND g.demand_kind = 'orders.line'
        JOIN inventory_inbound i ON i.id = g.inbound_id
    ), part AS (
        SELECT * FROM covered
        UNION ALL
        SELECT line.id, 'nothing', line.node_id, line.waiting - coalesce(g.quantity, 0), false,
            NULL, ''
        FROM line
        LEFT JOIN (
            SELECT id, sum(quantity) AS quantity FROM covered WHERE cover <> 'on_hand' GROUP BY id
        ) AS g ON g.id = line.id
        WHERE line.waiting > coalesce(g.quantity, 0)
    ), valued AS (
        SELECT line.id AS line_id, line.position, o.number, o.currency, o.requested_date,
            line.promised_date, line.promised_p90_date, cu.code AS customer, cu.name,
            p.code AS product, p.base_uom AS uom, coalesce(n.code, '') AS node,
            coalesce(b.number, '') AS blanket,
            part.cover, part.quantity, part.expected, part.label, part.is_overdue,
            line.amount * part.quantity / line.quantity AS value,
            part.cover IN ('inbound', 'transfer') AND (part.is_overdue OR line.is_late)
                AS is_at_risk, {key} AS key, {words} AS words
        FROM part
        JOIN line ON line.id = part.id
        JOIN orders_order o ON o.id = line.order_id
        JOIN orders_customer cu ON cu.id = o.customer_id
        JOIN inventory_product p ON p.id = line.product_id
        LEFT JOIN inventory_node n ON n.id = part.node_id
        LEFT JOIN orders_blanketline bl ON bl.id = line.blanket_line_id
        LEFT JOIN orders_blanket b ON b.id = bl.blanket_id
        WHERE ({by} <> 'blanket' OR b.id IS NOT NULL)
            AND (%(customer)s = '' OR cu.code = %(customer)s)
            AND (%(order)s = '' OR o.number = %(order)s)
            AND (%(blanket)s = '' OR b.number = %(blanket)s)
            AND (%(product)s = '' OR p.code = %(product)s)
            AND (%(node)s = '' OR n.code = %(node)s)
    ), chosen AS (
        SELECT * FROM valued WHERE NOT %(risky)s OR is_at_risk
    )
"""
SUMS = """
    count(DISTINCT line_id) AS lines, count(DISTINCT number) AS orders,
    round(sum(value), 2) AS value,
    coalesce(round(sum(value) FILTER (WHERE cover = 'on_hand'), 2), 0) AS on_hand,
    coalesce(round(sum(value) FILTER (WHERE cover = 'inbound'), 2), 0) AS inbound,
    coalesce(round(sum(value) FILTER (WHERE cover = 'transfer'), 2), 0) AS transfer,
    coalesce(round(sum(value) FILTER (WHERE cover = 'nothing'), 2), 0) AS nothing,
    coalesce(round(sum(value) FILTER (WHERE is_at_risk), 2), 0) AS at_risk,
    coalesce(round(sum(value) FILTER (WHERE is_overdue), 2), 0) AS overdue
"""
GROUPED = """
    SELECT key, max(words) AS name, currency, {sums}
    FROM chosen
    GROUP BY key, currency
    HAVING %(after_key)s::text IS NULL
        OR (-round(sum(value), 2), key, currency)
            > (-%(after_value)s::numeric, %(after_key)s::text, %(after_currency)s::text)
    ORDER BY round(sum(value), 2) DESC, key, currency
    LIMIT %(limit)s
"""
TOTALS = "SELECT currency, {sums} FROM chosen GROUP BY currency ORDER BY sum(value) DESC, currency"
LINES = """
    SELECT line_id, number, position, customer, name, product, uom, blanket, currency,
        requested_date, promised_date, promised_p90_date, round(sum(value), 2) AS value,
        coalesce(round(sum(value) FILTER (WHERE is_at_risk), 2), 0) AS at_risk,
        jsonb_agg(jsonb_build_object(
            'cover', cover, 'label', label, 'node', node, 'quantity', quantity::text,
            'value', round(value, 2)::text, 'expected', expected, 'is_overdue', is_overdue
        ) ORDER BY cover, expected, node, label) AS parts
    FROM chosen
    WHERE %(after_line)s::bigint IS NULL OR line_id > %(after_line)s::bigint
    GROUP BY line_id, number, position, customer, name, product, uom, blanket, currency,
        requested_date, promised_date, promised_p90_date
    ORDER BY line_id
    LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True)
class CommitmentFilters:
    """What commitments are narrowed to, by code or number; `risky` leaves what is at risk."""

    customer: str = ""
    order: str = ""
    blanket: str = ""
    product: str = ""
    node: str = ""
    risky: bool = False


@dataclass(frozen=True, slots=True)
class CommitmentSums:
    """What is promised, at the lines' prices in `currency`, by what covers it.

    `at_risk` is the part of `inbound` and `transfer` that is overdue or comes after the day the
    customer asked for.
    """

    currency: str
    lines: int
    orders: int
    value: Decimal
    on_hand: Decimal
    inbound: Decimal
    transfer: Decimal
    nothing: Decimal
    at_risk: Decimal
    overdue: Decimal


@dataclass(frozen=True, slots=True)
class Commitment(CommitmentSums):
    """The sums of one customer, order, blanket order, product or node (empty: none yet)."""

    key: str
    name: str


@dataclass(frozen=True, slots=True)
class CoverPart:
    """So much of a line, in base units, and what covers it: on_hand, inbound, transfer, nothing."""

    cover: str
    label: str
    node: str
    quantity: Decimal
    value: Decimal
    expected: date | None
    is_overdue: bool


@dataclass(frozen=True, slots=True)
class CommittedLine:
    """One open line with its parts. `value` is of the parts that were asked for."""

    line_id: int
    number: str
    position: int
    customer: str
    name: str
    product: str
    uom: str
    blanket: str
    currency: str
    requested_date: date
    promised_date: date | None
    promised_p90_date: date | None
    value: Decimal
    at_risk: Decimal
    parts: Sequence[CoverPart]


def commitments(
    *,
    by: str,
    entity_ids: Collection[int],
    today: date,
    filters: CommitmentFilters = CommitmentFilters(),
    after: str = "",
    limit: int = 100,
) -> tuple[list[Commitment], str]:
    """Return sums `by` a key of GROUPINGS, the dearest first, and where the next page begins.

    A row for each key and currency. What was ordered from no blanket order does not count by
    `blanket`. One query.
    """
    statement = _parts(by) + GROUPED.format(sums=SUMS)
    asked = _asked(entity_ids, today, filters) | _beginning(after) | {"limit": limit + 1}
    found = [Commitment(**row) for row in records(statement, asked)]
    last = found[limit - 1] if len(found) > limit else None
    return found[:limit], f"{last.value}|{last.currency}|{last.key}" if last else ""


def commitment_totals(
    *, by: str, entity_ids: Collection[int], today: date, filters: CommitmentFilters
) -> list[CommitmentSums]:
    """Return the sums of all that `commitments` pages through, by currency. One query."""
    statement = _parts(by) + TOTALS.format(sums=SUMS)
    return [CommitmentSums(**r) for r in records(statement, _asked(entity_ids, today, filters))]


def committed_lines(
    *,
    entity_ids: Collection[int],
    today: date,
    filters: CommitmentFilters = CommitmentFilters(),
    after: int | None = None,
    limit: int = 100,
) -> list[CommittedLine]:
    """Return open lines with what covers each part, by id, those after `after`. One query."""
    asked = _asked(entity_ids, today, filters) | {"after_line": after, "limit": limit}
    found = records(_parts("order") + LINES, asked)
    return [CommittedLine(**row | {"parts": _covers(row["parts"])}) for row in found]


def _parts(by: str) -> str:
    key, words = GROUPINGS[by]
    return PARTS.format(key=key, words=words, by=f"'{by}'")


def _asked(entity_ids: Collection[int], today: date, filters: CommitmentFilters) -> dict[str, Any]:
    names = ("customer", "order", "blanket", "product", "node")
    return {
        "entities": sorted(entity_ids),
        "states": list(LEAVING),
        "today": today,
        "risky": filters.risky,
        **{name: getattr(filters, name).replace("\0", "")[:CODE_MAX] for name in names},
    }


def _beginning(after: str) -> dict[str, Any]:
    value, _bar, rest = after.partition("|")
    currency, bar, key = rest.partition("|")
    plain = value.removeprefix("-").replace(".", "", 1)
    if not (bar and plain.isascii() and plain.isdecimal() and len(plain) <= 20):  # noqa: PLR2004
        return {"after_value": None, "after_currency": None, "after_key": None}
    return {
        "after_value": Decimal(value),
        "after_currency": currency.replace("\0", ""),
        "after_key": key.replace("\0", "")[:CODE_MAX],
    }


def _covers(found: Any) -> list[CoverPart]:
    parts = json.loads(found) if isinstance(found, str) else found
    return [
        CoverPart(
            cover=each["cover"],
            label=each["label"],
            node=each["node"],
            quantity=Decimal(each["quantity"]),
            value=Decimal(each["value"]),
            expected=date.fromisoformat(each["expected"]) if each["expected"] else None,
            is_overdue=each["is_overdue"],
        )
        for each in parts
    ]
