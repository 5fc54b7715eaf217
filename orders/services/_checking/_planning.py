"""Where each order could come from and when: a dry run of allocation, and what is to come in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, NamedTuple

from erp.kernel.prepared import Prepared
from erp.kernel.quantity import STEP
from erp.kernel.sql import rows
from inventory.services import Basket, Served, Wish, rehearse_allocation
from orders.rules import TRANSIT_DAYS, NodeClock, promise
from orders.services._checking._case import Case

NO_DAY = date.min  # the earliest possible day is wanted, whatever was requested

# By order, so that its lines follow one another; `waiting` in thousandths.
WANTED = Prepared("""
    SELECT l.order_id, l.position, l.id, l.product_id, l.node_id, (l.waiting * 1000)::bigint
    FROM orders_orderline l WHERE l.order_id = ANY(%(ids)s) AND l.waiting > 0
    ORDER BY l.order_id, l.position
""")
NODES = Prepared("SELECT id, code, time_zone, cutoff, handling_days FROM inventory_node")
CARRIERS = Prepared("""
    SELECT id, currency, base_rate, rate_per_kg, transit_days, is_active
    FROM inventory_carrier ORDER BY base_rate, rate_per_kg, id
""")
INBOUND = Prepared("""
    SELECT i.entity_id, i.product_id, i.node_id, i.expected_date, i.quantity
    FROM inventory_inbound i
    JOIN (SELECT DISTINCT entity_id, product_id
          FROM unnest(%(entities)s::bigint[], %(products)s::bigint[])
              AS w (entity_id, product_id)) AS w
        ON w.product_id = i.product_id AND w.entity_id = i.entity_id
    ORDER BY i.expected_date, i.id
""")
SUBSTITUTES = Prepared("""
    SELECT w.line_id, p.code, sum(s.on_hand - s.reserved)
    FROM unnest(%(lines)s::bigint[], %(entities)s::bigint[], %(products)s::bigint[])
        AS w (line_id, entity_id, product_id)
    JOIN inventory_substitute b ON b.product_id = w.product_id
    JOIN inventory_product p ON p.id = b.other_id AND NOT p.is_blocked
    JOIN inventory_stock s ON s.product_id = b.other_id AND s.entity_id = w.entity_id
        AND s.status = 'available' AND NOT s.is_barred AND s.on_hand > s.reserved
    GROUP BY w.line_id, b.rank, p.code
    ORDER BY w.line_id, b.rank, p.code
""")


@dataclass(frozen=True, slots=True)
class Carrier:
    """Who could carry an order: rates in `currency`."""

    id: int
    currency: str
    base_rate: Decimal
    rate_per_kg: Decimal
    transit_days: int
    is_active: bool


@dataclass(slots=True)
class Plan:
    """Where one order could come from. `possible_date` none: nothing is known to come in."""

    case: Case
    carriers: Sequence[Carrier]
    nodes: dict[int, int] = field(default_factory=dict)  # lines by node, now
    codes: Mapping[int, str] = field(default_factory=dict)
    lines: int = 0
    short_lines: int = 0
    unsourced_lines: int = 0
    possible_date: date | None = None
    later: list[dict[str, Any]] = field(default_factory=list)
    substitutes: list[dict[str, Any]] = field(default_factory=list)

    @property
    def carrier(self) -> Carrier | None:
        """The order's own carrier, else the cheapest in its currency."""
        for each in self.carriers:
            if each.id == self.case.carrier_id or (
                self.case.carrier_id is None
                and each.is_active
                and each.currency == self.case.currency
            ):
                return each
        return None

    @property
    def transit_days(self) -> int:
        """Days on the way: of the order's own carrier, else the house's usual ones."""
        own = self.carrier if self.case.carrier_id is not None else None
        return own.transit_days if own else TRANSIT_DAYS

    @property
    def is_feasible(self) -> bool:
        return self.possible_date is not None and self.possible_date <= self.case.requested_date

    @property
    def shipments(self) -> int:
        """How many shipments it takes: one for each node now, one for what comes later."""
        return len(self.nodes) + (1 if self.short_lines else 0)

    def chosen(self) -> list[dict[str, Any]]:
        """Return the nodes it would come from, and why those."""
        return [
            {
                "node": self.codes.get(node, ""),
                "lines": lines,
                "why": "It has the whole order."
                if lines == self.lines and len(self.nodes) == 1
                else f"It has {lines} of {self.lines} lines.",
            }
            for node, lines in sorted(self.nodes.items())
        ]

    def proposal(self) -> dict[str, Any]:
        """Return what could be instead; empty where the order can be met as requested."""
        if self.is_feasible:
            return {}
        said: dict[str, Any] = {"date": self.possible_date and self.possible_date.isoformat()}
        if self.later:
            said["split"] = self.later
        if self.substitutes and not self.case.no_substitutes:
            said["substitutes"] = self.substitutes
        return said


