"""Whether the lines' prices are those that the book gives, within what their author may do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from erp.accounts.models import Role
from erp.kernel.prepared import Prepared
from erp.kernel.sql import rows
from orders.models import Hold
from orders.rules import conceded, price_gap
from orders.services._checking._case import Case, Finding, ask_each
from orders.services._pricing import LineAsk, price_lines
from orders.services._refusing import DraftRefused

# A price that the book gave so lately counts as the book's price still.
FRESH = timedelta(minutes=10)
LOOKED_UP = ("contract", "group", "list")
ZERO = Decimal(0)

# Lines whose price somebody chose, and lines priced by the book some time ago.
LINES = Prepared("""
    SELECT l.order_id, l.product_id, l.quantity, l.unit_price, l.discount,
           coalesce(l.price_basis ->> 'kind', l.price_source)
    FROM orders_orderline l
    WHERE l.order_id = ANY(%(ids)s) AND l.quantity > l.cancelled
      AND (coalesce(l.price_basis ->> 'kind', l.price_source) = 'entered' OR l.discount > 0
           OR (l.order_id = ANY(%(old)s)
               AND coalesce(l.price_basis ->> 'kind', l.price_source) = ANY(%(book)s)))
    ORDER BY l.order_id, l.id
""")

ROLES = """
    SELECT r.user_id, r.entity_id, r.role FROM accounts_roleassignment r
    WHERE r.user_id = ANY(%(users)s)
      AND (r.valid_from IS NULL OR r.valid_from <= %(now)s)
      AND (r.valid_until IS NULL OR r.valid_until > %(now)s)
"""
# Who holds several roles writes prices with the first of these.
RANKS = (
    Role.PRICING, Role.CONTROLLER, Role.OPERATIONS_LEAD, Role.ORDER_DESK, Role.CUSTOMER_SERVICE,
    Role.PARTNER,
)  # fmt: skip


@dataclass(slots=True)
class _Gaps:
    """The widest gaps of one order's lines, as shares of the book's price."""

    below: Decimal = ZERO
    above: Decimal = ZERO
    moved: Decimal = ZERO
    discount: Decimal = ZERO
    conceded: Decimal = ZERO
    unpriced: int = 0
    lines: int = 0

    def count(self, kind: str, price: Decimal, discount: Decimal, book: Decimal | None) -> None:
        self.lines += 1
        self.discount = max(self.discount, discount)
        if book is None:
            self.unpriced += 1
            return
        below, above = price_gap(price, book)
        if kind in LOOKED_UP:
            self.moved = max(self.moved, below, above)
        elif kind == "entered":
            self.below, self.above = max(self.below, below), max(self.above, above)
        self.conceded = max(self.conceded, conceded(price, discount, book))


@dataclass(frozen=True, slots=True)
class _Lines:
    rows: Sequence[tuple[Any, ...]]
    asks: Sequence[LineAsk] = field(default_factory=list)


def check_price(cases: Sequence[Case], now: datetime) -> Finding:
    """Ask of each order if its prices are the book's, or near enough for who entered them.

    The book is asked only about lines whose price was entered or discounted, and about lines that
    it priced more than ten minutes ago: three queries where there are such, else one.
    """
    gaps = _gaps(cases, now)
    roles = _roles([case for case in cases if case.id in gaps], now)
    nothing = _Gaps()
    facts = []
    for case in cases:
        found = gaps.get(case.id, nothing)
        facts.append(
            {
                "below": found.below,
                "above": found.above,
                "moved": found.moved,
                "discount": found.discount,
                "conceded": found.conceded,
                "unpriced": found.unpriced,
                "author_role": roles.get((case.created_by_id, case.entity_id), "house")
                if found.lines
                else None,
                "channel": case.channel,
                "tier": case.tier,
            }
        )
    return ask_each("orders.release.price", Hold.Kind.PRICE.value, cases, facts)


def _gaps(cases: Sequence[Case], now: datetime) -> dict[int, _Gaps]:
    by_id = {case.id: case for case in cases}
    old = [case.id for case in cases if now - case.created_at > FRESH]
    found = rows(LINES, {"ids": list(by_id), "old": old, "book": list(LOOKED_UP)})
    asks = [
        LineAsk(
            entity_id=by_id[order_id].entity_id,
            customer_id=by_id[order_id].customer_id,
            currency=by_id[order_id].currency,
            day=by_id[order_id].today,
            product_id=product_id,
            quantity=quantity,
            uom="",
            unit_price=None,
            discount=discount,
            node_id=None,
        )
        for order_id, product_id, quantity, _price, discount, _kind in found
    ]
    gaps: dict[int, _Gaps] = {}
    answers = price_lines(asks, ["line"] * len(asks), now) if asks else []
    for (order_id, _product, _quantity, price, discount, kind), answer in zip(
        found, answers, strict=True
    ):
        book = None if isinstance(answer, DraftRefused) else answer[0].unit_price
        gaps.setdefault(order_id, _Gaps()).count(str(kind), price, discount, book)
    return gaps


def _roles(cases: Sequence[Case], now: datetime) -> Mapping[tuple[int | None, int], str]:
    """Return by author and entity the role that counts for prices."""
    users = list({case.created_by_id for case in cases if case.created_by_id})
    found: dict[tuple[int | None, int], str] = {}
    if not users:
        return found
    held: dict[tuple[int, int], set[str]] = {}
    for user_id, entity_id, role in rows(ROLES, {"users": users, "now": now}):
        held.setdefault((user_id, entity_id), set()).add(role)
    for case in cases:
        if case.created_by_id:
            mine = held.get((case.created_by_id, case.entity_id), set())
            role = next((str(role.value) for role in RANKS if role.value in mine), "other")
            found[case.created_by_id, case.entity_id] = role
    return found
