"""Gives up supply from elsewhere for lines that wait no more."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from inventory.services.sourcing import let_supply_go
from orders.models import OrderLine

LINE = "orders.line"


@transaction.atomic
def let_lines_go(*, line_ids: Collection[int], why: str, now: datetime) -> int:
    """Give up what is to come from elsewhere for those of these lines that wait for nothing.

    Return how much of it there was. Repeating it changes nothing.
    """
    idle = OrderLine.objects.filter(pk__in=list(line_ids), waiting__lte=0)
    ids = list(idle.values_list("pk", flat=True))
    return let_supply_go(kind=LINE, demand_ids=ids, why=why, now=now) if ids else 0


@transaction.atomic
def let_orders_go(*, order_ids: Collection[int], why: str, now: datetime) -> int:
    """Give up what is to come from elsewhere for the lines of orders that wait for nothing.

    Return how much of it there was. Repeating it changes nothing.
    """
    found = OrderLine.objects.filter(order_id__in=list(order_ids))
    ids = list(found.values_list("pk", flat=True))
    return let_lines_go(line_ids=ids, why=why, now=now)
