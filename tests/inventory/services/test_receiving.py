from decimal import Decimal

import pytest

from erp.outbox.models import Message
from inventory.models import ProductCost, Receipt, Stock, StockMove
from inventory.services import IncomingLine, NothingReceived, ReceivedGoods, receive_stock
from tests.inventory.factories import NOW, company, node, product, stocked

pytestmark = pytest.mark.django_db


def receive(*lines: IncomingLine) -> ReceivedGoods:
    return receive_stock(
        entity_id=company().pk,
        node_id=node().pk,
        source_kind="procurement.order",
        source_id=9,
        lines=lines,
        actor=None,
        now=NOW,
    )


def line(product_id: int, quantity: str, value: str, **more: object) -> IncomingLine:
    return IncomingLine(
        **{"source_line_id": 1, "product_id": product_id, "quantity": Decimal(quantity),
           "value": Decimal(value)} | more
    )  # fmt: skip


class TestReceiveStock:
    def test_adds_to_stock_and_to_its_value(self) -> None:
        pen, ink = product(), product()
        stock = stocked(pen, 10, unit_value="2")

        goods = receive(line(pen.pk, "5", "13.37"), line(ink.pk, "2.5", "0"))

        stock.refresh_from_db()
        assert stock.on_hand == 15
        cost = ProductCost.objects.get(product=pen)
        assert (cost.quantity, cost.value) == (15, Decimal("33.37"))
        assert Stock.objects.get(product=ink).on_hand == Decimal("2.5")
        receipt = Receipt.objects.get()
        assert (receipt.pk, receipt.number) == (goods.receipt_id, goods.number)
        assert [each.id for each in goods.lines] == [
            each.pk for each in receipt.lines.order_by("id")
        ]
        move = StockMove.objects.get(product=pen, kind="receipt")
        assert (move.value, move.cause_id) == (Decimal("13.37"), goods.lines[0].id)

    def test_what_waits_for_inspection_is_not_available(self) -> None:
        pen = product()
        receive(line(pen.pk, "5", "5", status="inspection"))
        assert Stock.objects.get().status == "inspection"
        assert not Message.objects.filter(name="inventory.stock_received").exists()

    def test_tells_each_product_once(self) -> None:
        pen = product()
        receive(line(pen.pk, "5", "5"), line(pen.pk, "1", "1", source_line_id=2))
        payload = Message.objects.get(name="inventory.stock_received").payload
        assert (payload["product_id"], payload["quantity"]) == (pen.pk, "6")

    @pytest.mark.parametrize(
        ("quantity", "value", "status"),
        [("0", "1", "available"), ("-1", "1", "available"), ("1", "-1", "available"),
         ("1", "0.001", "available"), ("1", "1", "lost"), ("NaN", "1", "available"),
         ("1", "NaN", "available"),
         ("0.0001", "1", "available")],
    )  # fmt: skip
    def test_refuses_what_makes_no_sense(self, quantity: str, value: str, status: str) -> None:
        pen = product()
        with pytest.raises(NothingReceived):
            receive(line(pen.pk, "1", "1"), line(pen.pk, quantity, value, status=status))
        assert not Stock.objects.exists()

    def test_refuses_an_empty_receipt(self) -> None:
        with pytest.raises(NothingReceived):
            receive()
