"""One case: its figures, its clock, what was written, and what became of its plays."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet

from erp.governance.selectors import TimelineRow, timeline
from erp.kernel.sql import records
from exceptions import permissions
from exceptions.models import ExceptionCase
from exceptions.rules.catalogue import PLAY_KINDS
from exceptions.rules.exposure import NOTHING
from exceptions.selectors._registry import label_of

TIMELINE_MAX = 200
ID_DIGITS = 18

COMMENTS = """
    SELECT m.at, m.text,
           coalesce(nullif(trim(u.first_name || ' ' || u.last_name), ''), u.username) AS author
    FROM exceptions_casecomment m JOIN accounts_user u ON u.id = m.author_id
    WHERE m.case_id = %(id)s ORDER BY m.id
"""
RUNS = """
    SELECT r.key, r.run_at, r.outcome, r.chosen, r.alternatives, r.policy_version, r.undo_until,
           r.undone_at, r.undo_reason,
           coalesce(nullif(trim(u.first_name || ' ' || u.last_name), ''), u.username, '') AS author
    FROM exceptions_playrun r LEFT JOIN accounts_user u ON u.id = r.run_by_id
    WHERE r.case_id = %(id)s ORDER BY r.id
"""
TIMERS = """
    SELECT kind, due_at, fired_at FROM exceptions_casetimer
    WHERE case_id = %(id)s AND cancelled_at IS NULL ORDER BY due_at, id
"""
COLLEAGUES = """
    SELECT DISTINCT u.id,
           coalesce(nullif(trim(u.first_name || ' ' || u.last_name), ''), u.username) AS name
    FROM accounts_roleassignment a
    JOIN accounts_user u ON u.id = a.user_id AND u.is_active AND u.kind = 'person'
    JOIN auth_group g ON g.name = a.role
    JOIN auth_group_permissions gp ON gp.group_id = g.id
    JOIN auth_permission p ON p.id = gp.permission_id AND p.codename = %(codename)s
    JOIN django_content_type ct ON ct.id = p.content_type_id AND ct.app_label = 'exceptions'
    WHERE a.entity_id = %(entity)s
    ORDER BY name
"""
OF_ORDER = """
    SELECT c.id, c.type, c.subject_label, c.summary, c.severity, c.expected_loss, c.currency,
           c.state, c.resolve_by, c.opened_at, c.resolution,
           coalesce(nullif(trim(u.first_name || ' ' || u.last_name), ''), u.username, c.queue)
               AS desk
    FROM exceptions_exceptioncase c
    JOIN orders_order o ON o.id = c.order_id
    LEFT JOIN accounts_user u ON u.id = c.owner_id
    WHERE (o.number = %(number)s OR o.id = %(id)s) AND c.entity_id = ANY(%(entities)s::bigint[])
    ORDER BY c.state IN ('resolved', 'dismissed'), c.severity, c.rank DESC, c.id DESC
    LIMIT 50
"""

OF_CUSTOMER = OF_ORDER.replace(
    "WHERE (o.number = %(number)s OR o.id = %(id)s)",
    "JOIN orders_customer b ON b.id = o.customer_id\n"
    "    WHERE b.code = %(customer)s AND c.state = ANY(%(live)s)",
).replace("LIMIT 50", "LIMIT %(limit)s")


@dataclass(frozen=True, slots=True)
class Figure:
    """One term of the expected loss. `share` of the largest term draws its bar."""

    label: str
    amount: Decimal | None
    text: str
    share: float

    @property
    def width(self) -> int:
        """Its bar's length in per cent; what is there at all can be seen."""
        return max(1 if self.share else 0, min(100, round(self.share * 100)))


@dataclass(frozen=True, slots=True)
class Comment:
    at: datetime
    author: str
    text: str


@dataclass(frozen=True, slots=True)
class Run:
    """A play that was run, beside those that were not chosen; without an author by the house."""

    key: str
    at: datetime
    author: str
    outcome: str
    chosen: Mapping[str, Any]
    alternatives: Sequence[Mapping[str, Any]]
    policy_version: str
    undo_until: datetime | None
    undone_at: datetime | None
    undo_reason: str

    @property
    def how_undone(self) -> str:
        """How it can still be undone, or why not."""
        kind = PLAY_KINDS.get(self.key)
        return (kind.undo or kind.final) if kind else ""


@dataclass(frozen=True, slots=True)
class Timer:
    kind: str
    due_at: datetime
    fired_at: datetime | None


