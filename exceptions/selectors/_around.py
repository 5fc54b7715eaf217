"""What stands around a case: its children, its files, with whom it lay, who was told."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from erp.kernel.sql import records, rows
from exceptions.models import CaseAttachment, CaseInterval, CaseWatcher, NoticePreference
from exceptions.selectors._registry import label_of

NOTICES_PAGE = 100

CHILDREN = """
    SELECT c.id, c.type, c.subject_label, c.summary, c.party, c.severity, c.expected_loss,
           c.currency, c.state
    FROM exceptions_exceptioncase c
    WHERE c.parent_id = %(parent)s
    ORDER BY c.state IN ('resolved', 'dismissed'), c.severity, c.rank DESC, c.id
    LIMIT %(limit)s
"""
COUNT_CHILDREN = """
    SELECT count(*) FROM exceptions_exceptioncase
    WHERE parent_id = %s AND state NOT IN ('resolved', 'dismissed')
"""
INTERVALS = """
    SELECT i.party, i.queue, i.since, i.until,
           coalesce(nullif(trim(u.first_name || ' ' || u.last_name), ''), u.username, '') AS owner
    FROM exceptions_caseinterval i LEFT JOIN accounts_user u ON u.id = i.owner_id
    WHERE i.case_id = %(case)s ORDER BY i.since, i.id
"""
NOTICES = """
    SELECT n.id, n.case_id, n.kind, n.text, n.at, n.read_at, n.mailed_at
    FROM exceptions_notice n
    WHERE n.user_id = %(user)s AND (%(after)s::bigint IS NULL OR n.id < %(after)s)
    ORDER BY n.id DESC LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True)
class Child:
    """One case under another. `expected_loss` is in `currency`."""

    id: int
    label: str
    subject_label: str
    summary: str
    party: str
    severity: int
    expected_loss: Decimal
    currency: str
    state: str


@dataclass(frozen=True, slots=True)
class Lay:
    """With whom a case lay for a while. `share` is the part of its whole life, 0 to 1."""

    party: str
    who: str
    since: datetime
    until: datetime | None
    share: float

    @property
    def width(self) -> int:
        """The length of its bar in per cent; what is there at all can be seen."""
        return max(1, min(100, round(self.share * 100)))


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """One thing that a person was told."""

    id: int
    case_id: int
    kind: str
    text: str
    at: datetime
    read_at: datetime | None
    mailed_at: datetime | None


def children(*, case_id: int, limit: int) -> list[Child]:
    """Return what hangs under a case, live ones first, the worst first. One query."""
    found = records(CHILDREN, {"parent": case_id, "limit": limit})
    return [Child(label=label_of(one.pop("type")), **one) for one in found]


def count_children(case_id: int) -> int:
    """Return how many live cases hang under one."""
    return int(rows(COUNT_CHILDREN, [case_id])[0][0])


def intervals(case_id: int, *, now: datetime) -> list[Lay]:
    """Return with whom a case lay, in order, and for which part of the time. One query."""
    found = [one for one in records(INTERVALS, {"case": case_id}) if one["until"] != one["since"]]
    lengths = [((one["until"] or now) - one["since"]).total_seconds() for one in found]
    whole = sum(lengths) or 1.0
    labels = dict(CaseInterval.Party.choices)
    return [
        Lay(
            party=one["party"],
            who=labels[one["party"]] if one["party"] != "owner" else one["owner"] or one["queue"],
            since=one["since"],
            until=one["until"],
            share=length / whole,
        )
        for one, length in zip(found, lengths, strict=True)
    ]


def attachments(case_id: int) -> Sequence[CaseAttachment]:
    """Return the files on a case without their content, oldest first. One query."""
    found = CaseAttachment.objects.filter(case_id=case_id).select_related("added_by")
    return list(found.defer("content").order_by("id")[:100])


def attachment(*, case_id: int, attachment_id: int) -> CaseAttachment | None:
    """Return one file of a case, with its content."""
    return CaseAttachment.objects.filter(case_id=case_id, pk=attachment_id).first()


def is_watching(*, case_id: int, user_id: int) -> bool:
    """Test if this person is told what happens to the case."""
    return CaseWatcher.objects.filter(case_id=case_id, user_id=user_id).exists()


def notices(*, user_id: int, after: int | None = None) -> tuple[list[NoticeRow], str]:
    """Return a page of what a person was told, newest first, and the next one's cursor."""
    params = {"user": user_id, "after": after, "limit": NOTICES_PAGE + 1}
    found = [NoticeRow(**one) for one in records(NOTICES, params)]
    shown = found[:NOTICES_PAGE]
    return shown, str(shown[-1].id) if len(found) > NOTICES_PAGE else ""


def unread(user_id: int) -> int:
    """Return how much this person was told and has not read; counts to a hundred."""
    statement = """
        SELECT count(*) FROM (SELECT FROM exceptions_notice
        WHERE user_id = %s AND read_at IS NULL LIMIT 100) told
    """
    return int(rows(statement, [user_id])[0][0])


def preference(user_id: int) -> NoticePreference:
    """Return how this person is told by e-mail; the defaults where they never said."""
    return NoticePreference.objects.filter(pk=user_id).first() or NoticePreference(user_id=user_id)
