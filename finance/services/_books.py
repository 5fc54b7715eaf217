"""Opening an entity's books, and closing their months."""

from datetime import date, datetime
from itertools import pairwise
from typing import ClassVar

from django.db import connection, transaction

from erp.accounts.models import Entity, User
from erp.governance.services import Act, Change, record, refuse_conflict
from erp.kernel.errors import DomainError
from erp.kernel.sql import rows
from finance.models import Account, Period
from finance.models.ledger import POSTS_LOCK

Kind, Purpose = Account.Kind, Account.Purpose

CHART = [
    ("1000", "Bank", Kind.ASSET, Purpose.BANK),
    ("1100", "Trade receivables", Kind.ASSET, Purpose.RECEIVABLE),
    ("1150", "Shipped, not invoiced", Kind.ASSET, Purpose.UNBILLED),
    ("1200", "Inventory", Kind.ASSET, Purpose.INVENTORY),
    ("1300", "Due from sister companies", Kind.ASSET, Purpose.DUE_FROM),
    ("2100", "Goods received, not billed", Kind.LIABILITY, Purpose.RECEIVED),
    ("2150", "Late costs, not billed", Kind.LIABILITY, Purpose.LANDED),
    ("2200", "Unapplied cash", Kind.LIABILITY, Purpose.UNAPPLIED),
    ("2300", "Due to sister companies", Kind.LIABILITY, Purpose.DUE_TO),
    ("3000", "Opening balances", Kind.EQUITY, Purpose.OPENING),
    ("4000", "Sales", Kind.INCOME, Purpose.REVENUE),
    ("4100", "Freight charged", Kind.INCOME, Purpose.FREIGHT),
    ("4500", "Sales to sister companies", Kind.INCOME, Purpose.GROUP_REVENUE),
    ("5000", "Cost of goods sold", Kind.EXPENSE, Purpose.COST),
    ("5050", "Cost of sales to sister companies", Kind.EXPENSE, Purpose.GROUP_COST),
    ("5100", "Stock adjustments", Kind.EXPENSE, Purpose.VARIANCE),
    ("5900", "Rounding", Kind.EXPENSE, Purpose.ROUNDING),
]
MONTHS_BACK, MONTHS_ON = 12, 3

BLOCKERS = """
    SELECT count(*), coalesce(sum(i.net), 0)
    FROM finance_invoice i
    WHERE i.entity_id = %(entity)s AND i.state = 'draft'
      AND i.invoice_date >= %(starts)s AND i.invoice_date < %(ends)s
"""


class UnknownPeriod(DomainError):
    """There is no such month in the books."""

    code: ClassVar[str] = "finance.unknown_period"


class PeriodHasBlockers(DomainError):
    """Something of the month is not in the books yet."""

    code: ClassVar[str] = "finance.period_has_blockers"


@transaction.atomic
def open_books(*, entity_id: int, now: datetime) -> None:
    """Give an entity its chart of accounts and the months around `now`. Repeating it adds nothing.

    Other months open by themselves when something is posted into them.
    """
    Account.objects.bulk_create(
        [
            Account(entity_id=entity_id, code=code, name=name, kind=kind, purpose=purpose)
            for code, name, kind, purpose in CHART
        ],
        ignore_conflicts=True,
    )
    here = now.year * 12 + now.month - 1
    months = [_first(here + step) for step in range(-MONTHS_BACK, MONTHS_ON + 2)]
    Period.objects.bulk_create(
        [
            Period(entity_id=entity_id, starts=starts, ends=ends)
            for starts, ends in pairwise(months)
        ],
        ignore_conflicts=True,
    )


@transaction.atomic
def open_all_books(*, now: datetime) -> int:
    """Open the books of every active entity, and their next months; return how many entities."""
    entities = list(Entity.objects.filter(is_active=True).values_list("pk", flat=True))
    for entity_id in entities:
        open_books(entity_id=entity_id, now=now)
    return len(entities)


@transaction.atomic
def soft_close_period(*, period_id: int, actor: User, now: datetime) -> Period:
    """Stop the daily posting into a month; corrections still go in.

    Raises:
        UnknownPeriod: there is none.
        TransitionNotAllowed: it is not open.
    """
    period = _alone(period_id)
    period.soft_close()
    return _saved(period, "finance.soft_close_period", actor=actor, now=now)


@transaction.atomic
def close_period(*, period_id: int, actor: User, now: datetime) -> Period:
    """Close a month: nothing may be posted into it any more.

    Waits for postings into the entity's books that are under way.

    Raises:
        UnknownPeriod: there is none.
        PeriodHasBlockers: goods left in that month and are not invoiced.
        TransitionNotAllowed: it is closed.
    """
    period = _alone(period_id)
    count, money = rows(
        BLOCKERS, {"entity": period.entity_id, "starts": period.starts, "ends": period.ends}
    )[0]
    if count:
        raise PeriodHasBlockers(
            f"{count} shipments of {period.starts:%B %Y} worth {money:,.2f} are not invoiced yet. "
            "Invoice them, then close the month."
        )
    period.close(at=now)
    return _saved(period, "finance.close_period", actor=actor, now=now)


@transaction.atomic
def reopen_period(*, period_id: int, actor: User, now: datetime) -> Period:
    """Open a closed month again.

    Raises:
        UnknownPeriod: there is none.
        TransitionNotAllowed: it is open.
        DutyConflict: the policy keeps that apart from what the person did, as closing it.
    """
    period = _alone(period_id)
    act = Act(
        entity_id=period.entity_id,
        kind="finance.period",
        id=period.pk,
        label=f"{period.starts:%B %Y}",
        threads=[f"finance.period:{period.pk}"],
    )
    refuse_conflict(actor=actor, duty="finance.reopen_period", acts=[act], now=now)
    period.reopen()
    return _saved(period, "finance.reopen_period", actor=actor, now=now)


def _first(month: int) -> date:
    return date(month // 12, month % 12 + 1, 1)


def _alone(period_id: int) -> Period:
    """Return the period, with nobody posting into its entity's books until the transaction ends."""
    found = Period.objects.filter(pk=period_id).values_list("entity_id", flat=True).first()
    if found is None:
        raise UnknownPeriod("There is no such period.")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [POSTS_LOCK, found])
    return Period.objects.select_for_update().get(pk=period_id)


def _saved(period: Period, action: str, *, actor: User, now: datetime) -> Period:
    period.save(update_fields=["state", "closed_at"])
    change = Change(
        entity_id=period.entity_id,
        action=action,
        subject_kind="finance.period",
        subject_id=period.pk,
        thread=f"finance.period:{period.pk}",
        after={"month": f"{period.starts:%Y-%m}", "state": period.state},
    )
    record(changes=[change], actor=actor, now=now)
    return period
