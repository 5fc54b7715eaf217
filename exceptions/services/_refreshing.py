"""Holds the cases against the world: opens what is missing, closes what is over."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from erp.governance.services import Change, record
from erp.kernel.sql import rows, run
from erp.kernel.states import move
from erp.outbox.publishing import publish_all
from exceptions.events import CaseResolved
from exceptions.models import ExceptionCase
from exceptions.rules.conditions import Key
from exceptions.selectors import Pace, case_type, label_of, types_at
from exceptions.services._hanging import hang
from exceptions.services._lasting import note_closed
from exceptions.services._raising import Raised, raise_cases
from exceptions.services._threads import thread
from exceptions.services._timing import set_timers
from exceptions.services._waiting import NO_LONGER_WAITING

OVER = "The condition is over."

# Cases whose condition may be over: live ones, and dismissed ones that still keep others away.
STANDING = """
    SELECT id, type, subject_kind, subject_id, entity_id, order_id, is_muted
    FROM exceptions_exceptioncase
    WHERE (%(type)s IS NULL OR type = %(type)s)
      AND (state NOT IN ('resolved', 'dismissed') OR is_muted)
      AND (%(subjects)s::bigint[] IS NULL OR subject_id = ANY(%(subjects)s::bigint[]))
      AND (%(orders)s::bigint[] IS NULL OR order_id = ANY(%(orders)s::bigint[]))
    ORDER BY id
"""
CHILDREN = """
    SELECT type, subject_id, id, is_merged FROM exceptions_exceptioncase
    WHERE parent_id = ANY(%s) AND state NOT IN ('resolved', 'dismissed')
    ORDER BY id
"""
LET_GO = """
    UPDATE exceptions_exceptioncase SET is_merged = false, parent_id = NULL
    WHERE id = ANY(%s) AND is_merged
"""
UNMUTE = "UPDATE exceptions_exceptioncase SET is_muted = false WHERE id = ANY(%s) AND is_muted"


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What came of holding cases of one type against the world."""

    raised: Raised
    cleared: list[int]

    @property
    def found_something(self) -> bool:
        return bool(self.raised.opened or self.raised.reopened or self.cleared)


@dataclass(frozen=True, slots=True)
class Swept:
    """Cases that a sweep opened or closed, by type. Of types told by events: all were missed."""

    opened: dict[str, int]
    cleared: dict[str, int]


@transaction.atomic
def refresh(
    *,
    type: str,  # noqa: A002  it is the type of a case
    now: datetime,
    subject_ids: Collection[int] | None = None,
    order_ids: Collection[int] | None = None,
) -> Refreshed:
    """Look whether conditions of one type hold for some subjects or orders (None: all of them).

    Opens, updates or reopens their cases, and resolves those whose condition is over. Locks the
    type first, so that nothing is decided on what somebody else is about to change.

    Publishes:
        CaseOpened
        CaseResolved
    """
    ExceptionCase.objects.settle([type])
    kind = case_type(type)
    subjects = None if subject_ids is None else sorted(set(subject_ids))
    orders = None if order_ids is None else sorted(set(order_ids))
    found = kind.find(now=now, subject_ids=subjects, order_ids=orders)
    raised = raise_cases(conditions=found, now=now)
    holding = {condition.key for condition in found}
    return Refreshed(raised, _close(type, holding, subjects, orders, now))


@transaction.atomic
def clear(
    *,
    now: datetime,
    type: str = "",  # noqa: A002
    subject_ids: Collection[int] | None = None,
    order_ids: Collection[int] | None = None,
) -> list[int]:
    """Resolve the cases of these subjects or orders whose condition is over; return which.

    Of one type, or of all. Costs one look at an index when there are none, which is the rule.

    Publishes:
        CaseResolved
    """
    standing = rows(
        STANDING,
        {
            "type": type or None,
            "subjects": None if subject_ids is None else sorted(set(subject_ids)),
            "orders": None if order_ids is None else sorted(set(order_ids)),
        },
    )
    by_type: dict[str, list[int]] = {}
    for _, code, _, subject_id, *_ in standing:
        by_type.setdefault(code, []).append(subject_id)
    return [
        pk
        for code, subjects in sorted(by_type.items())
        for pk in refresh(type=code, subject_ids=subjects, now=now).cleared
    ]


@transaction.atomic
def sweep(*, now: datetime, types: Sequence[str] | None = None) -> Swept:
    """Hold every case of `types` (None: all) against the world: what events told needs nothing.

    Publishes:
        CaseOpened
        CaseResolved
    """
    opened, cleared = {}, {}
    for code in types if types is not None else types_at(*Pace):
        found = refresh(type=code, now=now)
        if found.found_something:
            opened[code] = len(found.raised.opened) + len(found.raised.reopened)
            cleared[code] = len(found.cleared)
    return Swept(opened, cleared)


@transaction.atomic
def reconsider_children(*, parent_ids: Collection[int], now: datetime) -> list[int]:
    """Look again at what hung under cases that are over; return which of them are over too.

    What still holds stands for itself, with its clocks, or hangs under another case of its cause.

    Publishes:
        CaseResolved
    """
    found = rows(CHILDREN, [sorted(set(parent_ids))])
    by_type: dict[str, list[int]] = {}
    for code, subject_id, *_ in found:
        by_type.setdefault(code, []).append(subject_id)
    ExceptionCase.objects.settle(by_type)
    cleared = [
        pk
        for code, subjects in sorted(by_type.items())
        for pk in refresh(type=code, subject_ids=subjects, now=now).cleared
    ]
    left = [pk for _, _, pk, _ in found if pk not in set(cleared)]
    merged = [pk for _, _, pk, is_merged in found if is_merged]
    if merged:
        run(LET_GO, [merged])
        set_timers(merged, now)
    hang(left, now)
    return cleared


def _close(
    type_code: str,
    holding: Collection[Key],
    subjects: list[int] | None,
    orders: list[int] | None,
    now: datetime,
) -> list[int]:
    if not case_type(type_code).self_clearing:
        return []
    standing = rows(STANDING, {"type": type_code, "subjects": subjects, "orders": orders})
    over = [one for one in standing if one[1:4] not in holding]
    muted = [pk for pk, *_, is_muted in over if is_muted]
    if muted:
        run(UNMUTE, [muted])
    closed = move(
        ExceptionCase, "resolve", [pk for pk, *_, is_muted in over if not is_muted],
        resolved_at=now, resolved_by=None, resolution=OVER, updated_at=now, **NO_LONGER_WAITING,
    )  # fmt: skip
    by_id = {pk: (entity_id, order_id) for pk, _, _, _, entity_id, order_id, _ in over}
    told = [(pk, *by_id[pk]) for pk in closed]
    set_timers(closed, now)
    note_closed(closed, now)
    tell_closed(told, type_code, OVER, now)
    return closed


def tell_closed(
    closed: Sequence[tuple[int, int, int | None]], type_code: str, why: str, now: datetime
) -> None:
    """Write and publish that cases (id, entity, order) closed by themselves."""
    record(
        changes=[
            Change(
                entity_id=entity_id,
                action="exceptions.clear",
                subject_kind="exceptions.case",
                subject_id=pk,
                thread=thread(pk, order_id),
                after={"state": "resolved", "type": type_code},
                reason=f"{label_of(type_code)}: {why}",
            )
            for pk, entity_id, order_id in closed
        ],
        actor=None,
        now=now,
    )
    publish_all(
        [CaseResolved(case_id=pk, entity_id=entity_id, state="resolved")
         for pk, entity_id, _ in closed]
    )  # fmt: skip
