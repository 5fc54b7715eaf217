"""Stops what the law stops after it was let go: as far as the goods are still here."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any

from erp.governance.services import Change, keep_answers, record
from erp.kernel.events import Event
from erp.kernel.sql import rows
from erp.kernel.states import move
from erp.outbox.publishing import publish_all
from orders.models import Hold, Order
from orders.services._checking import Case, Stop, cases_of, check_compliance
from orders.services._locking import lock
from orders.services._releasing import held, place
from orders.services._resuming import Told, lifted, record_each
from orders.services._withdrawing import withdraw_lines

KIND = Hold.Kind.COMPLIANCE.value
TOO_LATE = "orders.law_found_too_late"

STOPPED = """
    SELECT o.id, h.id FROM orders_order o JOIN orders_hold h ON h.order_id = o.id
    WHERE o.id = ANY(%(orders)s) AND o.state <> ALL(ARRAY['held', 'draft', 'cancelled'])
      AND h.kind = 'compliance' AND h.state = 'active' AND NOT h.is_forced
    ORDER BY o.id
"""


def stop_orders(
    stops: Sequence[Stop],
    now: datetime,
    too_late: Callable[[Case, str], Event],
    *,
    tells: bool = True,
) -> int:
    """Hold these orders, locked by the caller; return how many.

    What is not yet picked gives back all it had. What is on the floor keeps its state, but its
    goods cannot leave until the hold is lifted. With `tells`, of goods that left it is told.
    """
    resting = {stop.case.id for stop in stops if stop.case.state == Order.State.HELD}
    going = [stop.case.id for stop in stops if stop.case.id not in resting]
    moved = set(move(Order, "hold", going))
    floor = {s.case.id for s in stops if s.case.state in Order.ON_THE_FLOOR}
    events: list[Event] = withdraw_lines(sorted(moved), now) if moved else []
    stopped = [stop for stop in stops if stop.case.id in moved | resting | floor]
    place(stopped, now)
    events += [held(s.case, sorted({*s.case.active_holds, s.kind})) for s in stopped]
    record(changes=[_change(stop, moved | resting) for stop in stopped], actor=None, now=now)
    publish_all(events)
    if tells:
        left = [s for s in stops if s.case.state in (Order.State.PARTLY_SHIPPED, *Order.GONE)]
        tell_too_late([(stop.case, stop.reason) for stop in left], now, too_late)
    return len(stopped)


def tell_too_late(
    left: Sequence[tuple[Case, str]], now: datetime, too_late: Callable[[Case, str], Event]
) -> None:
    """Tell of goods that have left already; it stands in the story of each order."""
    changes = [
        Change(
            entity_id=case.entity_id,
            action=TOO_LATE,
            subject_kind="orders.order",
            subject_id=case.id,
            thread=f"orders.order:{case.id}",
            after={"state": case.state},
            reason=reason[:300],
        )
        for case, reason in left
    ]
    record(changes=changes, actor=None, now=now)
    publish_all([too_late(case, reason) for case, reason in left])


def let_go_on_the_floor(order_ids: Collection[int], cause: str, now: datetime) -> list[int]:
    """Lift the holds that kept goods on the floor where the law asks nothing any more.

    Return the orders. Forced holds stay.
    """
    if not rows(STOPPED, {"orders": list(order_ids)}):
        return []
    lock(order_ids)
    holds = dict(rows(STOPPED, {"orders": list(order_ids)}))
    cases = cases_of(list(holds), now)
    finding = check_compliance(cases, now)
    keep_answers(answers=finding.answers, now=now)
    failing = {stop.case.id for stop in finding.stops}
    free = [case for case in cases if case.id not in failing]
    move(Hold, "lift", [holds[c.id] for c in free], lifted_at=now, lift_reason=cause[:300])
    told = [Told(case, cause, action=f"orders.lift_{KIND}_hold") for case in free]
    record_each(told, "", None, now)
    publish_all([lifted(holds[case.id], case, KIND) for case in free])
    return [case.id for case in free]


def _change(stop: Stop, resting: Collection[int]) -> Change:
    case = stop.case
    state: Any = Order.State.HELD.value if case.id in resting else case.state
    return Change(
        entity_id=case.entity_id,
        action="orders.hold",
        subject_kind="orders.order",
        subject_id=case.id,
        thread=f"orders.order:{case.id}",
        before={"state": case.state, "holds": case.active_holds},
        after={"state": state, "holds": [*case.active_holds, stop.kind]},
        reason=stop.reason[:300],
        policy_version=stop.policy_version,
    )
