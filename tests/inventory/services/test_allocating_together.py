"""Many at once: nothing is promised twice, and nobody waits for ever."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from inventory.models import Product, Reservation, Shipment, Stock
from inventory.services import Pick, pick_shipments, release_reservations, ship_shipments
from tests.inventory.factories import (
    KIND,
    NOW,
    demand,
    node,
    packed,
    planned,
    product,
    reserved,
    stocked,
)

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(calls: list[Callable[[], object]], *, threads: int = 8) -> list[object]:
    """Run `calls` on `threads` connections that start together; return what each gave or raised."""
    gate = Barrier(threads)
    shares = [calls[start::threads] for start in range(threads)]

    def work(share: list[Callable[[], object]]) -> list[object]:
        try:
            gate.wait(timeout=30)
            return [_tried(call) for call in share]
        finally:
            connection.close()

    with ThreadPoolExecutor(threads) as pool:
        return [result for results in pool.map(work, shares) for result in results]


def _tried(call: Callable[[], object]) -> object:
    try:
        return call()
    except Exception as error:  # noqa: BLE001  the test says which are allowed
        return error


def given(results: list[object]) -> int:
    assert not [result for result in results if isinstance(result, Exception)]
    return int(sum(sum(result.given.values()) for result in results))


def test_a_hundred_want_ten() -> None:
    pen = product()
    stock = stocked(pen, 10)
    results = at_once([lambda: reserved(demand(pen, 1)) for _ in range(100)])
    assert given(results) == 10
    stock.refresh_from_db()
    assert stock.reserved == 10
    assert Reservation.objects.count() == 10


def test_crossing_keys_never_deadlock() -> None:
    pens = [product() for _ in range(4)]
    places = [node("A"), node("B")]
    for pen in pens:
        for place in places:
            stocked(pen, 15, node=place)

    def order(turn: int) -> Callable[[], object]:
        there = pens if turn % 2 else pens[::-1]
        lines = [demand(pen, 2, node_id=places[turn % 2].pk, group_id=turn + 1) for pen in there]
        return lambda: reserved(*lines)

    results = at_once([order(turn) for turn in range(60)])
    assert given(results) == 4 * 30
    assert {stock.reserved for stock in Stock.objects.all()} == {15}


def test_keeping_and_giving_back_at_once_end_even() -> None:
    pen = product()
    stocked(pen, 10)
    numbers = range(1, 41)
    calls: list[Callable[[], object]] = []
    for number in numbers:
        calls += [
            lambda n=number: reserved(demand(pen, 1, id=n)),
            lambda n=number: release_reservations(demand_kind=KIND, demand_ids=[n], now=NOW),
        ]
    results = at_once(calls)
    assert not [result for result in results if isinstance(result, Exception)]
    open_ = Reservation.objects.filter(closed_at=None)
    assert Stock.objects.get().reserved == sum(each.quantity for each in open_)


def test_a_demand_is_given_back_once() -> None:
    pen = product()
    stocked(pen, 10)
    reserved(demand(pen, 4, id=7))
    calls = [lambda: release_reservations(demand_kind=KIND, demand_ids=[7], now=NOW)] * 8
    released = at_once(calls)
    assert sorted(len(each) for each in released) == [0] * 7 + [1]
    assert Stock.objects.get().reserved == 0


def test_a_shipment_leaves_once() -> None:
    pen = product()
    stocked(pen, 10)
    ids = packed([demand(pen, 4)])
    calls = [lambda: ship_shipments(shipment_ids=ids, actor=None, now=NOW)] * 8
    results = at_once(calls)
    assert sorted(len(each) for each in results) == [0] * 7 + [1]
    assert Stock.objects.get().on_hand == 6


def test_batches_that_share_products_never_deadlock() -> None:
    pens = [product() for _ in range(4)]
    for pen in pens:
        stocked(pen, 100)
    batches = []
    for turn in range(16):
        there = pens if turn % 2 else pens[::-1]
        batches.append(packed([demand(p, 1, group_id=turn + 1) for p in there], turn + 1))
    calls = [
        lambda b=batch: ship_shipments(shipment_ids=b, actor=None, now=NOW) for batch in batches
    ]
    results = at_once(calls)
    assert sum(len(each) for each in results) == 64
    assert {stock.on_hand for stock in Stock.objects.all()} == {84}


def test_picking_and_giving_back_at_once_agree() -> None:
    pen = product()
    stocked(pen, 50)
    calls: list[Callable[[], object]] = []
    for number in range(1, 21):
        (shipment,) = planned([demand(pen, 1, id=number)], number)
        calls += [
            lambda s=shipment.id: pick_shipments(picks=[Pick(shipment_id=s)], actor=None, now=NOW),
            lambda n=number: release_reservations(demand_kind=KIND, demand_ids=[n], now=NOW),
        ]
    at_once(calls)  # a pick of what was voided before is refused
    kept = Shipment.objects.filter(state="picked").count()
    assert Shipment.objects.filter(state="void").count() == 20 - kept
    assert Stock.objects.get().reserved == kept
    assert Reservation.objects.filter(closed_at=None).count() == kept
    assert Product.objects.count() == 1
