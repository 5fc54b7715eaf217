"""Posting what a count found: stock and ledger in one commit."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from erp.accounts.models import User
from finance.services._adjusting import adjust_stock
from inventory.services.counting import close_count


@dataclass(frozen=True, slots=True)
class PostedCount:
    """A count as it was posted; `found` and `lost` in the company's currency, whole cents."""

    count_id: int
    number: str
    state: str
    found: Decimal
    lost: Decimal


@transaction.atomic
def post_count(*, count_id: int, actor: User | None, now: datetime) -> PostedCount:
    """Correct stock and ledger by what an approved count found. Posting again changes nothing.

    The correction is the difference at the moment of counting: what moved since stays moved. Locks
    the count, then costs, then stock rows, each in id order.

    Raises:
        NotThatMuch: more is missing than is free now: what is kept for somebody must be given
            back first.
        PeriodClosed, BooksNotOpen: the entry cannot be posted.
        and what `inventory.services.counting.close_count` refuses.
    """
    count, corrections = close_count(count_id=count_id, actor=actor, now=now)
    adjusted = adjust_stock(adjustments=corrections, kind="adjustment", actor=actor, now=now)
    return PostedCount(
        count_id,
        count.number,
        str(count.state),
        sum((each.value for each in adjusted if each.value > 0), Decimal(0)),
        -sum((each.value for each in adjusted if each.value < 0), Decimal(0)),
    )
