"""Opens cases, keeps their figures true, and closes them when their condition is over."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import orjson
from django.db import transaction

from erp.governance.services import Change, record
from erp.kernel.sql import records, rows, run
from erp.kernel.states import move, target_of
from erp.outbox.publishing import publish_all
from exceptions.events import CaseOpened
from exceptions.models import ExceptionCase
from exceptions.rules.conditions import Condition, Key
from exceptions.services._hanging import hang
from exceptions.services._lasting import note_where
from exceptions.services._noticing import URGENT, Told, in_words, tell
from exceptions.services._ranking import Rank, Route, keep_rank, owners, rank, route
from exceptions.services._threads import thread
from exceptions.services._timing import set_timers
from exceptions.services._waiting import NO_LONGER_WAITING

REOPENS_WITHIN = timedelta(days=7)

LATEST = """
    SELECT DISTINCT ON (c.type, c.subject_kind, c.subject_id)
           c.id, c.type, c.subject_kind, c.subject_id, c.state, c.is_muted, c.resolved_at,
           c.severity, c.summary, c.reasons::text AS reasons, c.queue, c.owner_id,
           c.acknowledged_at, c.acknowledge_by, c.start_by, c.resolve_by, c.cause_kind, c.cause_id
    FROM unnest(%(types)s::text[], %(kinds)s::text[], %(subjects)s::bigint[])
        AS asked (type, kind, subject)
    JOIN exceptions_exceptioncase c ON c.subject_id = asked.subject
        AND c.subject_kind = asked.kind AND c.type = asked.type
    ORDER BY c.type, c.subject_kind, c.subject_id, c.state IN ('resolved', 'dismissed'), c.id DESC
"""

OPEN = """
    INSERT INTO exceptions_exceptioncase (
        opened_at, updated_at, resolution, escalation_level, reopened_count, is_muted,
        type, subject_kind, subject_id, subject_label, entity_id, order_id, party, tier, currency,
        summary, reasons, expected_loss, rank, severity, policy_version, queue, owner_id, state,
        acknowledge_by, start_by, resolve_by, cause_kind, cause_id
    )
    SELECT %(now)s, %(now)s, '', 0, 0, false, new.*
    FROM unnest(
        %(types)s::text[], %(kinds)s::text[], %(subjects)s::bigint[], %(labels)s::text[],
        %(entities)s::bigint[], %(orders)s::bigint[], %(parties)s::text[], %(tiers)s::text[],
        %(currencies)s::text[], %(summaries)s::text[], %(reasons)s::jsonb[], %(losses)s::numeric[],
        %(ranks)s::numeric[], %(severities)s::smallint[], %(versions)s::text[], %(queues)s::text[],
        %(owners)s::bigint[], %(states)s::text[], %(acknowledge)s::timestamptz[],
        %(start)s::timestamptz[], %(resolve)s::timestamptz[], %(cause_kinds)s::text[],
        %(cause_ids)s::bigint[]
    ) AS new
    ON CONFLICT (type, subject_kind, subject_id) WHERE state NOT IN ('resolved', 'dismissed')
        DO NOTHING
    RETURNING type, subject_kind, subject_id, id
"""

KEEP_TRUE = """
    UPDATE exceptions_exceptioncase c
    SET subject_label = new.label, party = new.party, tier = new.tier, summary = new.summary,
        reasons = new.reasons, expected_loss = new.loss, rank = new.rank, severity = new.severity,
        policy_version = new.version, queue = new.queue, owner_id = new.owner,
        acknowledge_by = new.acknowledge_by, start_by = new.start_by, resolve_by = new.resolve_by,
        cause_kind = new.cause_kind, cause_id = new.cause_id,
        reopened_count = c.reopened_count + new.reopened, updated_at = %(now)s
    FROM unnest(
        %(ids)s::bigint[], %(labels)s::text[], %(parties)s::text[], %(tiers)s::text[],
        %(summaries)s::text[], %(reasons)s::jsonb[], %(losses)s::numeric[],
        %(ranks)s::numeric[], %(severities)s::smallint[], %(versions)s::text[], %(queues)s::text[],
        %(owners)s::bigint[], %(acknowledge)s::timestamptz[], %(start)s::timestamptz[],
        %(resolve)s::timestamptz[], %(reopened)s::int[], %(cause_kinds)s::text[],
        %(cause_ids)s::bigint[]
    ) AS new (
        id, label, party, tier, summary, reasons, loss, rank, severity, version, queue, owner,
        acknowledge_by, start_by, resolve_by, reopened, cause_kind, cause_id
    )
    WHERE c.id = new.id