@dataclass(frozen=True, slots=True)
class CaseOfOrder:
    """One case as its order's page shows it."""

    id: int
    label: str
    subject_label: str
    summary: str
    severity: int
    expected_loss: Decimal
    currency: str
    state: str
    resolve_by: datetime
    opened_at: datetime
    resolution: str
    desk: str

    @property
    def is_live(self) -> bool:
        return self.state in ExceptionCase.LIVE


def cases_of_customer(
    *, code: str, entity_ids: Collection[int], limit: int = 10
) -> list[CaseOfOrder]:
    """Return the live cases about a customer's orders, the worst first. One query."""
    if "\0" in code:
        return []
    params = {
        "customer": code,
        "entities": sorted(entity_ids),
        "live": [state.value for state in ExceptionCase.LIVE],
        "limit": limit,
    }
    found = records(OF_CUSTOMER, params)
    return [CaseOfOrder(label=label_of(one.pop("type")), **one) for one in found]


def find_case(*, case_id: int, entity_ids: Collection[int]) -> ExceptionCase | None:
    """Return a case of these entities, with what its page names. One query."""
    found = ExceptionCase.objects.within(entity_ids).filter(pk=case_id)
    return found.select_related("entity", "order", "owner", "resolved_by").first()


def cases_within(entity_ids: Collection[int]) -> QuerySet[ExceptionCase]:
    """Return the cases of these entities, with what the API shows of each."""
    return ExceptionCase.objects.within(entity_ids).select_related("entity", "order", "owner")


def colleagues(entity_id: int) -> list[tuple[int, str]]:
    """Return who may work cases of an entity: id and name. One query."""
    params = {"entity": entity_id, "codename": permissions.WORK.partition(".")[2]}
    return [(one["id"], one["name"]) for one in records(COLLEAGUES, params)]


def figures(case: ExceptionCase) -> list[Figure]:
    """Return why the case is as bad as it is, in numbers: the terms of its expected loss."""
    reasons = case.reasons
    p_miss = Decimal(str(reasons.get("p_miss", "0")))
    money = [
        ("Revenue at risk", Decimal(str(reasons.get("revenue", "0")))),
        ("Penalty", Decimal(str(reasons.get("penalty", "0")))),
        (
            f"Tier {case.tier} weight" if case.tier else "Tier weight",
            Decimal(str(reasons.get("tier_weight", "0"))),
        ),
    ]
    largest = max([amount for _, amount in money] + [NOTHING])
    drawn = [
        Figure(label, amount, "", float(amount / largest) if largest else 0.0)
        for label, amount in money
    ]
    drawn.insert(1, Figure("P(miss)", None, f"× {p_miss.normalize():f}", float(p_miss)))  # noqa: RUF001
    return drawn


def comments(case_id: int) -> list[Comment]:
    """Return what people wrote, oldest first. One query."""
    return [Comment(r["at"], r["author"], r["text"]) for r in records(COMMENTS, {"id": case_id})]


def runs(case_id: int) -> list[Run]:
    """Return the plays that were run, oldest first. One query."""
    return [
        Run(
            key=r["key"],
            at=r["run_at"],
            author=r["author"],
            outcome=r["outcome"],
            chosen=json.loads(r["chosen"]),
            alternatives=json.loads(r["alternatives"]),
            policy_version=r["policy_version"],
            undo_until=r["undo_until"],
            undone_at=r["undone_at"],
            undo_reason=r["undo_reason"],
        )
        for r in records(RUNS, {"id": case_id})
    ]


def timers(case_id: int) -> list[Timer]:
    """Return the clocks that run or ran out, by when they were due. One query."""
    return [Timer(r["kind"], r["due_at"], r["fired_at"]) for r in records(TIMERS, {"id": case_id})]


def case_timeline(
    case: ExceptionCase, *, entity_ids: Collection[int], limit: int = TIMELINE_MAX
) -> list[TimelineRow]:
    """Return what happened to the case, and to its order while it stands for one."""
    thread = f"orders.order:{case.order_id}" if case.order_id else f"exceptions.case:{case.pk}"
    return timeline(thread=thread, entity_ids=entity_ids, limit=limit)


def cases_of_order(*, number: str, entity_ids: Collection[int]) -> list[CaseOfOrder]:
    """Return the cases about an order (by its number or id), live ones first. One query."""
    order_id = int(number) if number.isdecimal() and len(number) <= ID_DIGITS else None
    params = {"number": number, "id": order_id, "entities": sorted(entity_ids)}
    found = records(OF_ORDER, params)
    return [CaseOfOrder(label=label_of(one.pop("type")), **one) for one in found]
