"""Many writers at once, some of them killed: no drift, nothing oversold, no deadlock to anybody."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from django.db import IntegrityError, InterfaceError, OperationalError, connection, transaction

from erp.kernel.sql import rows
from inventory.models import Reservation
from inventory.selectors import INVARIANTS
from tests.inventory.factories import (
    demand,
    product,
    reserved,
    stocked,
)
from tests.inventory.services.test_allocating_together import at_once

pytestmark = pytest.mark.django_db(transaction=True)

WRITERS, TURNS = 64, 4
LOST = (OperationalError, InterfaceError)


def drift() -> dict[str, object]:
    return {each.code: found for each in INVARIANTS if (found := rows(each.statement))}


def test_ten_units_and_a_hundred_orders_fifty_times() -> None:
    """A hundred want one each of ten, for fifty products at once: exactly ten get it, each time."""
    pens = [product() for _ in range(50)]
    for pen in pens:
        stocked(pen, 10)
    calls: list[Callable[[], object]] = []
    for turn in range(100):  # one call asks for all fifty, in its own order
        there = pens[turn % 50 :] + pens[: turn % 50]
        calls.append(lambda there=there: reserved(*[demand(pen, 1) for pen in there]))

    results = at_once(calls, threads=16)

    assert not [each for each in results if isinstance(each, Exception)]
    held = Reservation.objects.filter(closed_at=None)
    by_product = {pen.pk: held.filter(stock__product=pen).count() for pen in pens}
    assert set(by_product.values()) == {10}
    given = [each for result in results for each in result.given.values()]  # type: ignore[attr-defined]
    assert (given.count(Decimal(1)), given.count(Decimal(0))) == (500, 4_500)
    assert drift() == {}


def test_raw_sql_cannot_oversell() -> None:
    stock = stocked(product(), 10)
    for statement in (
        "UPDATE inventory_stock SET reserved = 11 WHERE id = %s",
        "UPDATE inventory_stock SET on_hand = -1 WHERE id = %s",
        "UPDATE inventory_stock SET reserved = -1 WHERE id = %s",
        "UPDATE inventory_stock SET reserved = 5, status = 'damaged' WHERE id = %s",
    ):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, [stock.pk])
    stock.refresh_from_db()
    assert (stock.on_hand, stock.reserved) == (Decimal(10), Decimal(0))
