"""Blanket orders: the list, one with its lines and call-offs, and how fast it is used up."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import F, QuerySet

from erp.kernel.sql import records
from orders.models import Blanket

NEWEST = 2**63 - 1
ENDING_DAYS = 30  # an agreement that ends within so many days stands out
NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class BlanketRow:
    """One agreement in the list.

    `called` is the share (0 to 1) of what is committed, `passed` that of its days; `failed` counts
    call-offs that could not be made.
    """

    id: int
    number: str
    state: str
    entity: str
    customer: str
    customer_code: str
    customer_po: str
    valid_from: date
    valid_until: date
    currency: str
    called: Decimal
    passed: Decimal
    days_left: int
    failed: int

    @property
    def is_ending(self) -> bool:
        return self.state == "active" and self.days_left <= ENDING_DAYS and self.called < 1


@dataclass(frozen=True, slots=True)
class BlanketLineRow:
    """One line; quantities in the base unit `uom`, money in the agreement's currency.

    `tolerance` is a share: so much more than is committed may be called off. `planned` is what
    call-offs that are not made yet will take.
    """

    id: int
    position: int
    product: str
    name: str
    uom: str
    quantity: Decimal | None
    value: Decimal | None
    unit_price: Decimal | None
    tolerance: Decimal
    called: Decimal
    called_value: Decimal
    planned: Decimal

    @property
    def left(self) -> Decimal | None:
        """What of the committed quantity is not called off yet; none where none is committed."""
        return None if self.quantity is None else max(self.quantity - self.called, NOTHING)

    @property
    def left_value(self) -> Decimal | None:
        return None if self.value is None else max(self.value - self.called_value, NOTHING)

    @property
    def share(self) -> Decimal:
        """What is called off of what is committed, the further one of quantity and value."""
        shares = [
            done / all_of
            for done, all_of in ((self.called, self.quantity), (self.called_value, self.value))
            if all_of
        ]
        return max(shares, default=NOTHING)


@dataclass(frozen=True, slots=True)
class CallOffRow:
    """One delivery that was planned, and the order it became or why it could not."""

    id: int
    line: int
    product: str
    uom: str
    quantity: Decimal
    order_date: date
    due_date: date
    state: str
    order: str
    failure: str


@dataclass(frozen=True, slots=True)
class BlanketPage:
    """One agreement with all that its page shows. `today` is its entity's business date."""

    id: int
    number: str
    state: str
    entity_id: int
    entity: str
    customer_id: int
    customer: str
    customer_code: str
    customer_po: str
    currency: str
    valid_from: date
    valid_until: date
    today: date
    ship_to: Mapping[str, str]
    created_at: datetime
    created_by: str
    activated_at: datetime | None
    ended_at: datetime | None
    end_reason: str
    lines: list[BlanketLineRow]
    call_offs: list[CallOffRow]
    orders: list[dict[str, Any]]

    @property
    def thread(self) -> str:
        return f"orders.blanket:{self.id}"

    @property
    def may_be_called(self) -> bool:
        return self.state == "active" and self.valid_from <= self.today <= self.valid_until

    @property
    def days_left(self) -> int:
        """How many days it holds after today; negative once its period is over."""
        return (self.valid_until - self.today).days

    @property
    def passed(self) -> Decimal:
        """The share (0 to 1) of its days that are over."""
        days = (self.valid_until - self.valid_from).days + 1
        gone = (self.today - self.valid_from).days
        return min(max(Decimal(gone) / days, NOTHING), Decimal(1))

    @property
    def called(self) -> Decimal:
        """The share (0 to 1) of what is committed that was called off, every line alike."""
        shares = [min(line.share, Decimal(1)) for line in self.lines]
        return sum(shares, NOTHING) / len(shares) if shares else NOTHING

    @property
    def is_ending(self) -> bool:
        return self.state == "active" and self.days_left <= ENDING_DAYS and self.called < 1


TODAY = "(%(now)s::timestamptz AT TIME ZONE e.time_zone)::date"

