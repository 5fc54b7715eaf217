"""Asks the policies again about what changed of an order, and holds or frees it by the answers."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import ClassVar

from erp.governance.services import Answer, keep_answers
from erp.kernel.errors import DomainError
from erp.kernel.events import Event
from erp.kernel.states import move
from orders.events import HoldLifted
from orders.models import Hold, Order, OrderLine
from orders.services._checking import (
    Case,
    Stop,
    cases_of,
    check_credit,
    credit_stops,
    run_checks,
)
from orders.services._classing import rank as set_rank
from orders.services._reevaluating import reevaluate_credit_holds
from orders.services._releasing import held, place, release

Kind = Hold.Kind
REASON = "The order was changed"


class NotWhilePicked(DomainError):
    """What changed does not pass a check, and an order that is being picked cannot be held."""

    code: ClassVar[str] = "not_while_picked"


@dataclass
class Answers:
    """What the policies said: what stops the order, and which kinds of hold they see no more."""

    stops: list[Stop] = field(default_factory=list)
    cleared: set[str] = field(default_factory=set)


def ask_again(order_id: int, *, kinds: Collection[str], rank: bool, now: datetime) -> Answers:
    """Run the checks of `kinds` on an order; with `rank` its class and priority are set anew.

    Nothing of the order may count as committed now. A draft is asked when it is submitted.
    """
    order = Order.objects.get(pk=order_id)
    if order.state == Order.State.DRAFT:
        return Answers()
    case = _case(order, now)
    kept: list[Answer] = []
    if rank:
        set_rank([case], REASON, now)
    found = run_checks([case], now, kinds=kinds)
    stops, kept = [*found.stops], [*kept, *found.answers]
    if Kind.CREDIT.value in kinds:
        credit = check_credit([case], ())
        stops += credit_stops([case], credit)
        kept += credit
    keep_answers(answers=kept, now=now)
    return Answers(stops, set(kinds) - {each.kind for each in stops})


def stop(order: Order, found: Answers, now: datetime) -> list[Event]:
    """Hold the order for what does not pass; what is kept for it is given back by the caller.

    Raises:
        NotWhilePicked: it is being picked, or a part has left.
    """
    if order.state != Order.State.HELD and not move(Order, "hold", [order.pk]):
        said = " ".join(each.reason for each in found.stops)
        raise NotWhilePicked(
            f"{said} {order.number} is {order.get_state_display().lower()} and cannot be held: "
            "write a new order for what is added."
        )
    place(found.stops, now)
    kinds = {each.kind for each in found.stops} | set(found.stops[0].case.active_holds)
    return [held(found.stops[0].case, sorted(kinds))]


def let_go(order: Order, found: Answers, now: datetime) -> list[Event]:
    """Lift the holds of a held order that what changed has cleared; release it after the last.

    Credit is asked for all held orders of the account: what this one wants no more is theirs.
    """
    if order.state != Order.State.HELD:
        return []
    events: list[Event] = [*_lift(order, found.cleared - {Kind.CREDIT.value}, now)]
    case = cases_of([order.pk], now)[0]
    if events and not case.active_holds:
        credit = check_credit([case], ())
        keep_answers(answers=credit, now=now)
        stops = credit_stops([case], credit)
        if not stops:
            return events + release([case], now)
        place(stops, now)
        events.append(held(case, [Kind.CREDIT.value]))
    reevaluate_credit_holds(account_ids=[order.account_id], cause=REASON, now=now)
    return events


def _lift(order: Order, kinds: Collection[str], now: datetime) -> list[HoldLifted]:
    holds = Hold.objects.filter(
        order=order, state=Hold.State.ACTIVE, kind__in=kinds, is_forced=False
    )
    found = dict(holds.values_list("pk", "kind"))
    move(Hold, "lift", list(found), lifted_at=now, lift_reason=REASON)
    return [
        HoldLifted(
            hold_id=pk,
            order_id=order.pk,
            number=order.number,
            entity_id=order.entity_id,
            kind=kind,
        )
        for pk, kind in found.items()
    ]


def _case(order: Order, now: datetime) -> Case:
    """Return the order's facts; freight that is invoiced is no commitment any more."""
    case = cases_of([order.pk], now)[0]
    billed = OrderLine.objects.filter(order=order, invoiced__gt=0).exists()
    return replace(case, freight=Decimal(0)) if billed else case