class _Wanted(NamedTuple):
    """A line that nobody has enough for now; `missing` is the part."""

    order_id: int
    position: int
    id: int
    product_id: int
    waiting: Decimal
    missing: Decimal


class _Clocks:
    """When goods of a node can be with a customer; each pair is worked out once."""

    def __init__(self, now: datetime) -> None:
        found = rows(NODES, {})
        self.now = now
        self.codes: dict[int, str] = {row[0]: row[1] for row in found}
        self._clocks = {row[0]: NodeClock(*row[2:]) for row in found}
        self._days: dict[tuple[int, int, datetime], date] = {}

    def arrives(self, node: int, transit: int, at: datetime | None = None) -> date:
        key = (node, transit, at or self.now)
        if key not in self._days:
            self._days[key] = promise(key[2], self._clocks[node], transit, NO_DAY)
        return self._days[key]


def plan_orders(cases: Sequence[Case], now: datetime) -> dict[int, Plan]:
    """Return for each order where it could come from now, as allocation would decide, and when.

    The orders take turns as given, so that none counts on what an earlier one gets. What is missing
    is looked for among what is to come in. Four queries, two more where something is missing.
    """
    wanted: dict[int, list[tuple[Any, ...]]] = {case.id: [] for case in cases}
    for row in rows(WANTED, {"ids": list(wanted)}):
        wanted[row[0]].append(row)
    clocks = _Clocks(now)
    carriers = [Carrier(*row) for row in rows(CARRIERS, {})]
    plans = {case.id: Plan(case, carriers, codes=clocks.codes) for case in cases}
    short: list[_Wanted] = []
    baskets = [_basket(case, wanted[case.id]) for case in cases]
    served_each = rehearse_allocation(baskets=baskets, now=now)
    for plan, served in zip(plans.values(), served_each, strict=True):
        lines = wanted[plan.case.id]
        _note(plan, len(lines), served, clocks)
        short += [_short(line, served.missing) for line in lines if line[2] in served.missing]
    if short:
        _wait_for_inbound(short, plans, clocks)
        _offer_substitutes(short, plans)
    for plan in plans.values():
        if plan.unsourced_lines:
            plan.possible_date = None
    return plans


def _basket(case: Case, lines: Sequence[tuple[Any, ...]]) -> Basket:
    wishes = [Wish._make(line[2:]) for line in lines]
    wishes.sort()  # by id
    return Basket(case.entity_id, wishes, no_split=case.no_split)


def _note(plan: Plan, lines: int, served: Served, clocks: _Clocks) -> None:
    plan.lines, plan.short_lines = lines, len(served.missing)
    plan.nodes.update(served.nodes)
    for node in served.nodes:
        _delay(plan, clocks.arrives(node, plan.transit_days))


def _short(line: tuple[Any, ...], missing: Mapping[int, int]) -> _Wanted:
    order_id, position, pk, product_id, _node_id, steps = line
    return _Wanted(order_id, position, pk, product_id, steps * STEP, missing[pk] * STEP)


def _delay(plan: Plan, day: date) -> None:
    plan.possible_date = day if plan.possible_date is None else max(plan.possible_date, day)


def _wait_for_inbound(short: Sequence[_Wanted], plans: Mapping[int, Plan], clocks: _Clocks) -> None:
    """Give what is to come in to the orders in their turn."""
    keys = {(plans[want.order_id].case.entity_id, want.product_id) for want in short}
    asked = {"entities": [key[0] for key in keys], "products": [key[1] for key in keys]}
    coming: dict[tuple[int, int], list[list[Any]]] = {}
    for entity, product, node, day, quantity in rows(INBOUND, asked):
        coming.setdefault((entity, product), []).append([node, day, quantity])
    for want in short:
        plan, left, last = plans[want.order_id], want.missing, None
        for each in coming.get((plan.case.entity_id, want.product_id), []):
            taken = min(left, each[2])
            each[2] -= taken
            left -= taken
            if taken:
                comes = max(datetime.combine(each[1], time(), UTC), clocks.now)
                last = clocks.arrives(each[0], plan.transit_days, comes)
                _delay(plan, last)
            if not left:
                break
        plan.unsourced_lines += 1 if left else 0
        plan.later.append(
            {
                "line": want.position,
                "now": f"{want.waiting - want.missing:f}",
                "later": f"{want.missing:f}",
                "date": last.isoformat() if last and not left else None,
            }
        )


def _offer_substitutes(short: Sequence[_Wanted], plans: Mapping[int, Plan]) -> None:
    asked = {
        "lines": [want.id for want in short],
        "entities": [plans[want.order_id].case.entity_id for want in short],
        "products": [want.product_id for want in short],
    }
    wanted = {want.id: want for want in short}
    for line_id, code, available in rows(SUBSTITUTES, asked):
        want = wanted[line_id]
        plans[want.order_id].substitutes.append(
            {
                "line": want.position,
                "product": code,
                "quantity": f"{min(want.missing, available):f}",
            }
        )
