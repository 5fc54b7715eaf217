"""One cause, one case: hangs cases under the case about what brought them about."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import ClassVar

from django.db import transaction

from erp.accounts.models import User
from erp.governance.services import Change, record
from erp.kernel.errors import DomainError
from erp.kernel.sql import records
from erp.outbox.publishing import publish, publish_all
from exceptions.events import CaseChanged
from exceptions.models import ExceptionCase
from exceptions.selectors import gathering_types, label_of
from exceptions.services._telling import tell_of
from exceptions.services._threads import thread
from exceptions.services._timing import set_timers
from exceptions.services._working import refuse_closed

# The children are those just touched, and those whose cause is the subject of one just touched.
HANG = """
    WITH touched AS MATERIALIZED (
        SELECT c.id, c.parent_id, (
            SELECT min(p.id) FROM exceptions_exceptioncase p
            WHERE p.subject_kind = c.cause_kind AND p.subject_id = c.cause_id AND p.id <> c.id
              AND p.entity_id = c.entity_id AND p.type = ANY(%(gathering)s::text[])
              AND p.state NOT IN ('resolved', 'dismissed')
        ) AS found
        FROM exceptions_exceptioncase c
        WHERE c.state NOT IN ('resolved', 'dismissed') AND NOT c.is_merged
          AND (c.id = ANY(%(ids)s::bigint[]) OR c.id IN (
              SELECT child.id FROM exceptions_exceptioncase touched
              JOIN exceptions_exceptioncase child ON child.cause_id = touched.subject_id
                  AND child.cause_kind = touched.subject_kind
                  AND child.state NOT IN ('resolved', 'dismissed')
              WHERE touched.id = ANY(%(ids)s::bigint[])
                AND touched.type = ANY(%(gathering)s::text[])
          ))
        ORDER BY c.id
        FOR UPDATE OF c
    )
    UPDATE exceptions_exceptioncase c SET parent_id = touched.found, updated_at = %(now)s
    FROM touched
    WHERE c.id = touched.id AND touched.parent_id IS DISTINCT FROM touched.found
    RETURNING c.id, c.entity_id, c.order_id, c.type, touched.parent_id AS before,
        touched.found AS parent
"""


class BadMerge(DomainError):
    """Only live cases of one entity hang together, and only one deep."""

    code: ClassVar[str] = "bad_merge"


def hang(case_ids: Collection[int], now: datetime) -> None:
    """Put cases under the live case about their cause, and take them off one that is over.

    Under a parent a case rings nobody: its timers rest until it stands for itself again. One
    statement where nothing changes hands. Locks the cases it looks at, in the order of their ids.
    """
    ids = sorted(set(case_ids))
    if not ids:
        return
    moved = records(HANG, {"ids": ids, "now": now, "gathering": gathering_types()})
    set_timers([one["id"] for one in moved], now)
    record(
        changes=[
            Change(
                entity_id=one["entity_id"],
                action="exceptions.hang",
                subject_kind="exceptions.case",
                subject_id=one["id"],
                thread=thread(one["id"], one["order_id"]),
                before={"parent": one["before"]},
                after={"parent": one["parent"]},
                reason="It has the same cause." if one["parent"] else "Its parent is over.",
            )
            for one in moved
        ],
        actor=None,
        now=now,
    )


@transaction.atomic
def merge(
    *, case_ids: Sequence[int], into_id: int, reason: str, actor: User, now: datetime
) -> list[ExceptionCase]:
    """Hang cases under another by a person's word: they have one cause. Repeating changes nothing.

    What hung under one of them hangs under the other with it. Locks the cases in id order.

    Raises:
        ExceptionCase.DoesNotExist: one of them is not there.
        CaseClosed: one of them is over.
        BadMerge: into itself, into a child, or across entities.

    Publishes:
        CaseChanged
    """
    wanted = sorted({*case_ids, into_id})
    found = list(ExceptionCase.objects.select_for_update().filter(pk__in=wanted).order_by("pk"))
    if len(found) < len(wanted):
        raise ExceptionCase.DoesNotExist("one of the cases is not there")
    into = next(case for case in found if case.pk == into_id)
    moving = [case for case in found if into_id not in (case.pk, case.parent_id)]
    for case in found:
        refuse_closed(case)
    if into_id in case_ids or into.parent_id or any(c.entity_id != into.entity_id for c in moving):
        raise BadMerge("Cases of one entity hang under one of them that hangs under no other.")
    children = list(
        ExceptionCase.objects.select_for_update()
        .filter(parent_id__in=[case.pk for case in moving], state__in=ExceptionCase.LIVE)
        .order_by("pk")
    )
    hung = [*moving, *children]
    _put([case.pk for case in hung], into_id, now)
    after, why = {"parent": into_id}, reason.strip() or into.subject_label
    tell_of(hung, "merge", actor=actor, now=now, after=after, reason=why)
    publish_all([CaseChanged(case_id=case.pk, entity_id=case.entity_id) for case in hung])
    return moving


@transaction.atomic
def unmerge(*, case_id: int, actor: User, now: datetime) -> ExceptionCase:
    """Let a case stand for itself again; its clocks run on from where they are.

    Raises:
        ExceptionCase.DoesNotExist: there is no such case.
        CaseClosed: it is over.
        BadMerge: no person hung it there.

    Publishes:
        CaseChanged
    """
    case = ExceptionCase.objects.lock(case_id)
    refuse_closed(case)
    if not case.is_merged:
        raise BadMerge(f"{label_of(case.type)} {case.subject_label} was hung there by nobody.")
    _put([case.pk], None, now)
    case.parent, case.is_merged, case.updated_at = None, False, now
    after = {"parent": None}
    tell_of([case], "unmerge", actor=actor, now=now, after=after, reason="It has another cause.")
    publish(CaseChanged(case_id=case.pk, entity_id=case.entity_id))
    hang([case.pk], now)
    return case


def _put(case_ids: Sequence[int], parent_id: int | None, now: datetime) -> None:
    ExceptionCase.objects.filter(pk__in=case_ids).update(
        parent_id=parent_id, is_merged=parent_id is not None, updated_at=now
    )
    set_timers(case_ids, now)
