"""Posting costs that became known late: to what is there, and to the cost of what is gone."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from erp.accounts.models import User
from finance.models import Account, JournalEntry
from finance.services._posting import Posting, post
from inventory.services.costing import LateCostDraft, SpreadCost, spread_late_costs

Purpose = Account.Purpose


@transaction.atomic
def post_late_costs(
    *, drafts: Sequence[LateCostDraft], actor: User | None, now: datetime
) -> list[SpreadCost]:
    """Spread late costs over stock and the cost of what left, and post both sides. One commit.

    One entry for each: inventory for what is still owned, cost of goods for what was sold, cost of
    sales to sister companies, stock adjustments; against landed costs not billed. What was posted
    before is answered as it was.

    Raises:
        PeriodClosed, BooksNotOpen: an entry cannot be posted.
        and what `inventory.services.costing.spread_late_costs` refuses.
    """
    spread = spread_late_costs(drafts=drafts, actor=actor, now=now)
    post(
        [
            Posting(
                entity_id=each.entity_id,
                kind=JournalEntry.Kind.ADJUSTMENT,
                cause_kind="inventory.latecost",
                cause_id=each.late_cost_id,
                lines=[
                    (Purpose.INVENTORY, each.on_hand),
                    (Purpose.COST, each.sold),
                    (Purpose.GROUP_COST, each.group_sold),
                    (Purpose.VARIANCE, each.adjusted),
                    (Purpose.LANDED, -each.amount),
                ],
                memo=f"Late cost {draft.reference}"[:200],
            )
            for draft, each in zip(drafts, spread, strict=True)
            if each.is_new
        ],
        actor=actor,
        now=now,
    )
    return spread
