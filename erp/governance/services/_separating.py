"""Duties kept apart on one chain of documents: asked at the moment of action, of everybody."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar

from django.db import transaction

from erp.accounts.models import User
from erp.governance.services._deciding import Question, decide
from erp.kernel.errors import DomainError
from erp.kernel.sql import records, rows

POLICY = "governance.duty_chain"
LOOK_BACK = timedelta(days=366)  # no rule reaches further
DAY = Decimal(86_400)

# The last act of each kind that one of the people did on each chain. By the index of the threads.
EARLIER = """
    SELECT DISTINCT ON (asked.place, a.action)
           asked.place, a.id, a.action, a.at, a.thread, a.actor_id,
           coalesce(nullif(trim(u.first_name || ' ' || u.last_name), ''), u.username) AS who
    FROM unnest(%(places)s::int[], %(threads)s::text[], %(entities)s::bigint[])
        AS asked (place, thread, entity_id)
    CROSS JOIN LATERAL (
        SELECT * FROM governance_auditentry e
        WHERE e.thread = asked.thread AND e.at >= %(since)s AND e.at <= %(now)s
          AND (e.entity_id IS NULL OR asked.entity_id IS NULL OR e.entity_id = asked.entity_id)
          AND e.actor_id IN (
            SELECT x.id FROM accounts_user x
            WHERE x.id = ANY(%(people)s::bigint[])
               OR (x.employee_ref <> '' AND x.employee_ref IN (
                    SELECT y.employee_ref FROM accounts_user y
                    WHERE y.id = ANY(%(people)s::bigint[]))))
        OFFSET 0
    ) AS a
    JOIN accounts_user u ON u.id = a.actor_id
    ORDER BY asked.place, a.action, a.at DESC, a.id DESC