"""


@dataclass(frozen=True, slots=True)
class Raised:
    """The cases that were opened, came back, or changed their figures."""

    opened: list[int] = field(default_factory=list)
    reopened: list[int] = field(default_factory=list)
    changed: list[int] = field(default_factory=list)


@dataclass(slots=True)
class _Plan:
    """One condition beside the case it has, and what is decided about it."""

    condition: Condition
    rank: Rank
    known: dict[str, Any] | None = None
    route: Route | None = None  # a fresh one: the case is new, back, or worse than it was
    owner: int | None = None

    @property
    def is_back(self) -> bool:
        return self.known is not None and self.known["state"] in ("resolved", "dismissed")

    @property
    def is_worse(self) -> bool:
        return self.known is not None and self.rank.severity < self.known["severity"]

    @property
    def waits(self) -> bool:
        return self.known is not None and self.known["state"] == "waiting"

    @property
    def is_ours_to_hand_on(self) -> bool:
        """Nobody has said yet that they are on it."""
        return self.known is None or self.is_back or self.known["acknowledged_at"] is None


@transaction.atomic
def raise_cases(*, conditions: Sequence[Condition], now: datetime) -> Raised:
    """Open a case for each condition that has none; bring the figures of the others up to date.

    A condition that comes back within seven days is the same case, opened again. One that
    somebody dismissed stays dismissed while it lasts, unless it got worse. A case that got worse
    gets the shorter of its clocks, and another desk if nobody has acknowledged it.

    Locks the types, so that what is known of them is not out of date. A handful of statements for
    any number of conditions.

    Publishes:
        CaseOpened
    """
    by_key = {one.key: one for one in conditions}
    if not by_key:
        return Raised()
    ExceptionCase.objects.settle({one.type for one in by_key.values()})
    plans = _plans(by_key, now)
    _give_desks(plans, now)
    fresh = [plan for plan in plans if plan.known is None]
    back = [plan for plan in plans if plan.is_back]
    opened = _open(fresh, now)
    if back:
        move(
            ExceptionCase, "reopen", [_id(plan) for plan in back], resolved_by=None,
            resolved_at=None, resolution="", acknowledged_at=None, is_muted=False,
            escalation_level=0,
        )  # fmt: skip
    kept = [plan for plan in plans if plan.known is not None]
    _keep_true(kept, now)
    _record(opened, kept, now)
    touched = [pk for pk, _ in opened] + [_id(plan) for plan in kept]
    hang(touched, now)
    set_timers(touched, now)
    note_where(touched, now)
    _tell_owners([*opened, *((_id(plan), plan) for plan in back)], now)
    reopened = [_id(plan) for plan in back]
    publish_all(
        [_opened(case_id, plan) for case_id, plan in opened]
        + [_opened(_id(plan), plan) for plan in back]
    )
    changed = [_id(plan) for plan in kept if not plan.is_back]
    return Raised([case_id for case_id, _ in opened], reopened, changed)


def _plans(by_key: dict[Key, Condition], now: datetime) -> list[_Plan]:
    """Return what must be written: conditions whose case is missing, closed or out of date."""
    known = _latest(list(by_key))
    open_to_doubt = []
    for key, condition in by_key.items():
        case = known.get(key)
        if case is not None and case["state"] == "resolved":
            case = case if now - case["resolved_at"] <= REOPENS_WITHIN else None
        elif case is not None and case["state"] == "dismissed" and not case["is_muted"]:
            case = None
        if case is None or not _says_the_same(case, condition):
            open_to_doubt.append((condition, case))
    ranks = rank([condition for condition, _ in open_to_doubt], now)
    plans = [
        _Plan(condition, found, case)
        for (condition, case), found in zip(open_to_doubt, ranks, strict=True)
    ]
    return [
        plan for plan in plans if plan.known is None or not plan.known["is_muted"] or plan.is_worse
    ]


def _latest(keys: Sequence[Key]) -> dict[Key, dict[str, Any]]:
    found = records(
        LATEST,
        {
            "types": [kind for kind, _, _ in keys],
            "kinds": [kind for _, kind, _ in keys],
            "subjects": [subject for _, _, subject in keys],
        },
    )
    return {(one["type"], one["subject_kind"], one["subject_id"]): one for one in found}


def _says_the_same(case: dict[str, Any], condition: Condition) -> bool:
    return (
        case["state"] not in ("resolved", "dismissed")
        and case["summary"] == condition.summary
        and orjson.loads(case["reasons"]) == condition.reasons()
        and (case["cause_kind"], case["cause_id"]) == (condition.cause or ("", None))
    )


def _give_desks(plans: Sequence[_Plan], now: datetime) -> None:
    """Route the new, the returned and the worsened; share those nobody is on among the people."""
    moving = [plan for plan in plans if plan.known is None or plan.is_back or plan.is_worse]
    routes = route([plan.condition for plan in moving], [plan.rank for plan in moving], now)
    for plan, found in zip(moving, routes, strict=True):
        plan.route = found
    handed = [
        plan
        for plan, found in zip(moving, routes, strict=True)
        if plan.is_ours_to_hand_on
        and (plan.known is None or plan.is_back or plan.known["queue"] != found.queue)
    ]
    desks = [(plan.condition.entity_id, plan.route.queue) for plan in handed if plan.route]
    for plan in plans:
        plan.owner = plan.known["owner_id"] if plan.known else None
    for plan, person in zip(handed, owners(desks, now), strict=True):
        plan.owner = person


def _open(plans: Sequence[_Plan], now: datetime) -> list[tuple[int, _Plan]]:
    if not plans:
        return []
    routes = [plan.route for plan in plans if plan.route is not None]
    assigned, unassigned = target_of(ExceptionCase, "assign"), ExceptionCase.State.OPEN.value
    inserted = rows(
        OPEN,
        {
            **_columns(plans, now),
            "types": [plan.condition.type for plan in plans],
            "kinds": [plan.condition.subject_kind for plan in plans],
            "subjects": [plan.condition.subject_id for plan in plans],
            "entities": [plan.condition.entity_id for plan in plans],
            "orders": [plan.condition.order_id for plan in plans],
            "currencies": [plan.condition.currency for plan in plans],
            "queues": [found.queue for found in routes],
            "states": [assigned if plan.owner else unassigned for plan in plans],
            "acknowledge": [found.acknowledge_by for found in routes],
            "start": [found.start_by for found in routes],
            "resolve": [found.resolve_by for found in routes],
        },
    )
    ids = {(kind, subject_kind, subject): pk for kind, subject_kind, subject, pk in inserted}
    return [(ids[plan.condition.key], plan) for plan in plans if plan.condition.key in ids]


def _keep_true(plans: Sequence[_Plan], now: datetime) -> None:
    if not plans:
        return
    clocks = [_clocks(plan) for plan in plans]
    run(
        KEEP_TRUE,
        {
            **_columns(plans, now),
            "ids": [_id(plan) for plan in plans],
            "queues": [_queue(plan) for plan in plans],
            "acknowledge": [acknowledge for acknowledge, _, _ in clocks],
            "start": [start for _, start, _ in clocks],
            "resolve": [resolve for _, _, resolve in clocks],
            "reopened": [int(plan.is_back) for plan in plans],
        },
    )
    waiting = [_id(plan) for plan in plans if plan.is_ours_to_hand_on and plan.owner]
    move(ExceptionCase, "assign", waiting)
    worse = [_id(plan) for plan in plans if plan.is_worse and plan.waits]
    move(ExceptionCase, "start", worse, **NO_LONGER_WAITING)


def _columns(plans: Sequence[_Plan], now: datetime) -> dict[str, Any]:
    conditions = [plan.condition for plan in plans]
    return {
        "now": now,
        "labels": [one.subject_label for one in conditions],
        "parties": [one.party for one in conditions],
        "tiers": [one.exposure.tier for one in conditions],
        "summaries": [one.summary for one in conditions],
        "reasons": [orjson.dumps(one.reasons()).decode() for one in conditions],
        "losses": [one.exposure.expected_loss for one in conditions],
        "ranks": [one.exposure.rank for one in conditions],
        "severities": [plan.rank.severity for plan in plans],
        "versions": [plan.rank.policy_version for plan in plans],
        "owners": [plan.owner for plan in plans],
        "cause_kinds": [one.cause[0] if one.cause else "" for one in conditions],
        "cause_ids": [one.cause[1] if one.cause else None for one in conditions],
    }


def _clocks(plan: _Plan) -> tuple[datetime, datetime | None, datetime]:
    case = plan.known or {}
    if plan.route is None:
        return case["acknowledge_by"], case["start_by"], case["resolve_by"]
    if plan.is_back:
        return plan.route.acknowledge_by, plan.route.start_by, plan.route.resolve_by
    return (
        min(case["acknowledge_by"], plan.route.acknowledge_by),
        min(case["start_by"] or plan.route.start_by, plan.route.start_by),
        min(case["resolve_by"], plan.route.resolve_by),
    )


def _queue(plan: _Plan) -> str:
    known = str((plan.known or {})["queue"])
    return plan.route.queue if plan.route and plan.is_ours_to_hand_on else known


def _id(plan: _Plan) -> int:
    return int((plan.known or {})["id"])


def _opened(case_id: int, plan: _Plan) -> CaseOpened:
    return CaseOpened(
        case_id=case_id,
        entity_id=plan.condition.entity_id,
        type=plan.condition.type,
        severity=plan.rank.severity,
    )


def _tell_owners(plans: Sequence[tuple[int, _Plan]], now: datetime) -> None:
    """Tell people what came to their desk; of what hangs under a parent, nothing."""
    hung = set(
        ExceptionCase.objects.filter(pk__in=[pk for pk, _ in plans], parent__isnull=False)
        .values_list("pk", flat=True)
    )  # fmt: skip
    tell(
        [
            Told(
                user_id=plan.owner,
                case_id=pk,
                kind="assigned",
                key=f"opened:{pk}:{now.isoformat()}",
                text=in_words(
                    plan.condition.type, plan.condition.subject_label, plan.rank.severity,
                    plan.condition.summary,
                ),
                is_urgent=plan.rank.severity <= URGENT,
            )
            for pk, plan in plans
            if plan.owner and pk not in hung
        ],
        now,
    )  # fmt: skip


def _record(opened: Sequence[tuple[int, _Plan]], kept: Sequence[_Plan], now: datetime) -> None:
    """Write the audit of what opened, came back or changed its severity, and why."""
    told = [(case_id, plan, "exceptions.open") for case_id, plan in opened]
    for plan in kept:
        if plan.is_back:
            told.append((_id(plan), plan, "exceptions.reopen"))
        elif plan.known and plan.rank.severity != plan.known["severity"]:
            told.append((_id(plan), plan, "exceptions.rank"))
    if not told:
        return
    keep_rank([(case_id, plan.condition) for case_id, plan, _ in told], now)
    record(
        changes=[
            Change(
                entity_id=plan.condition.entity_id,
                action=action,
                subject_kind="exceptions.case",
                subject_id=case_id,
                thread=thread(case_id, plan.condition.order_id),
                before={"severity": plan.known["severity"]} if plan.known else None,
                after={
                    "type": plan.condition.type,
                    "severity": plan.rank.severity,
                    "expected_loss": plan.condition.exposure.expected_loss,
                    "owner": plan.owner,
                },
                reason=plan.condition.summary,
                policy_version=plan.rank.policy_version,
            )
            for case_id, plan, action in told
        ],
        actor=None,
        now=now,
    )
