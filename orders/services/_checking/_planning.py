"""Where each order could come from and when: a dry run of allocation, then what can be promised."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from erp.kernel.prepared import Prepared
from erp.kernel.quantity import STEP
from erp.kernel.sql import rows
from inventory.selectors import calendars, node_hours
from inventory.services import Basket, Served, Wish, rehearse_allocation
from inventory.services.promising import Choice, Offered, offer_supply
from inventory.services.promising import Wish as Asked
from orders.rules import TRANSIT_DAYS, arrival
from orders.selectors import segments_of
from orders.services._checking._case import Case
from orders.services._insisting import NO_TERMS, Terms, terms_of

# By order, so that its lines follow one another; `waiting` in thousandths.
WANTED = Prepared("""
    SELECT l.order_id, l.position, l.id, l.product_id, l.node_id, (l.waiting * 1000)::bigint,
        EXISTS (SELECT FROM orders_servingterms t WHERE t.order_id = o.id)
            OR EXISTS (SELECT FROM orders_servingterms t WHERE t.customer_id = o.customer_id),
        (SELECT EXISTS (SELECT FROM orders_segmentmember))
    FROM orders_orderline l JOIN orders_order o ON o.id = l.order_id
    WHERE l.order_id = ANY(%(ids)s) AND l.waiting > 0
    ORDER BY l.order_id, l.position
""")
CARRIERS = Prepared("""
    SELECT id, currency, base_rate, rate_per_kg, transit_days, is_active, calendar_id
    FROM inventory_carrier ORDER BY base_rate, rate_per_kg, id
""")
SUBSTITUTES = Prepared("""
    SELECT w.line_id, p.code, b.units, b.per, sum(s.on_hand - s.reserved)
    FROM unnest(%(lines)s::bigint[], %(entities)s::bigint[], %(products)s::bigint[])
        AS w (line_id, entity_id, product_id)
    JOIN inventory_substitute b ON b.product_id = w.product_id AND b.consent <> 'never'
        AND coalesce(b.valid_from, %(today)s::date) <= %(today)s::date
        AND coalesce(b.valid_until, %(today)s::date) >= %(today)s::date
    JOIN inventory_product p ON p.id = b.other_id AND NOT p.is_blocked
    JOIN inventory_stock s ON s.product_id = b.other_id AND s.entity_id = w.entity_id
        AND s.status = 'available' AND NOT s.is_barred AND s.on_hand > s.reserved
        AND (s.expires_on IS NULL OR s.expires_on >= %(today)s::date)
    GROUP BY w.line_id, b.rank, p.code, b.units, b.per
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
    calendar_id: int | None


@dataclass(slots=True)
class Plan:
    """Where one order could come from. `possible_date` none: nobody has it, brings or sells it.

    `unsourced_lines` are those for which not enough is in stock or on its way.
    """

    case: Case
    carriers: Sequence[Carrier]
    nodes: dict[int, int] = field(default_factory=dict)  # lines by node, now
    codes: Mapping[int, str] = field(default_factory=dict)
    lines: int = 0
    short_lines: int = 0
    unsourced_lines: int = 0
    unknown_lines: int = 0
    possible_date: date | None = None
    later: list[dict[str, Any]] = field(default_factory=list)
    substitutes: list[dict[str, Any]] = field(default_factory=list)
    segment: int = 0

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
        return self._own.transit_days if self._own else TRANSIT_DAYS

    @property
    def carrier_week(self) -> int | None:
        """The calendar of the order's own carrier."""
        return self._own.calendar_id if self._own else None

    @property
    def _own(self) -> Carrier | None:
        return self.carrier if self.case.carrier_id is not None else None

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
    """When goods of a node can be with a customer; each way is worked out once."""

    def __init__(self, plans: Sequence[Plan], now: datetime) -> None:
        self.now, self.hours = now, node_hours(ids=None, on=now.date())
        weeks = {week for plan in plans for week in (plan.carrier_week, plan.case.customer_week)}
        self.weeks = calendars(ids=weeks, on=now.date())
        self._days: dict[tuple[int, int, int, int], date] = {}

    def arrives(self, node: int, plan: Plan) -> date:
        way = (node, plan.transit_days, plan.carrier_week or 0, plan.case.customer_week or 0)
        if way not in self._days:
            leaves = self.hours[node].leaves(self.now)
            weeks = (self.weeks.get(way[2]), self.weeks.get(way[3]))
            self._days[way] = arrival(leaves, way[1], *weeks)
        return self._days[way]


