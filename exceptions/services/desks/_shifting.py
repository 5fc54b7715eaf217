"""Who sits at a desk now, and the plan of it."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, datetime, time
from typing import ClassVar
from zoneinfo import ZoneInfo

from django.db import transaction

from erp.accounts.models import Role, RoleAssignment, User
from erp.governance.services import Change, record
from erp.kernel.errors import DomainError
from erp.kernel.sql import records, rows
from exceptions.models import Shift
from exceptions.rules.sharing import Desk
from exceptions.rules.shifts import WEEK, ShiftTimes, waits

SHIFTS = """
    SELECT s.entity_id, s.role, s.user_id, s.weekdays, s.starts, s.ends, s.valid_from,
           s.valid_until, e.time_zone
    FROM exceptions_shift s
    JOIN (SELECT DISTINCT * FROM unnest(%(entities)s::bigint[], %(roles)s::text[])
          AS desk (entity_id, role)) desk USING (entity_id, role)
    JOIN accounts_entity e ON e.id = s.entity_id
    ORDER BY s.id
"""
AWAY = """
    SELECT DISTINCT user_id FROM governance_absence
    WHERE user_id = ANY(%(people)s::bigint[]) AND cancelled_at IS NULL
      AND starts_at <= %(now)s AND ends_at > %(now)s
"""


class BadShift(DomainError):
    """That is no shift: no day, no time, or nobody of that role. `errors` names the field."""

    code: ClassVar[str] = "bad_shift"

    def __init__(self, field: str, message: str) -> None:
        self.errors = [{"field": field, "code": self.code, "message": message}]
        super().__init__(message)


def present(people: Mapping[Desk, Mapping[int, int]], now: datetime) -> dict[Desk, dict[int, int]]:
    """Return of each desk those who are there; where nobody is, those who come first. Two queries.

    Who is away is left out, unless everybody is.
    """
    everybody = sorted({one for found in people.values() for one in found})
    if not everybody:
        return {desk: dict(found) for desk, found in people.items()}
    away = {one for (one,) in rows(AWAY, {"people": everybody, "now": now})}
    shifts = _shifts(people)
    there: dict[Desk, dict[int, int]] = {}
    for desk, found in people.items():
        candidates = {one: load for one, load in found.items() if one not in away} or dict(found)
        until = {one: waits(_of(shifts, desk, one), now) for one in candidates}
        first = min((one for one in until.values() if one is not None), default=None)
        chosen = [one for one, wait in until.items() if wait == first]
        there[desk] = {one: candidates[one] for one in chosen}
    return there


@transaction.atomic
def plan_shift(
    *,
    entity_id: int,
    role: str,
    user: User | None,
    weekdays: str,
    hours: tuple[time, time],
    actor: User,
    now: datetime,
    valid: tuple[date | None, date | None] = (None, None),
) -> Shift:
    """Say when a role, or one person of it, sits at its desk. `hours` are local to the entity.

    Raises:
        BadShift: no weekday, hours that are one moment, days that end before they begin, no such
            role, or a person who has not got it there.
    """
    if role not in Role.values:
        raise BadShift("role", "There is no such role.")
    if len(weekdays) != WEEK or set(weekdays) - {"0", "1"} or "1" not in weekdays:
        raise BadShift("weekdays", "Say seven marks from Monday, 1 where the shift begins.")
    if hours[0] == hours[1]:
        raise BadShift("ends", "It ends at another time than it begins.")
    if valid[0] and valid[1] and valid[1] < valid[0]:
        raise BadShift("valid_until", "It ends after it begins.")
    held = RoleAssignment.objects.filter(user=user, entity_id=entity_id, role=role)
    if user is not None and not held.exists():
        raise BadShift("user", f"{user} has not got that role there.")
    made = Shift.objects.create(
        entity_id=entity_id, role=role, user=user, weekdays=weekdays, starts=hours[0],
        ends=hours[1], valid_from=valid[0], valid_until=valid[1],
    )  # fmt: skip
    _note(made, "plan_shift", actor, now)
    return made


@transaction.atomic
def drop_shift(*, shift_id: int, actor: User, now: datetime) -> None:
    """Take a shift out of the plan. Taking it again changes nothing."""
    found = Shift.objects.select_for_update().filter(pk=shift_id).first()
    if found is not None:
        _note(found, "drop_shift", actor, now)
        found.delete()


Planned = Mapping[tuple[int, str, int | None], list[ShiftTimes]]


def _shifts(people: Mapping[Desk, Mapping[int, int]]) -> Planned:
    found: dict[tuple[int, str, int | None], list[ShiftTimes]] = defaultdict(list)
    asked = {"entities": [one for one, _ in people], "roles": [role for _, role in people]}
    for row in records(SHIFTS, asked):
        found[row["entity_id"], row["role"], row["user_id"]].append(
            ShiftTimes(
                row["weekdays"], row["starts"], row["ends"], ZoneInfo(row["time_zone"]),
                row["valid_from"], row["valid_until"],
            )
        )  # fmt: skip
    return found


def _of(shifts: Planned, desk: Desk, person: int) -> list[ShiftTimes]:
    return shifts.get((*desk, person)) or shifts.get((*desk, None)) or []


def _note(shift: Shift, verb: str, actor: User, now: datetime) -> None:
    hours = f"{shift.starts:%H:%M}-{shift.ends:%H:%M}"
    change = Change(
        entity_id=shift.entity_id,
        action=f"exceptions.{verb}",
        subject_kind="exceptions.shift",
        subject_id=shift.pk,
        thread=f"exceptions.shift:{shift.pk}",
        after={"role": shift.role, "user": shift.user_id, "days": shift.weekdays, "hours": hours},
    )
    record(changes=[change], actor=actor, now=now)