BOARD = f"""
    SELECT b.id, b.number, b.state, e.code AS entity, c.name AS customer, c.code AS customer_code,
           b.customer_po, b.valid_from, b.valid_until, b.currency,
           coalesce((
               SELECT round(avg(least(greatest(
                   coalesce(l.called / l.quantity, 0), coalesce(l.called_value / l.value, 0)
               ), 1)), 4)
               FROM orders_blanketline l WHERE l.blanket_id = b.id), 0) AS called,
           round(least(greatest(({TODAY} - b.valid_from)::numeric
               / (b.valid_until - b.valid_from + 1), 0), 1), 4) AS passed,
           b.valid_until - {TODAY} AS days_left,
           (SELECT count(*) FROM orders_calloff f JOIN orders_blanketline l ON l.id = f.line_id
            WHERE l.blanket_id = b.id AND f.state = 'failed') AS failed
    FROM orders_blanket b
    JOIN orders_customer c ON c.id = b.customer_id
    JOIN accounts_entity e ON e.id = b.entity_id
    WHERE b.entity_id = ANY(%(entities)s) AND b.id < %(after)s
      AND CASE %(state)s WHEN '' THEN true
          WHEN 'ending' THEN b.state = 'active'
               AND b.valid_until <= {TODAY} + {ENDING_DAYS}
          ELSE b.state = %(state)s END
      AND (%(text)s = '' OR b.number LIKE %(starts)s OR b.customer_po = %(text)s
           OR upper(c.name) LIKE %(starts)s OR upper(c.code) LIKE %(starts)s)
    ORDER BY b.id DESC LIMIT %(limit)s
"""  # noqa: S608  the parts are our own

HEAD = f"""
    SELECT b.id, b.number, b.state, b.entity_id, e.code AS entity, b.customer_id,
           c.name AS customer, c.code AS customer_code, b.customer_po, b.currency, b.valid_from,
           b.valid_until, {TODAY} AS today, b.ship_to, b.created_at,
           coalesce(nullif(trim(u.first_name || ' ' || u.last_name), ''), u.username, '')
               AS created_by,
           b.activated_at, b.ended_at, b.end_reason
    FROM orders_blanket b
    JOIN orders_customer c ON c.id = b.customer_id
    JOIN accounts_entity e ON e.id = b.entity_id
    LEFT JOIN accounts_user u ON u.id = b.created_by_id
    WHERE b.number = %(number)s AND b.entity_id = ANY(%(entities)s)
"""  # noqa: S608  the parts are our own

LINES = """
    SELECT l.id, l.position, p.code AS product, p.name, p.base_uom AS uom, l.quantity, l.value,
           l.unit_price, l.tolerance, l.called, l.called_value,
           coalesce((SELECT sum(c.quantity) FROM orders_calloff c
                     WHERE c.line_id = l.id AND c.state = 'planned'), 0) AS planned
    FROM orders_blanketline l JOIN inventory_product p ON p.id = l.product_id
    WHERE l.blanket_id = %(blanket)s ORDER BY l.position
"""

CALL_OFFS = """
    SELECT c.id, l.position AS line, p.code AS product, p.base_uom AS uom, c.quantity, c.order_date,
           c.due_date, c.state, coalesce(o.number, '') AS order, c.failure
    FROM orders_calloff c
    JOIN orders_blanketline l ON l.id = c.line_id
    JOIN inventory_product p ON p.id = l.product_id
    LEFT JOIN orders_order o ON o.id = c.order_id
    WHERE l.blanket_id = %(blanket)s
    ORDER BY c.state = 'failed' DESC, c.due_date, c.id LIMIT %(limit)s
"""

ORDERS = """
    SELECT o.id, o.number, o.state, o.total, o.currency, o.requested_date, o.promised_date,
           o.created_at, sum(l.quantity - l.cancelled) AS quantity
    FROM (
        SELECT l.order_id, l.quantity, l.cancelled FROM orders_orderline l
        JOIN orders_blanketline b ON b.id = l.blanket_line_id WHERE b.blanket_id = %(blanket)s
        UNION ALL
        SELECT k.order_id, k.quantity, k.cancelled FROM orders_kitline k
        JOIN orders_blanketline b ON b.id = k.blanket_line_id WHERE b.blanket_id = %(blanket)s
    ) AS l
    JOIN orders_order o ON o.id = l.order_id
    GROUP BY o.id ORDER BY o.id DESC LIMIT %(limit)s
"""

