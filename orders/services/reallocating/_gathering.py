"""The lines that take part when stock is shared out anew, and what each may win or lose."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal

from erp.governance.services import Question, decide
from erp.kernel.sql import rows
from inventory.rules import Strategy, policy_of
from inventory.services.reallocating import Claimant, Field
from orders.models import Order, Reallocation
from orders.selectors import segments_of
from orders.services._demanding import HEAD, LINE, Head, heads, left_to_replenishment, wants_of

SERVED = [
    Order.State.ALLOCATED,
    Order.State.PARTLY_ALLOCATED,
    Order.State.BACKORDERED,
    Order.State.FULFILLING,
    Order.State.PARTLY_SHIPPED,
]
SEEN = HEAD.format(which="o.id = ANY(%(ids)s)", order="o.id").replace("FOR NO KEY UPDATE OF o", "")

# What leaves together (an order that leaves complete or from one node, a kit) stays as it is, and
# so does what insists on places, few nodes or fresh lots.
LINES = """
    SELECT l.id, l.order_id, l.position, l.product_id, l.node_id, l.quantity, l.amount,
        l.waiting - l.direct AS waiting, l.promised_date, l.disposition, o.number,
        o.currency, o.priority, o.requested_date, o.class_code, o.channel, c.tier
    FROM orders_order o
    JOIN orders_orderline l ON l.order_id = o.id AND l.waiting - l.direct + l.reserved > 0
    JOIN orders_customer c ON c.id = o.customer_id
    WHERE o.entity_id = %(entity)s AND o.state = ANY(%(states)s)
        AND NOT o.ship_complete AND NOT o.no_split AND l.kit_id IS NULL
        AND l.fresh_days IS NULL
        AND NOT EXISTS (
            SELECT FROM orders_servingterms t
            WHERE (t.order_id = o.id OR t.customer_id = o.customer_id)
                AND (coalesce(t.max_nodes, t.min_shelf_days) IS NOT NULL
                    OR EXISTS (SELECT FROM orders_servingplace p WHERE p.terms_id = t.id))
        )
        AND (%(products)s::bigint[] IS NULL OR l.product_id = ANY(%(products)s::bigint[]))
        AND (%(orders)s::bigint[] IS NULL OR o.id = ANY(%(orders)s::bigint[]))
    ORDER BY l.id
"""
COUNT = f"SELECT count(*) FROM ({LINES}) AS taking_part"  # noqa: S608  the parts are our own


@dataclass(frozen=True, slots=True)
class Row:
    """One line that takes part."""

    id: int
    order_id: int
    position: int
    product_id: int
    node_id: int | None
    quantity: Decimal
    amount: Decimal
    waiting: Decimal
    promised_date: date | None
    disposition: str
    number: str
    currency: str
    priority: int
    requested_date: date
    class_code: str
    channel: str
    tier: str

    @property
    def label(self) -> str:
        return f"{self.number} line {self.position}"

    def worth(self, quantity: Decimal) -> Decimal:
        """Return what so much of it sells for, in the order's currency, half up to the cent."""
        return (self.amount * quantity / self.quantity).quantize(Decimal("0.01"), "ROUND_HALF_UP")


@dataclass(frozen=True, slots=True)
class Part:
    """How one line takes part: its segment, what it may win or lose, whether it is protected."""

    row: Row
    segment: str
    strategy: Strategy
    is_protected: bool


@dataclass(frozen=True, slots=True)
class Gathered:
    """A field, and what is known about its lines by id. `policies` are the versions asked."""

    field: Field
    parts: Mapping[int, Part]
    heads: Mapping[int, Head]
    policies: str


def count_lines(of: Reallocation) -> int:
    """Return how many lines take part."""
    return int(rows(COUNT, _params(of, None))[0][0])


