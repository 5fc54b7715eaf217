"""Asks the policies again about what changed of an order, and holds or frees it by the answers."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import ClassVar

from erp.accounts.models import User
from erp.governance.services import Answer, keep_answers
from erp.kernel.errors import DomainError
from erp.kernel.events import Event
from erp.kernel.states import move
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
from orders.services._resuming import cleared, lifted, record_each

Kind = Hold.Kind
REASON = "The order was changed"
# Holds whose reason lies in the lines: a line taken off or corrected may clear them.
OF_LINES = frozenset(
    {
        Kind.COMPLETENESS.value,
        Kind.COMPLIANCE.value,
        Kind.PRICE.value,
        Kind.MARGIN.value,
        Kind.DUPLICATE.value,
        Kind.PROMISE.value,
    }
)


class NotWhilePicked(DomainError):
    """What changed does not pass a check, and an order that is being picked cannot be held."""

    code: ClassVar[str] = "not_while_picked"


@dataclass
class Answers:
    """What the policies said: what stops the order, and which kinds of hold they see no more."""

    stops: list[Stop] = field(default_factory=list)
    cleared: set[str] = field(default_factory=set)
    said: list[Answer] = field(default_factory=list)


def ask_again(order_id: int, *, kinds: Collection[str], rank: bool, now: datetime) -> Answers:
    """Run the checks of `kinds` on an order; with `rank` its class and priority are set anew.

    Nothing of the order may count as committed now. A draft is asked when it is submitted. What the
    order is known by for duplicates follows its lines.
    """
    order = Order.objects.get(pk=order_id)
    if order.state == Order.State.DRAFT:
        return Answers()
    case = _case(order, now)
    Order.objects.filter(pk=order_id).update(fingerprint=case.fingerprint or "")
    if rank:
        set_rank([case], REASON, now)
    found = run_checks([case], now, kinds=kinds)
    stops, kept = [*found.stops], [*found.answers]
    if Kind.CREDIT.value in kinds:
        credit = check_credit([case], ())
        stops += credit_stops([case], credit)
        kept += credit
    keep_answers(answers=kept, now=now)
    return Answers(stops, set(kinds) - {each.kind for each in stops}, kept)


def line_holds(order_id: int) -> set[str]:
    """Return the kinds of the order's active holds whose reason may lie in its lines."""
    held_by = Hold.objects.filter(
        order_id=order_id, state=Hold.State.ACTIVE, is_forced=False, kind__in=OF_LINES
    )
    return set(held_by.values_list("kind", flat=True))


def clear_line_holds(order: Order, actor: User | None, now: datetime) -> list[Event]:
    """Ask the checks again that hold an order for its lines, after some were taken off."""
    kinds = line_holds(order.pk) if order.state == Order.State.HELD else set[str]()
    if not kinds:
        return []
    found = ask_again(order.pk, kinds=kinds, rank=True, now=now)
    return lift_cleared(order, found, actor, now) + let_go(order, found, now)


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
    case = found.stops[0].case
    left = {*case.active_holds} - found.cleared | {*case.forced_holds}
    return [held(case, sorted({each.kind for each in found.stops} | left))]


def lift_cleared(order: Order, found: Answers, actor: User | None, now: datetime) -> list[Event]:
    """Lift the holds whose reason is gone, whatever else holds the order; credit apart.

    The entry of each in the story names the rule. Forced holds stay.
    """
    if order.state != Order.State.HELD:
        return []
    holds = Hold.objects.filter(
        order=order,
        state=Hold.State.ACTIVE,
        kind__in=found.cleared - {Kind.CREDIT.value},
        is_forced=False,
    )
    known = list(holds.order_by("pk").values_list("pk", "kind", "reason"))
    if not known:
        return []
    case = cases_of([order.pk], now)[0]
    move(Hold, "lift", [pk for pk, _, _ in known], lifted_at=now, lift_reason=REASON)
    told = [cleared(case, kind, found.said, was=was, cause=REASON) for _, kind, was in known]
    record_each(told, "", actor, now)
    return [lifted(pk, case, kind) for pk, kind, _ in known]


def let_go(order: Order, found: Answers, now: datetime) -> list[Event]:
    """Release a held order that nothing holds any more, if credit allows.

    Credit is asked for all held orders of the account: what this one wants no more is theirs.
    """
    if order.state != Order.State.HELD:
        return []
    case = cases_of([order.pk], now)[0]
    events: list[Event] = []
    if found.cleared and not case.active_holds:
        credit = check_credit([case], ())
        keep_answers(answers=credit, now=now)
        stops = credit_stops([case], credit)
        if not stops:
            return release([case], now)
        place(stops, now)
        events.append(held(case, [Kind.CREDIT.value]))
    reevaluate_credit_holds(account_ids=[order.account_id], cause=REASON, now=now)
    return events


def _case(order: Order, now: datetime) -> Case:
    """Return the order's facts; freight that is invoiced is no commitment any more."""
    case = cases_of([order.pk], now)[0]
    billed = OrderLine.objects.filter(order=order, invoiced__gt=0).exists()
    return replace(case, freight=Decimal(0)) if billed else case
