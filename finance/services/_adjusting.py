"""Correcting stock, in the ledger too."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Literal

from django.db import transaction

from erp.accounts.models import User
from finance.models import Account, JournalEntry
from finance.services._posting import Posting, post
from inventory.services import Adjusted, StockAdjustment
from inventory.services import adjust_stock as adjust_balances

Purpose = Account.Purpose


@transaction.atomic
def adjust_stock(
    *,
    adjustments: Sequence[StockAdjustment],
    kind: Literal["opening", "adjustment"],
    actor: User | None,
    now: datetime,
) -> list[Adjusted]:
    """Correct balances, or take in opening ones, and post what that is worth. Thousands at once.

    One entry per entity, named after the first correction of the batch: what was found and what was
    lost stand apart, against stock adjustments (against opening balances for `opening`).

    Raises:
        PeriodClosed, BooksNotOpen: the entry cannot be posted.
        and what `inventory.services.adjust_stock` refuses.
    """
    adjusted = adjust_balances(adjustments=adjustments, kind=kind, actor=actor, now=now)
    against = Purpose.OPENING if kind == "opening" else Purpose.VARIANCE
    by_entity: dict[int, list[Adjusted]] = defaultdict(list)
    for each in adjusted:
        by_entity[each.entity_id].append(each)
    postings = []
    for entity_id, members in sorted(by_entity.items()):
        found = sum((each.value for each in members if each.value > 0), Decimal(0))
        lost = -sum((each.value for each in members if each.value < 0), Decimal(0))
        postings.append(
            Posting(
                entity_id=entity_id,
                kind=JournalEntry.Kind.OPENING
                if kind == "opening"
                else JournalEntry.Kind.ADJUSTMENT,
                cause_kind="inventory.adjustment",
                cause_id=min(each.adjustment_id for each in members),
                lines=[
                    (Purpose.INVENTORY, found),
                    (against, -found),
                    (against, lost),
                    (Purpose.INVENTORY, -lost),
                ],
                memo=f"{len(members)} corrections" if len(members) > 1 else "1 correction",
            )
        )
    post(postings, actor=actor, now=now)
    return adjusted
