"""Has stock kept for released orders."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal

from django.db import transaction

from erp.governance.services import Change, record
from erp.kernel.events import Event
from erp.kernel.sql import rows, run
from erp.outbox.publishing import publish_all
from inventory.rules import Rule, policy_of
from inventory.services import ShipmentSource, allocate, plan_shipments
from inventory.services.sourcing import weigh_outside
from orders.events import LineCovered, LineFellShort, OrderAllocated, RestUnwanted
from orders.models import Order
from orders.rules import Progress
from orders.services._demanding import (
    BY_ID,
    BY_PRODUCT,
    CLAIM,
    LINE,
    Head,
    Want,
    follow,
    follow_idle,
    give,
    heads,
    left_to_replenishment,
    note_later,
    promises,
    reserved_lines,
    source,
    wants_of,
)
from orders.services._dividing import Division, by_policy
from orders.services._exchanging import Exchanged, exchange, steady
from orders.services._insisting import NO_TERMS, Terms, demands_of
from orders.services._pairing import pairs_of
from orders.services._proposing import propose

DUE = """
    SELECT order_id FROM orders_orderline WHERE reserve_on <= %(today)s
    GROUP BY order_id ORDER BY min(reserve_on), order_id LIMIT %(limit)s
"""
# What waits no more, or is of an order that is held, is noted anew when that is allocated again.
LOOKED_AT = """
    UPDATE orders_orderline SET reserve_on = NULL
    WHERE order_id = ANY(%(ids)s::bigint[]) AND reserve_on <= %(today)s