PACE = """
    SELECT date_trunc('day', o.created_at AT TIME ZONE e.time_zone)::date AS day,
           sum((l.quantity - l.cancelled) / b.quantity) / %(lines)s AS share
    FROM (
        SELECT order_id, blanket_line_id, quantity, cancelled FROM orders_orderline
        WHERE blanket_line_id = ANY(%(ids)s)
        UNION ALL
        SELECT order_id, blanket_line_id, quantity, cancelled FROM orders_kitline
        WHERE blanket_line_id = ANY(%(ids)s)
    ) AS l
    JOIN orders_blanketline b ON b.id = l.blanket_line_id AND b.quantity > 0
    JOIN orders_order o ON o.id = l.order_id
    JOIN accounts_entity e ON e.id = o.entity_id
    GROUP BY 1 ORDER BY 1
"""


def blanket_board(
    *,
    entity_ids: Collection[int],
    now: datetime,
    state: str = "",
    text: str = "",
    after: str = "",
    limit: int,
) -> tuple[list[BlanketRow], str]:
    """Return a page of agreements, the newest first, and the cursor of what follows (or empty).

    State `ending`: active ones whose last day is within thirty.
    """
    text = " ".join(text.replace("\0", " ").split())[:80]
    plain = text.upper().replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
    params = {
        "entities": sorted(entity_ids),
        "now": now,
        "state": state,
        "text": text,
        "starts": f"{plain}%",
        "after": int(after) if after.isdecimal() and len(after) < len(str(NEWEST)) else NEWEST,
        "limit": limit + 1,
    }
    found = [BlanketRow(**row) for row in records(BOARD, params)]
    return found[:limit], str(found[limit - 1].id) if len(found) > limit else ""


def blanket_page(
    *, number: str, entity_ids: Collection[int], now: datetime, limit: int = 200
) -> BlanketPage | None:
    """Return the agreement of that number if it is one of `entity_ids`'; four queries.

    Of its call-offs (failed ones first) and orders (newest first) at most `limit`.
    """
    if "\0" in number:
        return None
    asked = {"number": number, "entities": sorted(entity_ids), "now": now}
    found = records(HEAD, asked)
    if not found:
        return None
    head = found[0] | {"ship_to": json.loads(found[0]["ship_to"])}
    of = {"blanket": head["id"], "limit": limit}
    return BlanketPage(
        **head,
        lines=[BlanketLineRow(**row) for row in records(LINES, of)],
        call_offs=[CallOffRow(**row) for row in records(CALL_OFFS, of)],
        orders=records(ORDERS, of),
    )


def blanket_pace(*, page: BlanketPage) -> list[tuple[date, Decimal]]:
    """Return the days on which orders took of committed quantities, with the share so far (0 to 1).

    Each line counts alike; lines that commit a value alone are left out.
    """
    ids = [line.id for line in page.lines if line.quantity]
    taken, pace = NOTHING, []
    for row in records(PACE, {"ids": ids, "lines": len(ids) or 1}):
        taken += row["share"]
        pace.append((row["day"], taken))
    return pace


def blanket_list(*, entity_ids: Collection[int]) -> QuerySet[Any, Any]:
    """Return the agreements of these entities as plain rows, for the API to narrow and page."""
    return (
        Blanket.objects.filter(entity_id__in=entity_ids)
        .values(
            "id", "number", "state", "customer_po", "currency", "valid_from", "valid_until",
            "created_at", entity_code=F("entity__code"), customer_code=F("customer__code"),
        )
        .order_by("-id")
    )  # fmt: skip


def blankets_of_order(*, order_id: int) -> list[dict[str, Any]]:
    """Return the agreements that an order was called off from."""
    statement = """
        SELECT DISTINCT b.number, b.state, b.valid_until, b.currency FROM orders_blanket b
        JOIN orders_blanketline l ON l.blanket_id = b.id
        WHERE l.id IN (
            SELECT blanket_line_id FROM orders_orderline WHERE order_id = %(order)s
            UNION SELECT blanket_line_id FROM orders_kitline WHERE order_id = %(order)s
        )
        ORDER BY b.number
    """
    return records(statement, {"order": order_id})
