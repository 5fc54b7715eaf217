"""Tests inventory/services/keeping."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import transaction

from erp.outbox.models import Message
from inventory.models import Reservation, Stock
from inventory.selectors import INVARIANTS
from inventory.services.keeping import (
    Gathering,
    NotKept,
    NotLater,
    convert,
    extend,
    keep_until,
    release_lapsed,
)
from tests.inventory.factories import KIND, NOW, demand, product, reserved, stocked
from tests.inventory.services.test_allocating_together import at_once

HOUR = timedelta(hours=1)
QUOTE = "orders.quoteline"


def kept(stock: Stock, number: int = 7, quantity: int = 4) -> None:
    wanted = demand(stock.product, quantity, id=number, kind=QUOTE)
    keep_until(demands=[wanted], until=NOW + HOUR, cause="Quote", now=NOW)


def on_stock() -> Decimal:
    return Stock.objects.get().reserved


def drift() -> list[str]:
    from erp.kernel.sql import rows  # noqa: PLC0415

    return [each.code for each in INVARIANTS if rows(each.statement)]


@pytest.mark.django_db
class TestKeepUntil:
    def test_ends_by_itself_at_its_moment(self) -> None:
        kept(stocked(product(), 10))

        assert release_lapsed(now=NOW + HOUR - timedelta(microseconds=1)) == 0
        assert on_stock() == 4
        assert release_lapsed(now=NOW + HOUR) == 1
        assert release_lapsed(now=NOW + HOUR) == 0

        assert on_stock() == 0
        closed = Reservation.objects.get()
        assert (closed.closed_as, closed.closed_at) == ("released", NOW + HOUR)
        names = list(Message.objects.order_by("id").values_list("name", flat=True))
        assert names.count("inventory.reservations_expired") == 1
        assert names.count("inventory.stock_received") == 2  # the opening, and what was freed

    def test_leaves_what_does_not_expire(self) -> None:
        stock = stocked(product(), 10)
        reserved(demand(stock.product, 3))
        assert release_lapsed(now=NOW + 100 * HOUR) == 0
        assert on_stock() == 3

    def test_refuses_a_moment_that_is_over(self) -> None:
        stock = stocked(product(), 10)
        with pytest.raises(NotLater):
            keep_until(demands=[demand(stock.product, 1)], until=NOW, cause="Quote", now=NOW)
        assert on_stock() == 0


@pytest.mark.django_db
class TestExtend:
    def test_keeps_it_longer(self) -> None:
        kept(stocked(product(), 10))
        extend(demand_kind=QUOTE, demand_ids=[7], until=NOW + 2 * HOUR, now=NOW)
        assert release_lapsed(now=NOW + HOUR) == 0
        assert release_lapsed(now=NOW + 2 * HOUR) == 1

    def test_does_not_bring_back_what_lapsed(self) -> None:
        kept(stocked(product(), 10))
        with pytest.raises(NotKept):
            extend(demand_kind=QUOTE, demand_ids=[7], until=NOW + 3 * HOUR, now=NOW + HOUR)


@pytest.mark.django_db
class TestConvert:
    def test_changes_hands_and_stays(self) -> None:
        kept(stocked(product(), 10))

        for _ in range(2):
            got = convert(demand_kind=QUOTE, demand_id=7, new_kind=KIND, new_id=9, now=NOW)
            assert got == 4

        assert release_lapsed(now=NOW + 9 * HOUR) == 0
        left = Reservation.objects.get(closed_at=None)
        assert (left.demand_kind, left.demand_id, left.expires_at) == (KIND, 9, None)
        assert on_stock() == 4

    def test_refuses_what_lapsed(self) -> None:
        kept(stocked(product(), 10))
        with pytest.raises(NotKept):
            convert(demand_kind=QUOTE, demand_id=7, new_kind=KIND, new_id=9, now=NOW + HOUR)
        assert on_stock() == 4


@pytest.mark.django_db(transaction=True)
class TestTogether:
    def test_a_sweep_and_a_conversion_at_once_agree(self) -> None:
        stock = stocked(product(), 40)
        for number in range(1, 21):
            kept(stock, number, 1)
        late = NOW + HOUR - timedelta(seconds=1)
        calls: list[Callable[[], object]] = []
        for number in range(1, 21):
            calls += [
                lambda n=number: convert(
                    demand_kind=QUOTE, demand_id=n, new_kind=KIND, new_id=n, now=late
                ),
                lambda: release_lapsed(now=NOW + HOUR),
            ]

        results = at_once(calls)

        assert not [r for r in results if isinstance(r, Exception) and not isinstance(r, NotKept)]
        held = Reservation.objects.filter(closed_at=None)
        assert on_stock() == sum(each.quantity for each in held)
        assert {each.demand_kind for each in held} <= {KIND}
        assert drift() == []

    def test_a_gathering_promises_what_there_is(self) -> None:
        stock = stocked(product(), 10)
        gathering = Gathering(cause="Cart")
        calls = [
            lambda: gathering.keep(demand=demand(stock.product, 1), now=NOW) for _ in range(100)
        ]

        results = at_once(calls, threads=16)

        assert not [each for each in results if isinstance(each, Exception)]
        given = [sum(each.given.values()) for each in results]  # type: ignore[attr-defined]
        assert (given.count(1), given.count(0)) == (10, 90)
        assert on_stock() == 10
        assert drift() == []

    def test_a_failure_in_a_gathering_is_its_callers_alone(self) -> None:
        stock = stocked(product(), 100)
        gathering = Gathering(cause="Cart")
        calls = [
            lambda n=n: gathering.keep(demand=demand(stock.product, n % 5 and 1, id=n + 1), now=NOW)
            for n in range(40)
        ]

        results = at_once(calls)

        assert len([each for each in results if isinstance(each, ValueError)]) == 8
        assert on_stock() == 32

    def test_a_gathering_stands_outside_of_transactions(self) -> None:
        stock = stocked(product(), 10)
        with transaction.atomic(), pytest.raises(RuntimeError, match="outside"):
            Gathering(cause="Cart").keep(demand=demand(stock.product, 1), now=NOW)
        assert on_stock() == 0