"""
AGREED = """
    UPDATE governance_secondperson s SET used_at = %(now)s
    FROM governance_approval a
    WHERE a.id = s.approval_id AND a.state = 'approved' AND s.used_at IS NULL
      AND s.actor_id = %(actor)s AND s.duty = %(duty)s
      AND s.subject_kind = %(kind)s AND s.subject_id = %(id)s
      AND s.because @> %(because)s::jsonb
    RETURNING s.id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What somebody is about to do to one document. `amount` is in `currency`.

    `threads` are the stories that make up its chain, its own and those of its customer, supplier,
    products: what the person did in any of them may stand in the way. Where `entity_id` is None,
    nobody can be asked as a second person, so that what would need one is blocked.
    """

    entity_id: int | None
    kind: str
    id: int
    label: str
    threads: Collection[str]
    amount: Decimal = Decimal(0)
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Obstacle:
    """One earlier act that stands in the way, and by which version of the policy."""

    entry_id: int
    action: str
    at: datetime
    who: str
    actor_id: int
    said: str
    effect: str
    policy_version: str


class DutyConflict(DomainError):
    """The person did something earlier on the same chain that is to be kept apart from this."""

    code: ClassVar[str] = "duty_conflict"


@dataclass(frozen=True, slots=True)
class Wish:
    """What a second person is to agree to."""

    act: Act
    duty: str
    actor: User
    obstacles: Sequence[Obstacle] = field(default_factory=list)


class SecondPersonNeeded(DutyConflict):
    """It may go on once somebody else agrees: that is asked as soon as the refusal is told."""

    code: ClassVar[str] = "second_person_needed"

    def __init__(self, message: str, asked: Wish) -> None:
        self.asked = asked
        super().__init__(message)

    def follow_up(self, now: datetime) -> None:
        """Ask a second person, now that the refused transaction is gone."""
        from erp.governance.services._seconding import (  # noqa: PLC0415  it asks by approval
            request_second_person,
        )

        request_second_person(refusal=self, now=now)


@transaction.atomic
def refuse_conflict(
    *,
    actor: User | None,
    duty: str,
    acts: Sequence[Act],
    now: datetime,
    on_behalf_of: Collection[int] = (),
) -> None:
    """Refuse what a person must not do after what they did before on the same chain.

    All accounts of the same employee count, and those of whom the person acts for (`on_behalf_of`);
    what a role or being a superuser allows does not. The policy `governance.duty_chain` says which
    acts, within which days. Two statements for the whole batch, one where nothing was done before.
    The house itself (`actor` None) is never in conflict.

    Raises:
        DutyConflict: the policy blocks it; the sentence names the earlier act, who and when.
        SecondPersonNeeded: it needs somebody else's agreement, which is then asked.
    """
    if actor is None or not acts:
        return
    by_place = _obstacles(actor, duty, acts, now, on_behalf_of)
    for place, found in sorted(by_place.items()):
        nobody_to_ask = acts[place].entity_id is None
        blocking = [one for one in found if nobody_to_ask or one.effect == "block"]
        if blocking:
            raise DutyConflict(_sentence(blocking[0], acts[place], actor))
        if not _agreed(actor, duty, acts[place], found, now):
            said = _sentence(found[0], acts[place], actor)
            raise SecondPersonNeeded(
                f"{said} A second person is asked: do it again once they agree.",
                Wish(acts[place], duty, actor, found),
            )


def _obstacles(
    actor: User, duty: str, acts: Sequence[Act], now: datetime, on_behalf_of: Collection[int]
) -> dict[int, list[Obstacle]]:
    pairs = [(place, thread) for place, act in enumerate(acts) for thread in set(act.threads)]
    earlier = records(
        EARLIER,
        {
            "places": [place for place, _ in pairs],
            "threads": [thread for _, thread in pairs],
            "entities": [acts[place].entity_id for place, _ in pairs],
            "people": sorted({actor.pk, *on_behalf_of}),
            "since": now - LOOK_BACK,
            "now": now,
        },
    )
    questions = [_question(acts[each["place"]], duty, each, now) for each in earlier]
    found: dict[int, list[Obstacle]] = {}
    keep = all(act.entity_id is not None for act in acts)
    decisions = decide(policy=POLICY, questions=questions, now=now, keep=keep)
    for each, decision in zip(earlier, decisions, strict=True):
        if decision.outcome["effect"] not in {"block", "second person"}:
            continue
        found.setdefault(each["place"], []).append(
            Obstacle(
                entry_id=each["id"],
                action=each["action"],
                at=each["at"],
                who=each["who"],
                actor_id=each["actor_id"],
                said=decision.outcome["said"],
                effect=decision.outcome["effect"],
                policy_version=decision.policy_version,
            )
        )
    return found


def _question(act: Act, duty: str, earlier: Mapping[str, Any], now: datetime) -> Question:
    seconds = now - earlier["at"]
    exact = Decimal(seconds.days) + Decimal(seconds.seconds) / DAY
    exact += Decimal(seconds.microseconds) / (DAY * 1_000_000)
    return Question(
        act.entity_id or 0,
        act.kind,
        act.id,
        {
            "earlier": earlier["action"],
            "later": duty,
            "days": exact,
            "same_document": earlier["thread"] == f"{act.kind}:{act.id}",
            "amount": act.amount,
            "currency": act.currency,
        },
    )


def _agreed(actor: User, duty: str, act: Act, found: Sequence[Obstacle], now: datetime) -> bool:
    """Use up the agreement of a second person, if there is one about all that stands in the way."""
    asked = {
        "actor": actor.pk,
        "duty": duty,
        "kind": act.kind,
        "id": act.id,
        "because": str(sorted(one.entry_id for one in found)),
        "now": now,
    }
    return bool(rows(AGREED, asked))


def _sentence(one: Obstacle, act: Act, actor: User) -> str:
    who = "You" if one.actor_id == actor.pk else f"You, as {one.who},"
    return (
        f"{who} {one.said} on {day(one.at)}, {one.at:%H:%M} UTC:"
        f" somebody else decides about {act.label}."
    )


def day(at: datetime) -> str:
    return f"{at:%-d %B %Y}"
