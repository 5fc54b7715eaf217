"""Posting corrections of stock: stock and ledger in one commit."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from erp.accounts.models import User
from finance.services._adjusting import adjust_stock
from inventory.services.correcting import close_correction


@dataclass(frozen=True, slots=True)
class PostedCorrection:
    """A correction as it was posted; `found` and `lost` in the company's currency, whole cents."""

    correction_id: int
    number: str
    state: str
    found: Decimal
    lost: Decimal


@transaction.atomic
def post_correction(*, correction_id: int, actor: User | None, now: datetime) -> PostedCorrection:
    """Do what an approved correction says, in stock and ledger. Posting again changes nothing.

    Locks the correction, then costs, then stock rows, each in id order.

    Raises:
        NotThatMuch: less is there and unreserved than is taken away or moved.
        PeriodClosed, BooksNotOpen: the entry cannot be posted.
        and what `inventory.services.correcting.close_correction` refuses.
    """
    correction, corrections = close_correction(correction_id=correction_id, actor=actor, now=now)
    adjusted = adjust_stock(adjustments=corrections, kind="adjustment", actor=actor, now=now)
    return PostedCorrection(
        correction_id,
        correction.number,
        str(correction.state),
        sum((each.value for each in adjusted if each.value > 0), Decimal(0)),
        -sum((each.value for each in adjusted if each.value < 0), Decimal(0)),
    )
