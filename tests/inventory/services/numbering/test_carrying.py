"""inventory/services/numbering: each piece goes where its balance says."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from erp.kernel.invariants import by_code, check
from erp.kernel.sql import run
from inventory.models import Product, Serial, SerialMove, Stock, StockMove
from inventory.selectors import INVARIANTS
from inventory.services import IncomingLine, StockAdjustment, adjust_stock, receive_stock
from inventory.services.correcting import (
    CorrectionDraft,
    CorrectionLineDraft,
    close_correction,
    request_correction,
)
from inventory.services.numbering import BadSerial, SerialsNeeded
from tests.inventory.factories import NOW, company, node, product, stocked
from tests.inventory.services.binning.test_moving import checked

pytestmark = pytest.mark.django_db


def drill(**values: Any) -> Product:
    """A product that is kept by serial number."""
    return product(tracking="serial", **values)


def broken() -> dict[str, int]:
    return {c: n for c, n in by_code([check(each) for each in INVARIANTS]).items() if n}


def there(stock: Stock) -> list[str]:
    """Return the numbers that lie in a balance."""
    return list(stock.serials.order_by("number").values_list("number", flat=True))


def story(number: str) -> list[str]:
    """Return what happened to a piece, in order."""
    moves = SerialMove.objects.filter(serial__number=number).order_by("pk")
    return list(moves.values_list("kind", flat=True))


def adjust(goods: Product, quantity: str | int, *serials: str, **values: Any) -> None:
    correction = StockAdjustment(
        entity_id=company().pk,
        node_id=node().pk,
        product_id=goods.pk,
        quantity=Decimal(quantity),
        reason="Found or lost",
        serials=serials,
        **values,
    )
    adjust_stock(adjustments=[correction], kind="adjustment", actor=None, now=NOW)


def receive(goods: Product, quantity: str | int, *serials: str) -> None:
    line = IncomingLine(
        source_line_id=1,
        product_id=goods.pk,
        quantity=Decimal(quantity),
        value=Decimal(10),
        serials=serials,
    )
    receive_stock(
        entity_id=company().pk,
        node_id=node().pk,
        source_kind="procurement.order",
        source_id=7,
        lines=[line],
        actor=None,
        now=NOW,
    )


class TestBringSerials:
    def test_takes_in_counts_off_and_finds_again(self) -> None:
        goods = drill()
        stock = stocked(goods, 3, serials=["A", "B", " C "])
        receive(goods, 2, "D", "E")
        adjust(goods, -2, "A", "D")
        adjust(goods, 1, "A")
        checked()

        assert there(stock) == ["A", "B", "C", "E"]
        assert Stock.objects.get(pk=stock.pk).on_hand == 4
        assert Serial.objects.get(number="D").stock_id is None
        assert story("A") == ["opening", "adjustment", "adjustment"]
        assert story("D") == ["receipt", "adjustment"]
        assert not broken()

    def test_writes_off_unnamed_what_alone_lies_there(self) -> None:
        goods = drill()
        stock = stocked(goods, 2, serials=["A", "B"])

        adjust(goods, -2)

        checked()
        assert there(stock) == []

    @pytest.mark.parametrize(
        ("quantity", "serials"),
        [("2", ["X"]), ("1", []), ("1", ["X", "Y"]), ("1.5", ["X"]), ("-1", [])],
    )
    def test_refuses_other_than_a_number_for_each_piece(
        self, quantity: str, serials: list[str]
    ) -> None:
        goods = drill()
        stock = stocked(goods, 2, serials=["A", "B"])

        with pytest.raises(SerialsNeeded) as refused, transaction.atomic():
            adjust(goods, quantity, *serials)

        assert refused.value.errors[0]["field"] == "serials"
        assert there(stock) == ["A", "B"]
        assert StockMove.objects.count() == 1

    @pytest.mark.parametrize(
        ("quantity", "serials", "why"),
        [
            ("1", ["A"], "lies at DC-A"),
            ("-1", ["Z"], "is not known"),
            ("2", ["X", "X"], "is named twice"),
            ("1", [" "], "does not have 1 to 60 characters"),
            ("1", ["X" * 61], "does not have 1 to 60 characters"),
            ("1", ["X\0"], "does not have 1 to 60 characters"),
        ],
    )
    def test_refuses_a_number_that_cannot_be(
        self, quantity: str, serials: list[str], why: str
    ) -> None:
        goods = drill()
        stock = stocked(goods, 2, serials=["A", "B"])

        with pytest.raises(BadSerial, match=why) as refused, transaction.atomic():
            adjust(goods, quantity, *serials)

        assert refused.value.errors[0]["field"] == "serials"
        assert there(stock) == ["A", "B"]
        assert Serial.objects.count() == 2

    def test_of_another_company_s_stock_it_says_no_more_than_that(self) -> None:
        goods = drill()
        stocked(goods, 1, serials=["A"], entity=company("EU01", "EUR"), node=node("DC-EU"))
        stocked(goods, 1, serials=["B"], node=node("DC-B"))

        with pytest.raises(BadSerial, match="lies in another company's stock") as refused:
            adjust(goods, 1, "A")
        assert "DC-EU" not in str(refused.value)
        with pytest.raises(BadSerial, match=r"lies at DC-B \(available\)"):
            adjust(goods, 1, "B")
        assert Stock.objects.filter(product=goods, on_hand__gt=1).count() == 0

    def test_refuses_a_number_of_what_is_not_kept_by_them(self) -> None:
        goods = product()

        with pytest.raises(BadSerial, match="not kept by serial number"), transaction.atomic():
            adjust(goods, 1, "A")

        assert not Stock.objects.filter(on_hand__gt=0).exists()

    def test_a_number_is_of_one_product(self) -> None:
        one, other = drill(), drill()
        stocked(one, 1, serials=["A"])
        stock = stocked(other, 1, serials=["A"])

        checked()

        assert there(stock) == ["A"]
        assert Serial.objects.count() == 2

    def test_products_without_numbers_cost_no_statement(self) -> None:
        goods = product()
        with CaptureQueriesContext(connection) as asked:
            adjust(goods, 5)

        assert not [each for each in asked if "inventory_serial" in each["sql"]]

    def test_a_product_that_changes_its_tracking_tells_its_balances(self) -> None:
        goods = product()
        stock = stocked(goods, 2)
        adjust(goods, -2)
        Product.objects.filter(pk=goods.pk).update(tracking="serial")

        with pytest.raises(SerialsNeeded), transaction.atomic():
            adjust(goods, 1)
        adjust(goods, 1, "A")

        checked()
        assert there(stock) == ["A"]
        assert not broken()


class TestShiftSerials:
    def test_the_named_pieces_change_their_status(self) -> None:
        goods = drill()
        stock = stocked(goods, 3, serials=["A", "B", "C"])
        line = CorrectionLineDraft(
            product_id=goods.pk,
            quantity=Decimal(2),
            to_status="damaged",
            serials=["B", "C"],
        )
        draft = CorrectionDraft(
            entity_id=company().pk, node_id=node().pk, reason="Dropped", lines=[line]
        )
        asked = request_correction(draft=draft, actor=None, now=NOW)

        close_correction(correction_id=asked.pk, actor=None, now=NOW)

        checked()
        assert there(stock) == ["A"]
        assert there(Stock.objects.get(product=goods, status="damaged")) == ["B", "C"]
        assert story("B") == ["opening", "status"]
        assert not broken()

    def test_asks_for_each_number_before_anybody_agrees(self) -> None:
        goods = drill()
        stocked(goods, 3, serials=["A", "B", "C"])
        line = CorrectionLineDraft(
            product_id=goods.pk, quantity=Decimal(2), to_status="damaged", serials=["B"]
        )
        draft = CorrectionDraft(
            entity_id=company().pk, node_id=node().pk, reason="Dropped", lines=[line]
        )

        with pytest.raises(SerialsNeeded), transaction.atomic():
            request_correction(draft=draft, actor=None, now=NOW)


class TestGuard:
    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE inventory_stock SET on_hand = on_hand - 1",
            "UPDATE inventory_stock SET on_hand = on_hand + 0.5",
            "DELETE FROM inventory_serial WHERE number = 'B'",
            "UPDATE inventory_serial SET stock_id = NULL WHERE number = 'A'",
            "UPDATE inventory_serial SET product_id = (SELECT max(id) FROM inventory_product)",
            """INSERT INTO inventory_serial (product_id, number, stock_id, created_at, moved_at)
            SELECT product_id, 'Z', stock_id, now(), now() FROM inventory_serial LIMIT 1""",
            "UPDATE inventory_serialmove SET kind = 'return'",
            "DELETE FROM inventory_serialmove",
        ],
    )
    def test_raw_sql_cannot_tell_another_story(self, statement: str) -> None:
        goods = drill()
        stocked(goods, 2, serials=["A", "B"])
        product()
        checked()

        with (
            pytest.raises(DatabaseError) as refused,
            transaction.atomic(),
        ):
            run(statement, [])
            checked()

        assert "serial" in str(refused.value) or "Cannot update or delete" in str(refused.value)
        assert not broken()

    def test_a_balance_cannot_be_talked_out_of_it(self) -> None:
        stock = stocked(drill(), 1, serials=["A"])

        run("UPDATE inventory_stock SET is_serial = false", [])

        assert Stock.objects.get(pk=stock.pk).is_serial
