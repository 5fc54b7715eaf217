"""Has stock kept for released orders."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db import transaction

from erp.governance.services import Change, Decision, Question, decide, record
from erp.kernel.events import Event
from erp.outbox.publishing import publish_all
from inventory.rules import policy_of
from inventory.services import ShipmentSource, allocate, plan_shipments
from orders.events import LineCovered, LineFellShort, OrderAllocated, RestUnwanted
from orders.models import Order
from orders.rules import Progress
from orders.services._demanding import (
    BY_ID,
    BY_PRODUCT,
    CLAIM,
    Head,
    Want,
    demand,
    fixed_nodes,
    follow,
    give,
    heads,
    left_to_replenishment,
    promises,
    reserved_lines,
    source,
    wants_of,
)

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
    return serve(chosen, wants_of([head.id for head in chosen]), cause=cause, now=now)


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

    What may be left to replenishment, by policy, is given nothing yet.
    """
    if not wants:
        return AllocatedOrders(None, {}, {})
    orders = {head.id: head for head in chosen}
    decision = _policy(chosen[0].entity_id, cause, len(wants), now)
    policy = decision.policy_version
    later = left_to_replenishment(orders, wants, now)
    allocation = allocate(
        demands=[demand(want, orders[want.order_id]) for want in wants if want.id not in later],
        cause=cause,
        policy_version=policy,
        policy=policy_of(decision.outcome, today=now.date().toordinal()),
        now=now,
        only_nodes={**fixed_nodes(chosen, wants), **only_nodes} or None,
    )
    promised = promises(allocation.pieces, {want.id: orders[want.order_id] for want in wants}, now)
    given = {**dict.fromkeys(later, Decimal(0)), **allocation.given}
    give(given, promised, now)
    served = _Pass(orders, wants, given, promised, set(fresh))
    plan_shipments(orders=served.sources(), now=now)
    states = served.before | follow(served.progress, served.before, served.dates)
    served.states.update(states)
    served.record(cause, f"{allocation.run_id}", policy, now)
    publish_all(served.facts())
    return AllocatedOrders(allocation.run_id, states, given)


def _policy(entity_id: int, cause: str, demands: int, now: datetime) -> Decision:
    question = Question(entity_id, "inventory.run", 0, {"cause": cause, "demands": demands})
    return decide(policy="inventory.allocation", questions=[question], now=now, keep=False)[0]


class _Pass:
    """One pass over the wants of some orders: what each was given, and what follows from it."""

    def __init__(
        self,
        orders: Mapping[int, Head],
        wants: Sequence[Want],
        given: Mapping[int, Decimal],
        promised: Mapping[int, date],
        fresh: Collection[int],
    ) -> None:
        self.orders, self.wants, self.given = orders, wants, given
        self.promised, self.fresh = promised, fresh
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
            complete = self.orders[order_id].ship_complete
            if lines and not (complete and self.progress[order_id].waiting > 0):
                ready[order_id] = lines
        kept = reserved_lines([i for i in ready if self.orders[i].ship_complete])
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
