"""Replays: a version's table over the decisions of the last days, in pieces that can be resumed."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar

import orjson
from django.db import transaction

from erp.accounts.models import Entity, User
from erp.governance.events import PolicyReplayed
from erp.governance.models import PolicyReplay, PolicyVersion
from erp.governance.rules import BadTable, Problem, Schema, compile_table, in_force, read_table
from erp.governance.rules.replaying import (
    Recorded,
    Replayer,
    amount_of,
    changed_outcomes,
    count_values,
    effect_of,
    outcome_of,
    used_by,
)
from erp.governance.rules.standing import Term, nearest
from erp.governance.services._recording import Change, as_json, record
from erp.governance.services._versioning import PolicyRefused
from erp.kernel.errors import DomainError
from erp.kernel.sql import rows, run
from erp.outbox.publishing import publish

DAYS_MAX = 366
CHUNK = 4_000
STALE_AFTER = timedelta(seconds=20)
REASONS_MAX = 20
CLAIM = """
    UPDATE governance_policyreplay SET heartbeat_at = %(now)s
    WHERE id = (
        SELECT id FROM governance_policyreplay
        WHERE state IN ('waiting', 'running')
          AND (heartbeat_at IS NULL OR heartbeat_at < %(stale)s)
        ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
    )
    RETURNING id
"""
COUNT = """
    SELECT count(*) FROM governance_decisionrecord
    WHERE version_id = ANY(%(versions)s) AND at >= %(since)s AND at < %(until)s
      AND entity_id = ANY(%(entities)s)
"""
NEXT = """
    SELECT id, at, entity_id, node, subject_kind, subject_id, inputs::text, outcome::text, "row"
    FROM governance_decisionrecord
    WHERE version_id = %(version)s AND at >= %(since)s AND at < %(until)s
      AND (at, id) > (%(after_at)s::timestamptz, %(after_id)s)
      AND entity_id = ANY(%(entities)s)
    ORDER BY at, id LIMIT %(limit)s
"""
KEEP = """
    INSERT INTO governance_policyreplaychange AS kept (
        replay_id, subject_kind, subject_id, entity_id, at, before, after, before_version_id,
        before_row, after_row, effect, customer, amount, currency
    )
    SELECT %(replay)s, c.*
    FROM unnest(
        %(kinds)s::text[], %(subjects)s::bigint[], %(entities)s::bigint[], %(ats)s::timestamptz[],
        %(befores)s::jsonb[], %(afters)s::jsonb[], %(versions)s::bigint[],
        %(before_rows)s::smallint[], %(after_rows)s::smallint[], %(effects)s::text[],
        %(customers)s::text[], %(amounts)s::numeric[], %(currencies)s::text[]
    ) AS c
    ON CONFLICT (replay_id, subject_kind, subject_id) DO UPDATE SET
        entity_id = excluded.entity_id, at = excluded.at, before = excluded.before,
        after = excluded.after, before_version_id = excluded.before_version_id,
        before_row = excluded.before_row, after_row = excluded.after_row,
        effect = excluded.effect, customer = excluded.customer, amount = excluded.amount,
        currency = excluded.currency
    WHERE excluded.at >= kept.at
