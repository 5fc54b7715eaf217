"""Many writers at once, some of them killed: no drift, nothing oversold, no deadlock to anybody."""

from collections.abc import Callable
from decimal import Decimal
from itertools import count
from random import Random
from threading import Event, Thread

import pytest
from django.db import IntegrityError, InterfaceError, OperationalError, connection, transaction

from erp.kernel.sql import rows
from inventory.models import Product, Reservation, Stock
from inventory.selectors import INVARIANTS
from inventory.services import (
    NotThatMuch,
    Pack,
    Pick,
    StockAdjustment,
    adjust_stock,
    pack_shipments,
    pick_shipments,
    release_reservations,
    ship_shipments,
)
from tests.inventory.factories import (
    KIND,
    NOW,
    company,
    demand,
    lot,
    node,
    planned,
    product,
    reserved,
    stocked,
)
from tests.inventory.services.test_allocating_together import at_once

pytestmark = pytest.mark.django_db(transaction=True)

WRITERS, TURNS = 64, 4
LOST = (
    OperationalError,
    InterfaceError,
    connection.Database.OperationalError,
    connection.Database.InterfaceError,
)


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


class Fire:
    """What one writer does at random on a few products, in and out of lots, at two nodes."""

    def __init__(self) -> None:
        self.goods = [product() for _ in range(3)] + [product(tracking="lot") for _ in range(2)]
        self.places = [node("A"), node("B")]
        self.serial = count(1_000)
        self.lots = {item.pk: lot(item) if item.tracking == "lot" else None for item in self.goods}
        for item in self.goods:
            for place in self.places:
                stocked(item, 60, node=place, lot=self.lots[item.pk])

    def turn(self, dice: Random) -> Callable[[], object]:
        acts = [self.reserve, self.reserve_and_cancel, self.ship, self.adjust]
        act, seed = dice.choice(acts), dice.random()
        return lambda: act(Random(seed))

    def some(self, dice: Random) -> list[Product]:
        return dice.sample(self.goods, 3)  # in no order: the services put them in one

    def reserve(self, dice: Random) -> object:
        return reserved(*[demand(item, dice.randint(1, 4)) for item in self.some(dice)])

    def reserve_and_cancel(self, dice: Random) -> object:
        wanted = [demand(item, dice.randint(1, 4)) for item in self.some(dice)]
        reserved(*wanted)
        ids = [each.id for each in wanted]
        return release_reservations(demand_kind=KIND, demand_ids=ids, now=NOW)

    def ship(self, dice: Random) -> object:
        number = next(self.serial)
        wanted = [demand(item, dice.randint(1, 3), group_id=number) for item in self.some(dice)]
        ids = [each.id for each in planned(wanted, number)]
        picks = [Pick(shipment_id=each) for each in ids]
        picked = pick_shipments(picks=picks, actor=None, now=NOW).picked_ids
        packs = [Pack(shipment_id=each) for each in picked]
        packed = pack_shipments(packs=packs, actor=None, now=NOW)
        return ship_shipments(shipment_ids=packed, actor=None, now=NOW)

    def adjust(self, dice: Random) -> object:
        changes = [
            StockAdjustment(
                entity_id=company().pk,
                node_id=dice.choice(self.places).pk,
                product_id=item.pk,
                quantity=Decimal(dice.choice([-3, -1, 1, 3])),
                reason="Counted",
                lot_id=self.lots[item.pk].pk if self.lots[item.pk] else None,
            )
            for item in self.some(dice)
        ]
        try:
            return adjust_stock(adjustments=changes, kind="adjustment", actor=None, now=NOW)
        except NotThatMuch as refusal:
            return str(refusal)


def shoot(over: Event, own: int, name: str) -> None:
    """End a random session of this test's database every now and then."""
    dice = Random(5)
    try:
        while not over.wait(0.15):
            found = rows(
                "SELECT pid FROM pg_stat_activity WHERE datname = %s AND pid <> ALL(%s)"
                " AND backend_type = 'client backend'",
                [name, [own, rows("SELECT pg_backend_pid()")[0][0]]],
            )
            if found:
                rows("SELECT pg_terminate_backend(%s)", [dice.choice(found)[0]])
    finally:
        connection.close()


def test_sixty_four_writers_some_of_them_killed() -> None:
    fire = Fire()
    dice = Random(11)
    own = rows("SELECT pg_backend_pid()")[0][0]
    name = rows("SELECT current_database()")[0][0]
    over = Event()
    gun = Thread(target=shoot, args=(over, own, name))

    def alive(call: Callable[[], object]) -> Callable[[], object]:
        def run() -> object:
            try:
                return call()
            except LOST as lost:
                connection.close()  # the next turn connects anew
                return "deadlock" if "deadlock" in str(lost) else "killed"

        return run

    calls = [alive(fire.turn(dice)) for _ in range(WRITERS * TURNS)]
    gun.start()
    try:
        results = at_once(calls, threads=WRITERS)
    finally:
        over.set()
        gun.join()

    wrong = [each for each in results if isinstance(each, Exception)]
    assert not wrong, wrong[:3]
    assert "deadlock" not in results
    assert len(results) == WRITERS * TURNS
    assert results.count("killed") < len(results) // 2  # most of it got through
    assert drift() == {}
    for stock in Stock.objects.all():
        assert 0 <= stock.reserved <= stock.on_hand
