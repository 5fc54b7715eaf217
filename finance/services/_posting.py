"""Writing journal entries: the one way into the ledger."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date as date_of
from datetime import datetime
from decimal import Decimal
from typing import ClassVar

from django.db import IntegrityError, transaction

from erp.accounts.models import User
from erp.governance.services import Change, record
from erp.kernel.errors import DomainError
from erp.kernel.prepared import Prepared
from erp.kernel.sql import rows
from finance.models import Account, JournalEntry
from finance.rules import rounded

Purpose = Account.Purpose
Kind = JournalEntry.Kind

# What a sub-ledger proves line by line: no entry by hand may move it.
CONTROLLED = [
    Purpose.RECEIVABLE, Purpose.UNBILLED, Purpose.INVENTORY, Purpose.RECEIVED, Purpose.UNAPPLIED,
    Purpose.DUE_FROM, Purpose.DUE_TO, Purpose.LANDED,
]  # fmt: skip

POST = Prepared("""
    WITH posted AS (
        INSERT INTO finance_journalentry
            (entity_id, kind, cause_kind, cause_id, date, posted_at, posted_by_id, memo)
        SELECT p.entity_id, p.kind, p.cause_kind, p.cause_id,
               coalesce(p.date, (%(now)s::timestamptz AT TIME ZONE e.time_zone)::date),
               %(now)s::timestamptz, %(actor)s::bigint, p.memo
        FROM unnest(
            %(entities)s::bigint[], %(kinds)s::text[], %(cause_kinds)s::text[],
            %(cause_ids)s::bigint[], %(dates)s::date[], %(memos)s::text[]
        ) AS p (entity_id, kind, cause_kind, cause_id, date, memo)
        JOIN accounts_entity e ON e.id = p.entity_id
        RETURNING id, entity_id, cause_id
    ), lines AS (
        INSERT INTO finance_journalline (entry_id, account_id, debit, credit)
        SELECT posted.id, a.id, greatest(l.amount, 0), greatest(-l.amount, 0)
        FROM unnest(%(line_causes)s::bigint[], %(purposes)s::text[], %(amounts)s::numeric[])
            WITH ORDINALITY AS l (cause_id, purpose, amount, place)
        JOIN posted ON posted.cause_id = l.cause_id
        JOIN finance_account a ON a.entity_id = posted.entity_id AND a.purpose = l.purpose
        ORDER BY posted.id, l.place
    )
    SELECT id, cause_id FROM posted ORDER BY id
""")

REVERSE = """
    WITH posted AS (
        INSERT INTO finance_journalentry
            (entity_id, kind, cause_kind, cause_id, date, posted_at, posted_by_id, memo)
        SELECT o.entity_id, 'reversal', 'finance.entry', o.id,
               (%(now)s::timestamptz AT TIME ZONE e.time_zone)::date, %(now)s::timestamptz,
               %(actor)s::bigint, %(memo)s
        FROM finance_journalentry o JOIN accounts_entity e ON e.id = o.entity_id
        WHERE o.id = %(entry)s
        RETURNING id
    ), lines AS (
        INSERT INTO finance_journalline (entry_id, account_id, debit, credit)
        SELECT posted.id, l.account_id, l.credit, l.debit
        FROM posted, finance_journalline l
        WHERE l.entry_id = %(entry)s
        ORDER BY l.id
    )
    SELECT id FROM posted
