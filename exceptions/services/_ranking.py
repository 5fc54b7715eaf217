"""Severity, queue, owner and clocks of cases, by policy."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from erp.accounts.models import Entity
from erp.governance.services import Question, decide
from erp.kernel.calendars import BusinessCalendar, business_calendar
from erp.kernel.sql import rows
from exceptions.rules.clocks import due, start_within
from exceptions.rules.conditions import Condition
from exceptions.rules.sharing import Desk, share_out
from exceptions.rules.yardstick import about_dollars
from exceptions.services.desks._shifting import present

TYPICAL = """
    SELECT type, percentile_cont(0.5) WITHIN GROUP (ORDER BY worked_minutes)
    FROM (
        SELECT type, worked_minutes, row_number() OVER (PARTITION BY type ORDER BY resolved_at DESC)
        FROM exceptions_exceptioncase
        WHERE type = ANY(%(types)s::text[]) AND state = 'resolved' AND resolved_by_id IS NOT NULL
          AND worked_minutes IS NOT NULL
          AND resolved_at > %(now)s::timestamptz - interval '90 days'
    ) newest
    WHERE row_number <= 500
    GROUP BY type HAVING count(*) >= %(enough)s
"""
ENOUGH = 20  # cases of a type that people resolved, before what they took says anything
LOADS = """
    SELECT a.entity_id, a.role, u.id, (
        SELECT count(*) FROM exceptions_exceptioncase c
        WHERE c.owner_id = u.id AND c.state NOT IN ('resolved', 'dismissed')
          AND c.parent_id IS NULL
    )
    FROM (SELECT DISTINCT * FROM unnest(%(entities)s::bigint[], %(roles)s::text[])
          AS desk (entity_id, role)) desk
    JOIN accounts_roleassignment a ON a.entity_id = desk.entity_id AND a.role = desk.role
        AND (a.valid_from IS NULL OR a.valid_from <= %(now)s)
        AND (a.valid_until IS NULL OR a.valid_until > %(now)s)
    JOIN accounts_user u ON u.id = a.user_id AND u.is_active AND u.kind = 'person'
"""


@dataclass(frozen=True, slots=True)
class Rank:
    """How bad a condition is (1 is worst), and which version of the policy says so."""

    severity: int
    policy_version: str


@dataclass(frozen=True, slots=True)
class Route:
    """Whose desk a case comes to, and by when it must be acknowledged and resolved (UTC).

    Who has not begun by `start_by` will likely be late: the work that such cases take is left then.
    """

    queue: str
    acknowledge_by: datetime
    resolve_by: datetime
    start_by: datetime


class BusinessClock:
    """Reckons moments in the business time of entities. Each is reckoned once. One query."""

    def __init__(self, entity_ids: Collection[int]) -> None:
        self.entities = Entity.objects.in_bulk(set(entity_ids))
        self.reckoned: dict[tuple[int, datetime, int], datetime] = {}

    def __call__(self, entity_id: int, since: datetime, minutes: Decimal | int) -> datetime:
        """Return the moment (UTC) at which `minutes` of the entity's working time have passed."""
        key = (entity_id, since, int(minutes))
        if key not in self.reckoned:
            calendar = self.calendar(entity_id, since)
            self.reckoned[key] = due(calendar=calendar, since=since, minutes=int(minutes))
        return self.reckoned[key]

    def between(self, entity_id: int, since: datetime, until: datetime) -> timedelta:
        """Return the entity's working time between two moments; zero where none is left."""
        return self.calendar(entity_id, since).between(since, until)

    def calendar(self, entity_id: int, at: datetime) -> BusinessCalendar:
        """Return the working hours of the entity around a moment."""
        entity = self.entities[entity_id]
        return business_calendar(country=entity.country, time_zone=entity.time_zone, year=at.year)


def rank(conditions: Sequence[Condition], now: datetime) -> list[Rank]:
    """Return the severity of each condition, in order."""
    questions = [severity_question(one, one.subject_kind, one.subject_id) for one in conditions]
    return [
        Rank(int(decision.outcome["severity"]), decision.policy_version)
        for decision in decide(
            policy="exceptions.severity", questions=questions, now=now, keep=False
        )
    ]


def keep_rank(ranked: Sequence[tuple[int, Condition]], now: datetime) -> None:
    """Write down the decisions on the severity of cases that are new or changed theirs."""
    questions = [severity_question(one, "exceptions.case", case_id) for case_id, one in ranked]
    decide(policy="exceptions.severity", questions=questions, now=now)


def severity_question(condition: Condition, kind: str, subject_id: int) -> Question:
    return Question(
        entity_id=condition.entity_id,
        subject_kind=kind,
        subject_id=subject_id,
        facts={
            "type": condition.type,
            "expected_loss": condition.exposure.rank,
            "amount": about_dollars(condition.exposure.revenue, condition.currency),
            "tier": condition.exposure.tier,
            "days_late": condition.exposure.days_late,
        },
    )


def route(conditions: Sequence[Condition], ranks: Sequence[Rank], now: datetime) -> list[Route]:
    """Return the desk and the clocks of each condition, in order; clocks start `now`."""
    questions = [
        Question(
            entity_id=one.entity_id,
            subject_kind=one.subject_kind,
            subject_id=one.subject_id,
            facts={
                "type": one.type,
                "severity": found.severity,
                "tier": one.exposure.tier,
                "expected_loss": one.exposure.rank,
            },
        )
        for one, found in zip(conditions, ranks, strict=True)
    ]
    decisions = decide(policy="exceptions.routing", questions=questions, now=now, keep=False)
    clock = BusinessClock([one.entity_id for one in conditions])
    takes = typical_minutes({one.type for one in conditions}, now)
    return [
        Route(
            queue=str(decision.outcome["queue"]),
            acknowledge_by=clock(one.entity_id, now, decision.outcome["acknowledge_minutes"]),
            resolve_by=clock(one.entity_id, now, decision.outcome["resolve_minutes"]),
            start_by=clock(
                one.entity_id,
                now,
                start_within(int(decision.outcome["resolve_minutes"]), takes.get(one.type)),
            ),
        )
        for one, decision in zip(conditions, decisions, strict=True)
    ]


def owners(desks: Sequence[Desk], now: datetime) -> list[int | None]:
    """Return the least loaded person at each desk, in order; None where nobody sits.

    Of those who are in shift and not away; where nobody is, of those who come first. Three queries.
    """
    return share_out(desks, present(people_at(desks, now), now)) if desks else []


def people_at(desks: Collection[Desk], now: datetime) -> dict[Desk, dict[int, int]]:
    """Return who sits at each desk, and how many cases each of them has in all. One query."""
    if not desks:
        return {}
    loads: dict[Desk, dict[int, int]] = {}
    params = {
        "entities": [entity for entity, _ in desks],
        "roles": [role for _, role in desks],
        "now": now,
    }
    for entity_id, role, person, load in rows(LOADS, params):
        loads.setdefault((entity_id, role), {})[person] = load
    return loads


def typical_minutes(types: Collection[str], now: datetime) -> dict[str, int]:
    """Return the median of the business minutes that cases of a type lay with us. One query.

    Of the newest 500 that people resolved within 90 days; a type with fewer than 20 is left out.
    """
    params = {"types": sorted(types), "now": now, "enough": ENOUGH}
    return {code: round(minutes) for code, minutes in rows(TYPICAL, params)}
