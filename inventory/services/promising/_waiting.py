"""Which demand need not be reserved yet: replenishment can still cover it in time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction

from erp.kernel.sql import records
from inventory.rules.promising import arrival_of_order, may_wait, reserve_from
from inventory.selectors import calendars
from inventory.selectors._sources import offers_sql
from inventory.services.promising._terms import promise_terms


@dataclass(frozen=True, slots=True)
class FarNeed:
    """One demand for a product, which must leave on `needed_on`."""

    demand_id: int
    product_id: int
    needed_on: date


@transaction.atomic(savepoint=False)  # it writes nothing and refuses nothing
def leave_to_replenishment(
    *, entity_id: int, needs: Sequence[FarNeed], now: datetime
) -> dict[int, date]:
    """Return the demands that need no stock yet: what is ordered today still comes in time.

    With each, the day from which on it is to be reserved.

    None where the policy does not ask for it, none whose product nobody offers. One query where the
    policy does not, three where it does.
    """
    said = promise_terms(entity_id=entity_id, now=now)
    statement = offers_sql()
    if not said.latest_safe or statement is None or not needs:
        return {}
    products = sorted({need.product_id for need in needs})
    asked = {"entities": [entity_id] * len(products), "products": products}
    offers = {row["product_id"]: row for row in records(statement, asked)}
    weeks = calendars(ids=[row["calendar_id"] for row in offers.values()], on=now.date())
    today = now.date()
    lead = {
        product: (
            arrival_of_order(today, row["lead_time_days"], weeks.get(row["calendar_id"])) - today
        ).days
        for product, row in offers.items()
    }
    return {
        need.demand_id: reserve_from(
            need.needed_on, replenish_days=lead[need.product_id], slack_days=said.slack_days
        )
        for need in needs
        if may_wait(
            today,
            need.needed_on,
            replenish_days=lead.get(need.product_id),
            slack_days=said.slack_days,
        )
    }
