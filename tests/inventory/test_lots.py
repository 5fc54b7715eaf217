"""What the database itself refuses about lots, and what the services do with them."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction

from inventory.models import Lot, Product, Reservation, ShipmentLine, Stock, StockMove
from inventory.selectors import availability
from inventory.services import (
    IncomingLine,
    LotNeeded,
    Pick,
    ShortPick,
    StockAdjustment,
    adjust_stock,
    pick_shipments,
    receive_stock,
    ship_shipments,
)
from tests.inventory.factories import (
    NOW,
    company,
    demand,
    lot,
    node,
    packed,
    planned,
    product,
    reserved,
    stocked,
)

pytestmark = pytest.mark.django_db

SOON, LATER, GONE = date(2026, 12, 1), date(2027, 6, 1), date(2026, 11, 21)

BALANCE = """
    INSERT INTO inventory_stock (entity_id, node_id, product_id, status, on_hand, reserved)
    VALUES (%s, %s, %s, 'available', 0, 0)
"""


def milk() -> Product:
    return product(tracking="lot")


def refused(statement: str, *params: int) -> str:
    """Return why the database refuses a statement written by hand."""
    with pytest.raises(IntegrityError) as refusal, transaction.atomic(), connection.cursor() as sql:
        sql.execute(statement, params)
    return str(refusal.value)


def receipt(item: Product, lot_id: int | None) -> object:
    line = IncomingLine(
        source_line_id=1,
        product_id=item.pk,
        quantity=Decimal(5),
        value=Decimal(10),
        lot_id=lot_id,
    )
    return receive_stock(
        entity_id=company().pk,
        node_id=node().pk,
        source_kind="procurement.order",
        source_id=1,
        lines=[line],
        actor=None,
        now=NOW,
    )


class TestKeptByLot:
    def test_does_not_come_in_without_a_lot(self) -> None:
        item = milk()

        with pytest.raises(LotNeeded, match="say which lot") as refusal:
            receipt(item, None)

        assert refusal.value.errors[0]["field"] == "lot"
        assert not Stock.objects.exists()

    def test_others_do_not_come_in_with_one(self) -> None:
        pen, batch = product(), lot(milk())

        with pytest.raises(LotNeeded, match="not kept by lot"):
            receipt(pen, batch.pk)

        assert not StockMove.objects.exists()

    def test_is_not_found_without_a_lot(self) -> None:
        item = milk()
        found = StockAdjustment(
            entity_id=company().pk,
            node_id=node().pk,
            product_id=item.pk,
            quantity=Decimal(1),
            reason="Found",
        )
        with pytest.raises(LotNeeded):
            adjust_stock(adjustments=[found], kind="adjustment", actor=None, now=NOW)
        assert not StockMove.objects.exists()

    def test_moves_carry_the_lot(self) -> None:
        item = milk()
        batch = lot(item, expires_on=SOON)

        receipt(item, batch.pk)

        assert StockMove.objects.get().lot == batch
        stock = Stock.objects.get()
        assert (stock.lot, stock.expires_on, stock.is_barred) == (batch, SOON, False)

    def test_the_database_refuses_a_balance_without_a_lot(self) -> None:
        item = milk()
        assert "lies in lots" in refused(BALANCE, company().pk, node().pk, item.pk)

    def test_the_database_refuses_the_lot_of_another_product(self) -> None:
        item, other = milk(), lot(milk())
        statement = (
            "INSERT INTO inventory_stock (entity_id, node_id, product_id, lot_id, status, on_hand,"
            " reserved) VALUES (%s, %s, %s, %s, 'available', 0, 0)"
        )
        said = refused(statement, company().pk, node().pk, item.pk, other.pk)
        assert "a lot is of one product" in said

    def test_the_database_refuses_one_balance_twice(self) -> None:
        stock = stocked(product(), 1)
        said = refused(BALANCE, stock.entity_id, stock.node_id, stock.product_id)
        assert "inventory_stock_once_per_key" in said

    def test_tracking_stays_while_there_is_stock(self) -> None:
        stock = stocked(product(), 1)
        statement = "UPDATE inventory_product SET tracking = 'lot' WHERE id = %s"
        assert "keeps its tracking" in refused(statement, stock.product_id)

    def test_what_was_emptied_before_takes_nothing_in_without_a_lot(self) -> None:
        stock = stocked(product(), 1)
        stocked(stock.product, -1)
        Product.objects.filter(pk=stock.product_id).update(tracking="lot")

        with pytest.raises(LotNeeded):
            receipt(stock.product, None)
        statement = "UPDATE inventory_stock SET on_hand = 1 WHERE id = %s"
        assert "lies in lots" in refused(statement, stock.pk)


class TestFirstToExpire:
    def test_is_taken_first(self) -> None:
        item = milk()
        later = stocked(item, 10, lot=lot(item, expires_on=LATER))
        forever = stocked(item, 10, lot=lot(item))
        soon = stocked(item, 10, lot=lot(item, expires_on=SOON))

        reserved(demand(item, 25))

        held = {each.stock_id: each.quantity for each in Reservation.objects.all()}
        assert held == {soon.pk: 10, later.pk: 10, forever.pk: 5}

    def test_a_node_counts_with_all_its_lots(self) -> None:
        item = milk()
        near, far = node("A"), node("B")
        for day in (SOON, LATER):
            stocked(item, 6, node=far, lot=lot(item, expires_on=day))
        stocked(item, 8, node=near, lot=lot(item, expires_on=SOON))

        given = reserved(demand(item, 12))

        assert {piece.node_id for piece in given.pieces} == {far.pk}

    def test_what_expired_is_not_taken_nor_what_is_blocked(self) -> None:
        item = milk()
        stocked(item, 10, lot=lot(item, expires_on=GONE))
        stocked(item, 10, lot=lot(item, blocked_at=NOW, block_reason="Glass in it"))
        today = stocked(item, 3, lot=lot(item, expires_on=NOW.date()))

        given = reserved(demand(item, 25, id=7))

        assert given.given == {7: 3}
        assert [piece.stock_id for piece in given.pieces] == [today.pk]

    def test_the_database_refuses_a_promise_of_a_blocked_lot(self) -> None:
        item = milk()
        batch = lot(item)
        stock = stocked(item, 10, lot=batch)
        Lot.objects.filter(pk=batch.pk).update(blocked_at=NOW, block_reason="Recall")

        said = refused("UPDATE inventory_stock SET reserved = 1 WHERE id = %s", stock.pk)

        assert "blocked or expired" in said
        assert availability(keys=[(company().pk, item.pk)]) == {}


class TestLeaving:
    def test_the_shipped_lot_is_on_the_line_and_its_move(self) -> None:
        item = milk()
        soon, later = lot(item, expires_on=SOON), lot(item, expires_on=LATER)
        stocked(item, 4, lot=soon)
        stocked(item, 4, lot=later)

        ship_shipments(shipment_ids=packed([demand(item, 6)]), actor=None, now=NOW)

        lines = {each.stock.lot: each.picked for each in ShipmentLine.objects.all()}
        assert lines == {soon: 4, later: 2}
        moves = {each.lot: each.quantity for each in StockMove.objects.filter(kind="shipment")}
        assert moves == {soon: -4, later: -2}

    def test_what_is_short_of_a_lot_is_set_aside_in_it(self) -> None:
        item = milk()
        batch = lot(item, expires_on=SOON)
        stocked(item, 4, lot=batch)
        (shipment,) = planned([demand(item, 4)])
        line = ShipmentLine.objects.get()
        short = ShortPick(line_id=line.pk, picked=Decimal(1), reason="expired")

        pick_shipments(picks=[Pick(shipment_id=shipment.id, shorts=[short])], actor=None, now=NOW)

        aside = Stock.objects.get(status="quarantine")
        assert (aside.lot_id, aside.on_hand, aside.expires_on) == (batch.pk, Decimal(3), SOON)
