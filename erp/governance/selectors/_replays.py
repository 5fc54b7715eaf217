"""Replays: how far they are, and what a version would have changed."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson
from django.db.models import QuerySet

from erp.governance.documents import Named, named
from erp.governance.models import PolicyReplay, PolicyReplayChange
from erp.governance.rules.replaying import value_text
from erp.kernel.sql import rows

FLIPS = """
    SELECT o.key, o.value, n.value, c.currency, count(*), sum(c.amount)
    FROM governance_policyreplaychange c
    CROSS JOIN LATERAL jsonb_each(c.before) AS o(key, value)
    LEFT JOIN LATERAL jsonb_each(c.after) AS n(key, value) ON n.key = o.key
    WHERE c.replay_id = %(replay)s AND o.value IS DISTINCT FROM n.value
    GROUP BY 1, 2, 3, 4 ORDER BY 1, 5 DESC, 2, 3, 4
    LIMIT 60
"""
SIDES = """
    SELECT e.code, {customer}, c.effect, c.currency, count(*), sum(c.amount)
    FROM governance_policyreplaychange c JOIN accounts_entity e ON e.id = c.entity_id
    WHERE c.replay_id = %(replay)s
    GROUP BY 1, 2, 3, 4 ORDER BY 5 DESC, 1, 2, 3, 4
    LIMIT %(limit)s
"""
CUSTOMERS_MAX = 20


@dataclass(frozen=True, slots=True)
class Flip:
    """How many subjects go from one value of an outcome to another, and what is at stake."""

    outcome: str
    before: str
    after: str
    subjects: int
    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class Side:
    """How many subjects of an entity (and customer) gain, lose or only differ, and their money."""

    entity_code: str
    customer: str
    effect: str
    subjects: int
    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class ReplayPage:
    """One replay: its progress and, as far as it went, its results.

    `totals` are (outcome, value, decisions before, decisions after). Money is never added across
    currencies.
    """

    id: int
    state: str
    days: int
    since: datetime
    until: datetime
    total: int
    done: int
    skipped: int
    unable: int
    reasons: Sequence[tuple[str, int]]
    message: str
    changed: int
    is_over: bool
    asked_by: str
    asked_at: datetime
    finished_at: datetime | None
    totals: Sequence[tuple[str, str, int, int]]
    flips: Sequence[Flip]
    entities: Sequence[Side]
    customers: Sequence[Side]
    simulation: str


def replays_within(entity_ids: Collection[int]) -> QuerySet[PolicyReplay]:
    """Return the replays that read nothing beyond `entity_ids`."""
    found = PolicyReplay.objects.filter(entities__contained_by=sorted(entity_ids))
    return found.select_related("version__policy", "version__entity", "asked_by")


def last_replay(*, version_id: int, entity_ids: Collection[int]) -> PolicyReplay | None:
    """Return the newest replay of a version that the person may see."""
    return replays_within(entity_ids).filter(version=version_id).order_by("-pk").first()


def replay_page(replay: PolicyReplay) -> ReplayPage:
    """Return a replay with its results so far. Four queries."""
    changed = replay.changes.count()
    customers = _sides(replay, "c.customer", CUSTOMERS_MAX) if changed else []
    return ReplayPage(
        id=replay.pk,
        state=str(replay.state),
        days=replay.days,
        since=replay.since,
        until=replay.until,
        total=replay.total,
        done=replay.done,
        skipped=replay.skipped,
        unable=replay.unable,
        reasons=sorted(replay.reasons.items(), key=lambda each: (-each[1], each[0])),
        message=replay.message,
        changed=changed,
        is_over=replay.state in {PolicyReplay.State.DONE, PolicyReplay.State.FAILED},
        asked_by=str(replay.asked_by),
        asked_at=replay.asked_at,
        finished_at=replay.finished_at,
        totals=_totals(replay.totals),
        flips=_flips(replay) if changed else [],
        entities=_sides(replay, "''", 200) if changed else [],
        customers=[side for side in customers if side.customer],
        simulation=replay.version.policy.traits.get("simulation", ""),
    )


def replay_changes(replay: PolicyReplay) -> QuerySet[PolicyReplayChange]:
    """Return what a replay changes, subject by subject."""
    return replay.changes.select_related("entity", "before_version")


def named_changes(
    found: Iterable[PolicyReplayChange],
) -> list[tuple[PolicyReplayChange, Named]]:
    """Return changes with what people call their documents. One query for each kind."""
    changes = list(found)
    names = named((each.subject_kind, each.subject_id) for each in changes)
    return [(each, names[each.subject_kind, each.subject_id]) for each in changes]


def _totals(totals: Mapping[str, Mapping[str, Sequence[int]]]) -> list[tuple[str, str, int, int]]:
    return [
        (name, value, pair[0], pair[1])
        for name, by_value in sorted(totals.items())
        for value, pair in sorted(by_value.items(), key=lambda each: -max(each[1]))
        if pair[0] != pair[1] or len(by_value) <= 6  # noqa: PLR2004  few are worth showing whole
    ]


def _flips(replay: PolicyReplay) -> list[Flip]:
    return [
        Flip(name, _word(old), _word(new), count, amount, currency)
        for name, old, new, currency, count, amount in rows(FLIPS, {"replay": replay.pk})
    ]


def _sides(replay: PolicyReplay, customer: str, limit: int) -> list[Side]:
    asked = {"replay": replay.pk, "limit": limit}
    return [
        Side(code, who, effect, count, amount, currency)
        for code, who, effect, currency, count, amount in rows(
            SIDES.format(customer=customer), asked
        )
    ]


def _word(value: Any) -> str:
    return value_text(orjson.loads(value) if isinstance(value, str) else value)