"""


class PeriodClosed(DomainError):
    """The books of that month are closed."""

    code: ClassVar[str] = "finance.period_closed"


class BooksNotOpen(DomainError):
    """The entity has no chart of accounts, so nothing can be posted."""

    code: ClassVar[str] = "finance.books_not_open"


class AlreadyPosted(DomainError):
    """What caused the entry was posted before."""

    code: ClassVar[str] = "finance.already_posted"


class NotBalanced(DomainError):
    """Debits and credits differ."""

    code: ClassVar[str] = "finance.not_balanced"


class NotByHand(DomainError):
    """An account that a sub-ledger proves moves with its documents, never by hand."""

    code: ClassVar[str] = "finance.not_by_hand"


class UnknownEntry(DomainError):
    """There is no such journal entry in these books."""

    code: ClassVar[str] = "finance.unknown_entry"


class ForeignCurrency(DomainError):
    """The document is in another currency than the books, and there is no rate to post it at."""

    code: ClassVar[str] = "finance.foreign_currency"

    def __init__(self, number: str, currency: str, books: str) -> None:
        super().__init__(
            f"{number} is in {currency}, the books are in {books}: there is no rate to post it at."
        )


REFUSED: dict[str, DomainError] = {
    "finance_entry_period_is_open": PeriodClosed("The books are closed for that date."),
    "finance_entry_once_per_cause": AlreadyPosted("This was posted before."),
    "finance_entry_has_lines": BooksNotOpen("The entity's books are not open: no accounts."),
    "finance_entry_balances": NotBalanced("Debits and credits of the entry differ."),
}


@dataclass(frozen=True, slots=True)
class Posting:
    """One entry to write. Debits are positive, credits negative, whole cents; zeros are left out.

    `cause_kind` and `kind` are the same for all postings of one call, so `cause_id` tells them
    apart. `date` is a business date of the entity; None is its today.
    """

    entity_id: int
    kind: str
    cause_kind: str
    cause_id: int
    lines: Sequence[tuple[str, Decimal]]
    memo: str = ""
    date: date_of | None = None


def post(postings: Iterable[Posting], *, actor: User | None, now: datetime) -> dict[int, int]:
    """Write entries with their lines in one statement; return each entry's id by its cause.

    An entry that would move nothing is not written.

    Raises:
        PeriodClosed: a date is in a closed period.
        AlreadyPosted: a cause has its entry of that kind.
        BooksNotOpen: the entity lacks an account.
        NotBalanced: debits and credits of an entry differ.
    """
    moving = [p for p in postings if any(amount for _, amount in p.lines)]
    if not moving:
        return {}
    lines = [(p.cause_id, purpose, amount) for p in moving for purpose, amount in p.lines if amount]
    found = _written(
        POST,
        {
            "now": now,
            "actor": None if actor is None else actor.pk,
            "entities": [p.entity_id for p in moving],
            "kinds": [p.kind for p in moving],
            "cause_kinds": [p.cause_kind for p in moving],
            "cause_ids": [p.cause_id for p in moving],
            "dates": [p.date for p in moving],
            "memos": [p.memo for p in moving],
            "line_causes": [cause for cause, _, _ in lines],
            "purposes": [str(purpose) for _, purpose, _ in lines],
            "amounts": [amount for _, _, amount in lines],
        },
    )
    return {cause: entry for entry, cause in found}


@transaction.atomic
def reverse_entry(*, entry_id: int, actor: User, reason: str, now: datetime) -> int:
    """Write the opposite of an entry, dated today; return the new entry's id. At most once.

    Raises:
        UnknownEntry: there is none.
        NotByHand: the entry moved an account that documents prove; correct the document instead.
        AlreadyPosted: it was reversed before.
        PeriodClosed: today's period is closed.
    """
    entry = JournalEntry.objects.filter(pk=entry_id).first()
    if entry is None:
        raise UnknownEntry("There is no such journal entry.")
    if entry.lines.filter(account__purpose__in=CONTROLLED).exists():
        raise NotByHand(
            f"Entry {entry_id} belongs to {entry.cause_kind} {entry.cause_id}: correct that "
            "document, and its reversal is posted with it."
        )
    new_id = int(
        _written(REVERSE, {"now": now, "actor": actor.pk, "entry": entry_id, "memo": reason[:200]})[
            0
        ][0]
    )
    _record(entry.entity_id, new_id, "finance.reverse_entry", reason, actor=actor, now=now)
    return new_id


@transaction.atomic
def write_entry(
    *,
    entity_id: int,
    lines: Sequence[tuple[str, Decimal]],
    memo: str,
    date: date_of,
    cause_id: int,
    actor: User,
    now: datetime,
) -> int:
    """Post an entry by hand, by account purpose: debits positive, credits negative.

    `cause_id` is the writer's own number of it: the same one again is refused.

    Raises:
        NotByHand: an account that documents prove is among the lines.
        NotBalanced: the lines do not sum to zero, or are not whole cents.
        PeriodClosed: the date is in a closed period.
        AlreadyPosted: the writer's number was used.
    """
    if named := sorted({purpose for purpose, _ in lines} & {*map(str, CONTROLLED)}):
        raise NotByHand(f"{', '.join(named)} moves with its documents, never by hand.")
    if sum(amount for _, amount in lines) or any(rounded(amount) != amount for _, amount in lines):
        raise NotBalanced("Debits and credits of the entry differ, or are not whole cents.")
    posting = Posting(entity_id, Kind.MANUAL, "finance.manual", cause_id, lines, memo, date)
    found = post([posting], actor=actor, now=now)
    if not found:
        raise NotBalanced("The entry moves nothing.")
    _record(entity_id, found[cause_id], "finance.write_entry", memo, actor=actor, now=now)
    return found[cause_id]


def _written(statement: str, params: dict[str, object]) -> list[tuple[int, ...]]:
    try:
        return rows(statement, params)
    except IntegrityError as error:
        named = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None)
        if named in REFUSED:
            raise REFUSED[named] from error
        raise


def _record(
    entity_id: int, entry_id: int, action: str, reason: str, *, actor: User, now: datetime
) -> None:
    change = Change(
        entity_id=entity_id,
        action=action,
        subject_kind="finance.entry",
        subject_id=entry_id,
        thread=f"finance.entry:{entry_id}",
        reason=reason[:300],
    )
    record(changes=[change], actor=actor, now=now)