def plan_orders(cases: Sequence[Case], now: datetime) -> dict[int, Plan]:
    """Return for each order where it could come from now, as allocation would decide, and when.

    The orders take turns as given, so that none counts on what an earlier one gets. What is missing
    is promised as availability answers it: by what comes in and nobody waits for, else by buying.
    Five queries, some ten more where something is missing.
    """
    wanted: dict[int, list[tuple[Any, ...]]] = {case.id: [] for case in cases}
    insisting: set[int] = set()
    has_segments = False
    for *row, insists, has_segments in rows(WANTED, {"ids": list(wanted)}):  # noqa: B007
        wanted[row[0]].append(tuple(row))
        insisting |= {row[0]} if insists else set()
    carriers = [Carrier(*row) for row in rows(CARRIERS, {})]
    segments = segments_of(order_ids=list(wanted)) if has_segments else {}
    plans = {case.id: Plan(case, carriers, segment=segments.get(case.id, 0)) for case in cases}
    clocks = _Clocks(list(plans.values()), now)
    codes = {node.id: node.code for node in clocks.hours.values()}
    short: list[_Wanted] = []
    given: dict[tuple[int, int], Decimal] = defaultdict(Decimal)
    terms = terms_of(insisting) if insisting else {}
    own = {case.id: terms.get(case.id, NO_TERMS) for case in cases}
    baskets = [
        _basket(case, wanted[case.id], own[case.id], now.date())._replace(
            segment=plans[case.id].segment
        )
        for case in cases
    ]
    served_each = rehearse_allocation(baskets=baskets, now=now)
    for plan, served in zip(plans.values(), served_each, strict=True):
        plan.codes, lines = codes, wanted[plan.case.id]
        _note(plan, len(lines), served, clocks)
        for line in lines:
            lacks = served.missing.get(line[2], 0)
            given[plan.case.entity_id, line[3]] += (line[5] - lacks) * STEP
            if lacks:
                short.append(_short(line, served.missing))
    if short:
        asking = [line[2] for each in wanted.values() for line in each]
        _promise_later(short, plans, given, asking, clocks)
        _offer_substitutes(short, plans, now)
    for plan in plans.values():
        if plan.unknown_lines:
            plan.possible_date = None
    return plans


def _basket(case: Case, lines: Sequence[tuple[Any, ...]], terms: Terms, today: date) -> Basket:
    """Return what an order wants, as far as allocation asks; by the day wanted lots must keep."""
    wanted = max(case.requested_date, today).toordinal()
    keeps = wanted + terms.shelf_days if terms.shelf_days is not None else 0
    wishes = [Wish(line[2], line[3], line[4], line[5], keeps) for line in lines]
    wishes.sort()  # by id
    return Basket(
        case.entity_id,
        wishes,
        no_split=case.no_split,
        nodes_max=terms.max_nodes,
        only=terms.nodes,
        soft=terms.soft,
    )


def _note(plan: Plan, lines: int, served: Served, clocks: _Clocks) -> None:
    plan.lines, plan.short_lines = lines, len(served.missing)
    plan.nodes.update(served.nodes)
    for node in served.nodes:
        _delay(plan, clocks.arrives(node, plan))


def _short(line: tuple[Any, ...], missing: Mapping[int, int]) -> _Wanted:
    order_id, position, pk, product_id, _node_id, steps = line
    return _Wanted(order_id, position, pk, product_id, steps * STEP, missing[pk] * STEP)


def _delay(plan: Plan, day: date) -> None:
    plan.possible_date = day if plan.possible_date is None else max(plan.possible_date, day)


def _promise_later(
    short: Sequence[_Wanted],
    plans: Mapping[int, Plan],
    ahead: dict[tuple[int, int], Decimal],
    asking: Sequence[int],
    clocks: _Clocks,
) -> None:
    """Promise what is missing to the orders in their turn; `ahead` is given to all of them now.

    What their own lines (`asking`) wait for already, if they were submitted before, is not ahead.
    """
    asked = []
    for want in short:
        plan = plans[want.order_id]
        key = (plan.case.entity_id, want.product_id)
        one = next(iter(plan.nodes)) if plan.case.no_split and len(plan.nodes) == 1 else None
        asked.append(
            Asked(
                *key,
                want.missing,
                node_id=one,
                calendar_id=plan.case.customer_week,
                ahead=ahead[key],
                transit_days=plan.transit_days,
                carrier_calendar_id=plan.carrier_week,
                segment=plan.segment,
            )
        )
        ahead[key] += want.missing
    asking_lines = ("orders.line", asking)
    offered = offer_supply(wishes=asked, now=clocks.now, asking=asking_lines, hours=clocks.hours)
    for want, found in zip(short, offered, strict=True):
        _note_later(plans[want.order_id], want, _soonest(found, want.missing))


def _soonest(found: Offered, wanted: Decimal) -> Choice | None:
    """Return the choice that has all of it first; what must be bought only where nothing else."""
    whole = [each for each in found.choices if each.quantity >= wanted]
    return min(whole, key=lambda each: (each.kind == "buy", each.arrives_on), default=None)


def _note_later(plan: Plan, want: _Wanted, way: Choice | None) -> None:
    """Write down when the rest of a line can be there, and what that rests on."""
    plan.unsourced_lines += way is None or way.kind == "buy"
    plan.unknown_lines += way is None
    if way is not None:
        _delay(plan, way.arrives_on)
    plan.later.append(
        {
            "line": want.position,
            "now": f"{want.waiting - want.missing:f}",
            "later": f"{want.missing:f}",
            "date": way.arrives_on.isoformat() if way else None,
            "by_90": way.arrives_p90.isoformat() if way else None,
            "way": way.kind if way else None,
            "from": way.source if way else None,
        }
    )


def _offer_substitutes(short: Sequence[_Wanted], plans: Mapping[int, Plan], now: datetime) -> None:
    """Note what else would do, in whole exchanges."""
    asked: dict[str, Any] = {
        "today": now.date(),
        "lines": [want.id for want in short],
        "entities": [plans[want.order_id].case.entity_id for want in short],
        "products": [want.product_id for want in short],
    }
    wanted = {want.id: want for want in short}
    for line_id, code, units, per, available in rows(SUBSTITUTES, asked):
        want = wanted[line_id]
        quantity = min(want.missing, available)
        if (units, per) != (1, 1):
            quantity = min(want.missing // units, available // per) * per
        if quantity > 0:
            plans[want.order_id].substitutes.append(
                {"line": want.position, "product": code, "quantity": f"{quantity:f}"}
            )