def gather(of: Reallocation, now: datetime, *, is_locked: bool) -> Gathered:
    """Return who takes part, and how; their orders are locked in id order if asked for.

    What begins to take part after the locks were taken does not.
    """
    chosen = _rows(of, None)
    ids = sorted({row.order_id for row in chosen})
    if is_locked:
        found = heads(
            HEAD.format(which="o.id = ANY(%(ids)s)", order="o.id"), ids=ids, states=SERVED
        )
        chosen = _rows(of, [head.id for head in found])
    else:
        found = heads(SEEN, ids=ids, states=SERVED)
    by_id = {head.id: head for head in found}
    chosen = [row for row in chosen if row.order_id in by_id]
    parts, version = _parts(of, chosen, now)
    wants = [want for want in wants_of(list(by_id)) if want.id in parts]
    later = set(left_to_replenishment(by_id, wants, now)) - {of.line_id}
    segments = segments_of(order_ids=[head.id for head in found if head.has_segments])
    is_override = of.kind == Reallocation.Kind.OVERRIDE
    question = Question(
        of.entity_id,
        "orders.reallocation",
        of.pk,
        {"cause": "Re-allocation", "demands": len(parts)},
    )
    weights = decide(policy="inventory.allocation", questions=[question], now=now, keep=False)[0]
    field = Field(
        kind=LINE,
        entity_id=of.entity_id,
        claimants=[
            replace(
                _claimant(of, part, is_later=part.row.id in later),
                segment_id=segments.get(part.row.order_id, 0),
            )
            for part in parts.values()
        ],
        policy=policy_of(weights.outcome, today=now.date().toordinal()),
        takes_kept=is_override,
        nodes=of.scope.get("nodes") or None,
    )
    return Gathered(field, parts, by_id, f"{version} {weights.policy_version}".strip())


def _params(of: Reallocation, orders: Collection[int] | None) -> dict[str, object]:
    return {
        "entity": of.entity_id,
        "states": SERVED,
        "products": of.scope.get("products") or None,
        "orders": None if orders is None else list(orders),
    }


def _rows(of: Reallocation, orders: Collection[int] | None) -> list[Row]:
    return [Row(*row) for row in rows(LINES, _params(of, orders))]


def _parts(of: Reallocation, chosen: Sequence[Row], now: datetime) -> tuple[dict[int, Part], str]:
    """Return by line how it takes part; in an override everybody but its line may only lose."""
    orders = {row.order_id: row for row in chosen}
    questions = [
        Question(
            of.entity_id,
            "orders.order",
            row.order_id,
            {
                "tier": row.tier,
                "class_code": row.class_code,
                "channel": row.channel,
                "days_to_request": (row.requested_date - now.date()).days,
            },
        )
        for row in orders.values()
    ]
    decisions = (
        decide(policy="orders.reallocation", questions=questions, now=now, keep=False)
        if questions
        else []
    )
    said = dict(zip(orders, decisions, strict=True))
    parts = {}
    for row in chosen:
        outcome = said[row.order_id].outcome
        named = of.strategy.get(row.tier) or of.strategy.get("all") or outcome["strategy"]
        strategy = _strategy(of, row, named)
        parts[row.id] = Part(row, row.tier, strategy, bool(outcome["protected"]))
    return parts, decisions[0].policy_version if decisions else ""


def _strategy(of: Reallocation, row: Row, named: str) -> Strategy:
    """Return what a line may win or lose; who would cancel what it loses keeps what it has."""
    if of.kind == Reallocation.Kind.OVERRIDE:
        if row.id == of.line_id:
            return Strategy.WIN
        is_safe = bool(of.taken_from) and row.id not in of.taken_from
        strategy = Strategy.GAIN if is_safe else Strategy.FILL
    else:
        strategy = Strategy[named.upper()]
    keeps = row.disposition == "cancel" and strategy > Strategy.GAIN
    return Strategy.GAIN if keeps else strategy


def _claimant(of: Reallocation, part: Part, *, is_later: bool) -> Claimant:
    row = part.row
    is_override = of.kind == Reallocation.Kind.OVERRIDE
    wanting = Decimal(0) if is_later or is_override else row.waiting
    if is_override and row.id == of.line_id and of.quantity is not None:
        wanting = min(of.quantity, row.waiting)
    return Claimant(
        id=row.id,
        product_id=row.product_id,
        wanting=wanting,
        node_id=row.node_id,
        priority=row.priority,
        due=row.requested_date,
        group_id=row.order_id,
        strategy=part.strategy,
        label=row.number,
    )