"""


class BadPeriod(DomainError):
    """A replay goes back from 1 to 366 days."""

    code: ClassVar[str] = "bad_period"


@dataclass(frozen=True, slots=True)
class _Past:
    """One recorded decision."""

    id: int
    at: datetime
    entity_id: int
    node: str
    subject_kind: str
    subject_id: int
    inputs: Mapping[str, Any]
    outcome: Mapping[str, Any]
    row: int | None


@dataclass(slots=True)
class _Work:
    """What stays the same while one replay runs in one process."""

    replay: PolicyReplay
    replayer: Replayer
    schema: Schema
    versions: Sequence[int]
    known: Mapping[int, frozenset[str]]
    standing: Mapping[Any, Term[int]]
    currencies: Mapping[int, str]
    outcomes: dict[tuple[int, ...], dict[str, Any]] = field(default_factory=dict)


@transaction.atomic
def ask_replay(
    *, version_id: int, entity_ids: Collection[int], days: int, actor: User, now: datetime
) -> PolicyReplay:
    """Have a version's table replayed over the last `days` days of recorded decisions.

    Only decisions in `entity_ids` are looked at; of an entity's version only that entity's. A
    worker takes it up. Asked again while the same one waits or runs, it is that one.

    Raises:
        PolicyVersion.DoesNotExist: there is no such version.
        BadPeriod: not 1 to 366 days.
        PolicyRefused: the table cannot be read any more.
    """
    if not 1 <= days <= DAYS_MAX:
        raise BadPeriod(f"Choose 1 to {DAYS_MAX} days.")
    version = PolicyVersion.objects.select_for_update(of=["self"]).get(pk=version_id)
    try:
        read_table(version.table, version.policy.schema)
    except BadTable as error:
        raise PolicyRefused([Problem(error.row, str(error), field=error.field)]) from None
    entities = (
        sorted(set(entity_ids) & {version.entity_id or 0})
        if version.entity_id
        else sorted(entity_ids)
    )
    same = PolicyReplay.objects.filter(
        version=version, days=days, entities=entities, table=version.table,
        state__in=["waiting", "running"],
    ).first()  # fmt: skip
    if same is not None:
        return same
    replay = PolicyReplay.objects.create(
        version=version,
        entities=entities,
        days=days,
        since=now - timedelta(days=days),
        until=now,
        table=version.table,
        asked_by=actor,
        asked_at=now,
    )
    _record(replay, version, "ask_replay", actor, now)
    return replay


@transaction.atomic
def claim_replay(*, now: datetime) -> int | None:
    """Take one replay that nobody advances: a new one, or one left by a dead worker."""
    found = rows(CLAIM, {"now": now, "stale": now - STALE_AFTER})
    return int(found[0][0]) if found else None


@transaction.atomic
def advance_replay(*, replay_id: int, now: datetime, limit: int = CHUNK) -> bool:
    """Replay the next `limit` decisions and say whether more are left.

    The results of a piece and the mark of how far it went commit together, so that a killed worker
    repeats nothing and leaves nothing out. Locks the replay. A handful of statements.

    Raises:
        PolicyReplay.DoesNotExist: there is no such replay.

    Publishes:
        PolicyReplayed
    """
    replay = PolicyReplay.objects.lock(replay_id)
    if replay.state in {PolicyReplay.State.DONE, PolicyReplay.State.FAILED}:
        return False
    work = _work(replay)
    if work is None:
        replay.fail(at=now, message="The policy has changed: its table cannot be read any more.")
    else:
        if replay.state == PolicyReplay.State.WAITING:
            replay.start(at=now, total=_count(work))
        _advance(work, limit)
        if not replay.position:
            replay.finish(at=now)
    replay.heartbeat_at = now
    replay.save()
    if replay.state == PolicyReplay.State.RUNNING:
        return True
    _record(replay, replay.version, "finish_replay", None, now)
    publish(PolicyReplayed(replay_id=replay.pk, version_id=replay.version_id, state=replay.state))
    return False


def _work(replay: PolicyReplay) -> _Work | None:
    version = replay.version
    policy = version.policy
    schema = policy.schema
    try:
        table = read_table(replay.table, schema)
    except BadTable:
        return None
    every = list(policy.versions.order_by("pk"))
    active = [v.term for v in every if v.state == PolicyVersion.State.ACTIVE]
    scope = (version.entity_id, version.node)
    standing = dict(in_force(active, replay.until))
    standing[scope] = Term(version.pk, scope, replay.since)
    entities = Entity.objects.filter(pk__in=replay.entities)
    return _Work(
        replay=replay,
        replayer=Replayer(table),
        schema=schema,
        versions=[v.pk for v in every],
        known={v.pk: used_by(v.table) for v in every},
        standing=standing,
        currencies=dict(entities.values_list("pk", "currency")),
    )


def _count(work: _Work) -> int:
    replay = work.replay
    asked = {
        "versions": list(work.versions),
        "since": replay.since,
        "until": replay.until,
        "entities": replay.entities,
    }
    return int(rows(COUNT, asked)[0][0])


def _advance(work: _Work, limit: int) -> None:
    """Look at the next decisions, of one version after the other, and move the position on."""
    replay = work.replay
    at, after_at, after_id = replay.position or [work.versions[0], replay.since.isoformat(), 0]
    left = [pk for pk in work.versions if pk >= at]
    room, position = limit, []
    for version_id in left:
        if version_id != at:
            after_at, after_id = replay.since.isoformat(), 0
        past = _next(work, version_id, (after_at, after_id), room)
        _replay(work, version_id, past)
        room -= len(past)
        if room <= 0:
            position = [version_id, past[-1].at.isoformat(), past[-1].id]
            break
    replay.position = position


def _next(work: _Work, version_id: int, after: tuple[str, int], limit: int) -> list[_Past]:
    replay = work.replay
    asked = {
        "version": version_id,
        "since": replay.since,
        "until": replay.until,
        "after_at": after[0],
        "after_id": after[1],
        "entities": replay.entities,
        "limit": limit,
    }
    return [
        _Past(id_, at, entity, node, kind, subject, orjson.loads(given), orjson.loads(said), row)
        for id_, at, entity, node, kind, subject, given, said, row in rows(NEXT, asked)
    ]


def _replay(work: _Work, version_id: int, past: Sequence[_Past]) -> None:
    replay, version = work.replay, work.replay.version_id
    own = [p for p in past if _decides(work, p, version)]
    known = work.known[version_id]
    answers = work.replayer.answers([Recorded(p.inputs, known) for p in own])
    replay.done += len(past)
    replay.skipped += len(past) - len(own)
    said: list[tuple[Mapping[str, Any], Mapping[str, Any]]] = []
    changed: dict[tuple[str, int], dict[str, Any]] = {}
    for one, answer in zip(own, answers, strict=True):
        if isinstance(answer, str):
            replay.unable += 1
            reason = (
                answer if answer in replay.reasons or len(replay.reasons) < REASONS_MAX else "…"
            )
            replay.reasons[reason] = replay.reasons.get(reason, 0) + 1
            continue
        after = _outcome(work, answer)
        said.append((one.outcome, after))
        if changed_outcomes(one.outcome, after, work.schema.outcomes):
            row = _change(work, one, after, answer[0] if answer else None)
            changed[one.subject_kind, one.subject_id] = {**row, "versions": version_id}
    count_values(replay.totals, said)
    if changed:
        names = list(next(iter(changed.values())))
        columns = {name: [row[name] for row in changed.values()] for name in names}
        run(KEEP, {"replay": replay.pk, **columns})


def _decides(work: _Work, past: _Past, version_id: int) -> bool:
    """Test if the replayed version would decide there, and no nearer one would."""
    term = nearest(work.standing, past.entity_id, past.node)
    return term is not None and term.key == version_id


def _outcome(work: _Work, answer: tuple[int, ...]) -> dict[str, Any]:
    """Return what a row says, as it would be recorded; made once for all cases alike."""
    if answer not in work.outcomes:
        plain = as_json(outcome_of(compile_table(work.replayer.table), answer))
        work.outcomes[answer] = orjson.loads(plain or "{}")
    return work.outcomes[answer]


def _change(work: _Work, past: _Past, after: Mapping[str, Any], row: int | None) -> dict[str, Any]:
    traits, types = work.schema.traits, work.schema.outcomes
    amount = amount_of(past.inputs, traits.money)
    currency = past.inputs.get(traits.currency) or work.currencies.get(past.entity_id, "")
    customer = past.inputs.get(traits.customer) if traits.customer else None
    return {
        "kinds": past.subject_kind,
        "subjects": past.subject_id,
        "entities": past.entity_id,
        "ats": past.at,
        "befores": as_json(past.outcome),
        "afters": as_json(after),
        "before_rows": past.row,
        "after_rows": row,
        "effects": effect_of(past.outcome, after, traits.better, types),
        "customers": str(customer or "")[:200],
        "amounts": Decimal(0) if amount is None else amount,
        "currencies": "" if amount is None else str(currency)[:3],
    }


def _record(
    replay: PolicyReplay, version: PolicyVersion, verb: str, actor: User | None, now: datetime
) -> None:
    changed = Change(
        entity_id=version.entity_id,
        action=f"governance.{verb}",
        subject_kind="governance.policyreplay",
        subject_id=replay.pk,
        thread=f"governance.policy:{version.policy_id}",
        after={"state": str(replay.state), "days": replay.days, "decisions": replay.done},
        policy_version=f"{version.policy.code} v{version.number}",
    )
    record(changes=[changed], actor=actor, now=now)
