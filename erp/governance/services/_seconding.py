"""Asking a second person to let through what the duties kept apart forbid to one alone."""

import hashlib
from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from erp.governance.models import SecondPerson
from erp.governance.permissions import BE_SECOND_PERSON
from erp.governance.services._approving import request_approval
from erp.governance.services._recording import Change, record
from erp.governance.services._separating import (
    LOOK_BACK,
    SecondPersonNeeded,
    Wish,
    day,
)
from erp.kernel.sql import rows

KIND = "governance.second_person"

OTHERS = """
    SELECT DISTINCT e.actor_id FROM governance_auditentry e
    WHERE e.thread = ANY(%(threads)s) AND e.at >= %(since)s AND e.action = ANY(%(actions)s)
      AND e.actor_id IS NOT NULL
"""


@transaction.atomic
def request_second_person(*, refusal: SecondPersonNeeded, now: datetime) -> int:
    """Ask somebody else to let through what was refused; return the id of the approval.

    Nobody who did one of the acts that stand in the way may agree. Asking again returns the same.

    Publishes:
        ApprovalRequested
    """
    asked = refusal.asked
    act, because = asked.act, [one.entry_id for one in asked.obstacles]
    assert act.entity_id is not None  # else it is blocked
    request = _open_request(asked, because, now)
    barred = _barred(asked, now)
    approval = request_approval(
        entity_id=act.entity_id,
        document_kind=KIND,
        document_id=request.pk,
        label=act.label[:120],
        permission=BE_SECOND_PERSON,
        role="controller",
        amount=act.amount,
        currency=act.currency,
        consequence=f"{asked.actor} may {phrase(asked.duty)}, once. "
        f"They {asked.obstacles[0].said} on {day(asked.obstacles[0].at)}."[:300],
        fingerprint=_fingerprint(asked, because),
        requested_by=asked.actor,
        barred=barred,
        policy_version=asked.obstacles[0].policy_version,
        now=now,
    )
    if request.approval_id != approval.pk:
        request.approval_id, request.because = approval.pk, because
        request.save(update_fields=["approval", "because"])
        _note(request, "governance.ask_second_person", asked, now)
    return int(approval.pk)


def phrase(duty: str) -> str:
    """Return a duty as a person says it: `orders.lift_hold` is "lift hold"."""
    return duty.rpartition(".")[2].replace("_", " ")


def _open_request(asked: Wish, because: list[int], now: datetime) -> SecondPerson:
    act = asked.act
    known = {
        "duty": asked.duty,
        "subject_kind": act.kind,
        "subject_id": act.id,
        "actor": asked.actor,
        "used_at": None,
    }
    return SecondPerson.objects.select_for_update(of=["self"]).get_or_create(
        **known, defaults={"entity_id": act.entity_id or 0, "because": because, "asked_at": now}
    )[0]


def _barred(asked: Wish, now: datetime) -> list[int]:
    """Return everybody who did on that chain what stands in the way."""
    found = rows(
        OTHERS,
        {
            "threads": list(asked.act.threads),
            "since": now - LOOK_BACK,
            "actions": [one.action for one in asked.obstacles],
        },
    )
    return sorted({row[0] for row in found})


def _fingerprint(asked: Wish, because: Collection[int]) -> str:
    act = asked.act
    said = [asked.duty, act.kind, act.id, asked.actor.pk, *sorted(because)]
    return hashlib.sha256("|".join(map(str, said)).encode()).hexdigest()


def _note(request: SecondPerson, action: str, asked: Wish, now: datetime) -> None:
    change = Change(
        entity_id=request.entity_id,
        action=action,
        subject_kind=request.subject_kind,
        subject_id=request.subject_id,
        thread=f"{request.subject_kind}:{request.subject_id}",
        after={"duty": request.duty, "because": request.because},
        reason=f"{asked.actor} {asked.obstacles[0].said}"[:300],
        policy_version=asked.obstacles[0].policy_version,
    )
    record(changes=[change], actor=asked.actor, now=now)
