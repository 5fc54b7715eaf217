"""Tells on the timeline of a case what happened to it."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from erp.accounts.models import User
from erp.governance.services import Change, record
from exceptions.models import ExceptionCase
from exceptions.selectors import label_of
from exceptions.services._threads import thread

Facts = Mapping[str, object]
REASON_MAX = 300


def tell_of(
    cases: Sequence[ExceptionCase],
    action: str,
    *,
    actor: User | None,
    now: datetime,
    after: Facts | None = None,
    before: Facts | None = None,
    reason: str = "",
    policy_version: str = "",
) -> None:
    """Write the same change of each case; without a reason it is called by what the case is."""
    changes = [
        Change(
            entity_id=case.entity_id,
            action=f"exceptions.{action}",
            subject_kind="exceptions.case",
            subject_id=case.pk,
            thread=thread(case.pk, case.order_id),
            before=before,
            after=after,
            policy_version=policy_version,
            reason=(reason.strip() or f"{label_of(case.type)} {case.subject_label}")[:REASON_MAX],
        )
        for case in cases
    ]
    record(changes=changes, actor=actor, now=now)
