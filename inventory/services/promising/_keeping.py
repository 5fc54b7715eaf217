"""Keeps calendars and lanes."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db import transaction

from erp.governance.services import Change, record
from inventory.models import Calendar, CalendarDay, Lane, Node
from inventory.services._keeping import BadMasterData
from inventory.services.promising._drafting import CalendarDraft, DayDraft, LaneDraft
from inventory.services.promising._following import tell_of_calendar

if TYPE_CHECKING:
    from erp.accounts.models import User

WEEK = re.compile(r"[01]{7}")
CODE = re.compile(r"[^\s\0/]{1,20}")
DAYS_MAX = 3_660
LANE_DAYS_MAX = 365
RATE_MAX = Decimal(10**15)


@transaction.atomic
def save_calendar(*, draft: CalendarDraft, actor: "User | None", now: datetime) -> int:
    """Add or change one calendar by code; return its id. What is as it should be is not audited.

    Raises:
        BadMasterData: one of its fields cannot be kept.

    Publishes:
        CalendarChanged
    """
    for field, sentence in _calendar_faults(draft):
        raise BadMasterData(0, field, sentence)
    wanted = {
        "name": draft.name,
        "country": draft.country,
        "weekdays": draft.weekdays,
        "cutoff": draft.cutoff,
    }
    kept = Calendar.objects.select_for_update().filter(code=draft.code).first()
    before = {} if kept is None else {name: getattr(kept, name) for name in wanted}
    if kept is None:
        kept = Calendar.objects.create(code=draft.code, **wanted)
    elif before != wanted:
        Calendar.objects.filter(pk=kept.pk).update(**wanted)
    days = None if draft.days is None else _keep_days(kept.pk, draft.days)
    if before != wanted or days is not None:
        said = {**wanted, "days": days}
        _record(f"inventory.calendar:{kept.pk}", before, said, actor, now)
        if before:
            tell_of_calendar(kept.pk, draft.code, "Other days in calendar", {})
    return kept.pk


def _keep_days(calendar_id: int, days: Sequence[DayDraft]) -> list[dict[str, Any]] | None:
    """Write the days anew if they differ; return them, or None where nothing changed."""
    wanted = sorted((asdict(each) for each in days), key=lambda each: each["day"])
    kept = CalendarDay.objects.filter(calendar=calendar_id).order_by("day")
    if list(kept.values("day", "is_working", "name")) == wanted:
        return None
    kept.delete()
    CalendarDay.objects.bulk_create(
        [CalendarDay(calendar_id=calendar_id, **each) for each in wanted]
    )
    return wanted


@transaction.atomic
def save_lane(*, draft: LaneDraft, actor: "User | None", now: datetime) -> int:
    """Add or change the lane between two nodes; return its id.

    Raises:
        BadMasterData: one of its fields cannot be kept.
    """
    nodes = dict(
        Node.objects.filter(code__in=[draft.origin, draft.destination]).values_list("code", "pk")
    )
    for field, sentence in _lane_faults(draft, nodes):
        raise BadMasterData(0, field, sentence)
    key = {"origin_id": nodes[draft.origin], "destination_id": nodes[draft.destination]}
    names = ("days", "cost", "currency")
    wanted = {name: getattr(draft, name) for name in names}
    kept = Lane.objects.select_for_update().filter(**key).first()
    before = {} if kept is None else {name: getattr(kept, name) for name in names}
    if kept is None:
        kept = Lane.objects.create(**key, **wanted)
    elif before != wanted:
        Lane.objects.filter(pk=kept.pk).update(**wanted)
    if before != wanted:
        said = {**wanted, "origin": draft.origin, "destination": draft.destination}
        _record(f"inventory.lane:{kept.pk}", before, said, actor, now)
    return kept.pk


def _calendar_faults(draft: CalendarDraft) -> Iterator[tuple[str, str]]:
    if not CODE.fullmatch(draft.code):
        yield "code", "A code has one to twenty characters, no space and no slash."
    if not draft.name.strip() or "\0" in draft.name:
        yield "name", "A calendar has a name."
    if draft.country and not re.fullmatch(r"[A-Z]{2}", draft.country):
        yield "country", "A country is two capital letters."
    if not WEEK.fullmatch(draft.weekdays) or draft.weekdays == "0000000":
        yield "weekdays", "The week is seven digits from Monday, 0 or 1, and some day is worked."
    days = draft.days or ()
    if len(days) > DAYS_MAX:
        yield "days", f"A calendar holds at most {DAYS_MAX} exceptional days."
    if len({each.day for each in days}) < len(days):
        yield "days", "A day is named once."


def _lane_faults(draft: LaneDraft, nodes: dict[str, int]) -> Iterator[tuple[str, str]]:
    for field in ("origin", "destination"):
        if getattr(draft, field) not in nodes:
            yield field, f"There is no node {getattr(draft, field)!r}."
    if draft.origin == draft.destination:
        yield "destination", "A lane leads to another node."
    if not 0 <= draft.days <= LANE_DAYS_MAX:
        yield "days", f"A lane takes at most {LANE_DAYS_MAX} days."
    if not re.fullmatch(r"[A-Z]{3}", draft.currency):
        yield "currency", "A currency is three capital letters."
    if (
        not draft.cost.is_finite()
        or not 0 <= draft.cost < RATE_MAX
        or round(draft.cost, 4) != draft.cost
    ):
        yield "cost", "A cost is zero or more, to a hundredth of a cent."


def _record(
    thread: str,
    before: dict[str, Any],
    after: dict[str, Any],
    actor: "User | None",
    now: datetime,
) -> None:
    kind, _colon, row_id = thread.partition(":")
    change = Change(
        entity_id=None,
        action="inventory.change" if before else "inventory.add",
        subject_kind=kind,
        subject_id=int(row_id),
        thread=thread,
        before={name: _plain(value) for name, value in before.items()},
        after={name: _plain(value) for name, value in after.items() if value is not None},
    )
    record(changes=[change], actor=actor, now=now)


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [f"{each['day']}{' worked' if each['is_working'] else ''}" for each in value]
    return value.isoformat("minutes") if hasattr(value, "isoformat") else value