"""
SERVED = [*Order.WAITING, Order.State.FULFILLING, Order.State.PARTLY_SHIPPED]
NOTHING: Mapping[int, Sequence[int]] = {}


@dataclass(frozen=True, slots=True)
class AllocatedOrders:
    """What one pass decided: the state of each order it took, and base units given by line."""

    run_id: int | None
    states: Mapping[int, str]
    given: Mapping[int, Decimal]


@transaction.atomic
def allocate_orders(
    *,
    order_ids: Collection[int] | None,
    limit: int = 500,
    cause: str,
    now: datetime,
    again: bool = True,
) -> AllocatedOrders:
    """Have stock kept for what orders wait for, and plan its shipments.

    With `order_ids`, for those of them that wait; else for up to `limit` released orders, the most
    urgent first, that nobody else is just allocating. Lines, promises, order states and shipments
    follow in the same commit. Orders that wait for nothing are passed over, so it can be repeated;
    without `again`, so are those that were allocated before.

    Publishes:
        LineCovered
        LineFellShort
        OrderAllocated
        RestUnwanted
    """
    if order_ids is None:
        chosen = heads(CLAIM, states=[Order.State.RELEASED], limit=limit)
    else:
        states = SERVED if again else [Order.State.RELEASED]
        chosen = heads(BY_ID, ids=sorted(set(order_ids)), states=states)
    wants = wants_of([head.id for head in chosen])
    follow_idle(chosen, wants)
    return serve(chosen, wants, cause=cause, now=now)


@transaction.atomic
def reserve_due(*, now: datetime, limit: int = 500) -> list[int]:
    """Have stock kept for lines that were left to replenishment and can be no longer.

    Return the orders that were looked at, at most `limit`, the longest due first; nothing once all
    are. Lines that still can wait are noted for their new day; the others compete by rank. Safe
    when two run at once, and to repeat.

    Publishes:
        LineCovered
        LineFellShort
        OrderAllocated
        RestUnwanted
    """
    due = [row[0] for row in rows(DUE, {"today": now.date(), "limit": limit})]
    if not due:
        return []
    chosen = heads(BY_ID, ids=sorted(due), states=SERVED)
    for entity_id in sorted({head.entity_id for head in chosen}):
        own = [head for head in chosen if head.entity_id == entity_id]
        serve(own, wants_of([head.id for head in own]), cause="Latest safe day", now=now)
    run(LOOKED_AT, {"ids": due, "today": now.date()})
    return due


@transaction.atomic
def allocate_waiting(
    *,
    entity_id: int,
    product_ids: Collection[int],
    cause: str,
    now: datetime,
    node_id: int | None = None,
) -> AllocatedOrders:
    """Have what came in kept for the lines that wait for it, the most urgent first.

    Only lines of `product_ids` are served, but for orders that leave complete: all of those. Stock
    of any node counts; `node_id` is where it came in.

    Publishes:
        LineCovered
        LineFellShort
        OrderAllocated
        RestUnwanted
    """
    products = list(set(product_ids))
    chosen = heads(BY_PRODUCT, entity=entity_id, products=products, states=SERVED)
    complete = {head.id for head in chosen if head.ship_complete}
    wanted = [
        want
        for want in wants_of([head.id for head in chosen])
        if want.product_id in product_ids or want.kit_id or want.order_id in complete
    ]
    return serve(chosen, wanted, cause=cause, now=now)


def serve(
    chosen: Sequence[Head],
    wants: Sequence[Want],
    *,
    cause: str,
    now: datetime,
    only_nodes: Mapping[int, Sequence[int]] = NOTHING,
    fresh: Collection[int] = (),
) -> AllocatedOrders:
    """Serve these lines of these locked orders; `fresh` lines began to wait in this transaction.

    What may be left to replenishment, by policy, is given nothing yet. Where companies decide
    differently each is a run of its own; the last one's id is returned.
    """
    found = AllocatedOrders(None, {}, {})
    for part in by_policy(chosen, wants, cause=cause, now=now):
        done = _serve(part, cause=cause, now=now, only_nodes=only_nodes, fresh=fresh)
        states, given = {**found.states, **done.states}, {**found.given, **done.given}
        found = AllocatedOrders(done.run_id, states, given)
    return found


def _serve(
    part: Division,
    *,
    cause: str,
    now: datetime,
    only_nodes: Mapping[int, Sequence[int]],
    fresh: Collection[int],
) -> AllocatedOrders:
    chosen, wants, decision = part.heads, part.wants, part.decision
    orders = {head.id: head for head in chosen}
    policy = decision.policy_version
    later = left_to_replenishment(orders, wants, now)
    note_later(later, wants)
    now_wanted = [want for want in wants if want.id not in later]
    demands, places, terms = demands_of(chosen, now_wanted, only_nodes, now.date())
    paired = {want.product_id for want in now_wanted if want.has_pairs}
    pairs = pairs_of(chosen[0].entity_id, paired, now)
    rules = policy_of(decision.outcome, today=now.date().toordinal())
    allocation = allocate(
        demands=steady(demands, orders, pairs),
        cause=cause,
        policy_version=policy,
        policy=replace(rules, substitutions=pairs.substitutions),
        now=now,
        only_nodes=places or None,
    )
    by_id = {want.id: want for want in wants}
    exchanged = exchange(allocation.exchanges, by_id, orders, pairs, now)
    asked = propose(allocation.offers, by_id, orders, pairs, now)
    wants = _with(wants, exchanged)
    pieces = [*allocation.pieces, *exchanged.pieces]
    promised = promises(pieces, {want.id: orders[want.order_id] for want in wants}, now)
    given = {**dict.fromkeys(later, Decimal(0)), **allocation.given}
    for line_id, quantity in exchanged.replaced.items():
        given[line_id] -= quantity
    given |= {want.id: want.waiting for want in exchanged.wants}
    give(given, promised, now)
    served = _Pass(orders, wants, given, promised, set(fresh), terms=terms)
    plan_shipments(orders=served.sources(), now=now)
    states = served.before | follow(served.progress, served.before, served.dates)
    served.states.update(states)
    served.record(cause, f"{allocation.run_id}", policy, now)
    given_up = [want.id for want in wants if want.disposition == "cancel"]
    weigh_outside(
        kind=LINE, lacks=allocation.lacks, run_id=allocation.run_id, now=now, but=given_up
    )
    publish_all([*exchanged.events, *asked, *served.facts()])
    return AllocatedOrders(allocation.run_id, states, given)


def _with(wants: Sequence[Want], exchanged: Exchanged) -> list[Want]:
    """Return the lines with what became of them: less of some, and what goes out for it."""
    if not exchanged.wants:
        return list(wants)
    more: dict[int, Decimal] = {}
    for want in exchanged.wants:
        more[want.order_id] = more.get(want.order_id, Decimal(0)) + want.waiting
    for want in wants:
        more[want.order_id] = more.get(want.order_id, Decimal(0)) - exchanged.replaced.get(
            want.id, Decimal(0)
        )
    return [
        replace(
            want,
            waiting=want.waiting - exchanged.replaced.get(want.id, Decimal(0)),
            ordered=want.ordered + more[want.order_id],
        )
        for want in [*wants, *exchanged.wants]
    ]


class _Pass:
    """One pass over the wants of some orders: what each was given, and what follows from it."""

    def __init__(
        self,
        orders: Mapping[int, Head],
        wants: Sequence[Want],
        given: Mapping[int, Decimal],
        promised: Mapping[int, date],
        fresh: Collection[int],
        *,
        terms: Mapping[int, Terms],
    ) -> None:
        self.orders, self.wants, self.given = orders, wants, given
        self.promised, self.fresh = promised, fresh
        self.complete = {
            head.id
            for head in orders.values()
            if head.ship_complete and not terms.get(head.id, NO_TERMS).soft & Rule.SHIP_COMPLETE
        }
        self.by_order: dict[int, list[Want]] = {}
        for want in wants:
            self.by_order.setdefault(want.order_id, []).append(want)
        self.total = {
            order_id: sum((given[want.id] for want in found), Decimal(0))
            for order_id, found in self.by_order.items()
        }
        self.progress = {
            order_id: Progress(
                found[0].ordered, found[0].reserved + self.total[order_id], found[0].shipped
            )
            for order_id, found in self.by_order.items()
        }
        self.before = {order_id: orders[order_id].state for order_id in self.by_order}
        self.states: dict[int, str] = {}

    @property
    def dates(self) -> dict[int, date | None]:
        """The promised date of each order of which nothing waits any more."""
        return {
            order_id: self._latest(found) if self.progress[order_id].waiting <= 0 else None
            for order_id, found in self.by_order.items()
        }

    def _latest(self, found: Sequence[Want]) -> date | None:
        days = [day for w in found for day in (w.promised_date, self.promised.get(w.id)) if day]
        return max(days, default=None)

    def sources(self) -> list[ShipmentSource]:
        """Return what can be planned to leave; an order that leaves complete waits until it is."""
        ready: dict[int, list[int]] = {}
        for order_id, found in self.by_order.items():
            lines = [want.id for want in found if self.given[want.id]]
            complete = order_id in self.complete
            if lines and not (complete and self.progress[order_id].waiting > 0):
                ready[order_id] = lines
        kept = reserved_lines([i for i in ready if i in self.complete])
        return [
            source(
                self.orders[order_id],
                kept.get(order_id, lines),
                max(self.promised[line_id] for line_id in lines),
            )
            for order_id, lines in ready.items()
        ]

    def touched(self) -> list[Head]:
        """Return the orders for which anything changed."""
        return [
            self.orders[order_id]
            for order_id in self.by_order
            if self.total[order_id] or self.states[order_id] != self.before[order_id]
        ]

    def record(self, cause: str, run: str, policy: str, now: datetime) -> None:
        changes = [
            Change(
                entity_id=head.entity_id,
                action="orders.allocate",
                subject_kind="orders.order",
                subject_id=head.id,
                thread=f"orders.order:{head.id}",
                before={"state": head.state},
                after={
                    "state": self.states[head.id],
                    "given": f"{self.total[head.id].normalize():f}",
                    "run": run,
                },
                reason=cause,
                policy_version=policy,
            )
            for head in self.touched()
        ]
        record(changes=changes, actor=None, now=now)

    def facts(self) -> list[Event]:
        """Return what is to be told: each state, and lines that fell short or are covered."""
        facts: list[Event] = [
            OrderAllocated(
                order_id=head.id,
                number=head.number,
                entity_id=head.entity_id,
                state=self.states[head.id],
            )
            for head in self.touched()
        ]
        for want in self.wants:
            head, given = self.orders[want.order_id], self.given[want.id]
            missing = want.waiting - given
            is_new = head.state == Order.State.RELEASED or want.id in self.fresh
            if missing > 0 and want.disposition == "cancel":
                facts.append(unwanted(want, head, missing))
            elif missing > 0 and (is_new or given > 0):
                facts.append(fell_short(want, head, missing))
            elif missing <= 0 and not is_new:
                facts.append(
                    LineCovered(
                        line_id=want.id,
                        order_id=head.id,
                        number=head.number,
                        entity_id=head.entity_id,
                    )
                )
        return facts


def unwanted(want: Want, head: Head, missing: Decimal) -> RestUnwanted:
    return RestUnwanted(
        line_id=want.id,
        order_id=head.id,
        number=head.number,
        entity_id=head.entity_id,
        missing=f"{missing:f}",
    )


def fell_short(want: Want, head: Head, missing: Decimal) -> LineFellShort:
    return LineFellShort(
        line_id=want.id,
        order_id=head.id,
        number=head.number,
        entity_id=head.entity_id,
        product_id=want.product_id,
        missing=f"{missing:f}",
    )
