from datetime import date
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction

from erp.outbox.models import Message
from inventory.models import AllocationDecision, AllocationRun, Reservation, Stock
from inventory.services import _reserving, allocate, release_reservations
from tests.inventory.factories import KIND, NOW, company, demand, node, product, reserved, stocked

pytestmark = pytest.mark.django_db


class TestAllocate:
    def test_keeps_stock_for_each_demand(self) -> None:
        pen = product()
        stock = stocked(pen, 10)
        first, second = demand(pen, 4), demand(pen, "2.5")

        made = reserved(first, second)

        assert made.given == {first.id: 4, second.id: Decimal("2.5")}
        assert [(p.demand_id, p.stock_id, p.quantity) for p in made.pieces] == [
            (first.id, stock.pk, 4),
            (second.id, stock.pk, Decimal("2.5")),
        ]
        stock.refresh_from_db()
        assert stock.reserved == Decimal("6.5")
        assert Reservation.objects.filter(closed_at=None, demand_kind=KIND).count() == 2

    def test_a_shortage_is_no_refusal(self) -> None:
        pen = product()
        stocked(pen, 3)
        line = demand(pen, 4)
        assert reserved(line).given == {line.id: 3}
        late = demand(product(), 1)
        assert reserved(late).given == {late.id: 0}

    def test_serves_by_priority_then_date_then_number(self) -> None:
        pen = product()
        stocked(pen, 3)
        lines = [
            demand(pen, 1, priority=50, due=date(2026, 12, 2)),
            demand(pen, 1, priority=50, due=date(2026, 12, 1)),
            demand(pen, 1, priority=90, due=date(2026, 11, 1)),
            demand(pen, 1, priority=50, due=date(2026, 12, 1)),
        ]
        given = reserved(*lines).given
        assert [given[line.id] for line in lines] == [1, 1, 0, 1]

    def test_takes_only_what_the_company_owns_and_what_is_available(self) -> None:
        pen = product()
        stocked(pen, 5, entity=company("DE01", "EUR"))
        stocked(pen, 5, status="quarantine")
        line = demand(pen, 5)
        assert reserved(line).given == {line.id: 0}

    def test_takes_nothing_from_a_closed_node(self) -> None:
        pen = product()
        stocked(pen, 5, node=node("OLD", is_active=False))
        line = demand(pen, 5)
        assert reserved(line).given == {line.id: 0}
        assert AllocationDecision.objects.get().candidates[0][3] == "closed"

    def test_only_from_these_nodes(self) -> None:
        pen = product()
        stocked(pen, 5, node=node("A"))
        there = stocked(pen, 5, node=node("B"))
        line = demand(pen, 7)
        made = reserved(line, only_nodes={line.id: [there.node_id]})
        assert [(piece.node_id, piece.quantity) for piece in made.pieces] == [(there.node_id, 5)]

    def test_all_of_an_order_or_nothing(self) -> None:
        pen, ink = product(), product()
        stocked(pen, 5)
        stocked(ink, 1)
        lines = [demand(p, 2, group_id=1, ship_complete=True) for p in (pen, ink)]
        assert set(reserved(*lines).given.values()) == {0}
        assert not Reservation.objects.exists()
        assert AllocationDecision.objects.first().flip == f"1 more of {ink.code} at DC-A"

    def test_adds_to_what_the_demand_holds_already(self) -> None:
        pen = product()
        stocked(pen, 10)
        reserved(demand(pen, 4, id=7))
        reserved(demand(pen, 3, id=7))
        assert Reservation.objects.get().quantity == 7

    def test_keeps_anew_after_a_release(self) -> None:
        pen = product()
        stocked(pen, 10)
        reserved(demand(pen, 4, id=7))
        release_reservations(demand_kind=KIND, demand_ids=[7], now=NOW)
        reserved(demand(pen, 3, id=7))
        assert Reservation.objects.filter(closed_at=None).get().quantity == 3

    def test_writes_a_receipt_for_every_line(self) -> None:
        pen = product("PEN")
        stocked(pen, 3, node=node("A"))
        stocked(pen, 4, node=node("B"))
        reserved(demand(pen, 4, priority=1, node_id=node("B").pk))
        made = reserved(demand(pen, 5, id=77))

        run = AllocationRun.objects.get(pk=made.run_id)
        assert (run.demands, run.asked, run.given, run.cause) == (1, 5, 3, "test")
        receipt = run.decisions.get()
        assert (receipt.demand_id, receipt.asked, receipt.given) == (77, 5, 3)
        assert receipt.outcome == "partial"
        assert receipt.candidates == [["A", 3000, 3000], ["B", 0, 0, "empty"]]
        assert receipt.flip == "2 more of PEN at A"

    def test_a_receipt_is_never_changed(self) -> None:
        pen = product()
        reserved(demand(pen, 5))
        with pytest.raises(Exception, match="Cannot update or delete"), transaction.atomic():
            AllocationDecision.objects.update(flip="")

    def test_tells_what_fell(self) -> None:
        pen, ink, place = product(), product(), node()
        stocked(pen, 5)
        stocked(ink, 5)
        reserved(demand(ink, 1), demand(pen, 1), demand(product(), 1))
        (message,) = Message.objects.filter(name="inventory.stock_fell")
        assert message.payload == {
            "entity_id": company().pk,
            "node_id": place.pk,
            "product_ids": f"{pen.pk},{ink.pk}",
        }

    def test_nothing_asked_is_nothing_done(self) -> None:
        assert allocate(demands=[], cause="test", policy_version="", now=NOW).given == {}
        assert not AllocationRun.objects.exists()

    @pytest.mark.parametrize("quantity", ["0", "-1", "0.0005"])
    def test_a_demand_wants_something(self, quantity: str) -> None:
        with pytest.raises(ValueError, match=r"nothing|thousandth"):
            reserved(demand(product(), quantity))

    def test_one_call_names_a_demand_once(self) -> None:
        pen = product()
        with pytest.raises(ValueError, match="once"):
            reserved(demand(pen, 1, id=7), demand(pen, 1, id=7))

    @pytest.mark.parametrize("lines", [5, 200])
    def test_takes_as_many_statements_for_many_as_for_few(
        self, lines: int, django_assert_num_queries
    ) -> None:
        pens = [product() for _ in range(5)]
        for pen in pens:
            stocked(pen, 1000)
        demands = [demand(pens[i % 5], 1, group_id=i // 5) for i in range(lines)]
        with django_assert_num_queries(3):
            reserved(*demands)


class TestCopied:
    """A large plan is copied: the same rows as one statement writes."""

    @pytest.fixture
    def copies(self, monkeypatch) -> None:
        monkeypatch.setattr(_reserving, "COPIED_FROM", 1)
        monkeypatch.setattr(_reserving, "RECEIPTS_AT_ONCE", 2)

    def test_keeps_stock_and_writes_every_receipt(self, copies) -> None:
        pen, ink = product("PEN"), product("INK")
        shelf = stocked(pen, 3, node=node("A"))
        stocked(ink, 9, node=node("A"))
        lines = [
            demand(pen, 2, label="SO-1"),
            demand(ink, "2.5", label="SO\\2"),
            demand(pen, 4, label="SO-3"),
        ]

        made = reserved(*lines)

        assert [made.given[line.id] for line in lines] == [2, Decimal("2.5"), 1]
        kept = Reservation.objects.filter(closed_at=None).order_by("demand_id")
        assert [(r.demand_id, r.quantity) for r in kept] == [
            (lines[0].id, 2),
            (lines[1].id, Decimal("2.5")),
            (lines[2].id, 1),
        ]
        shelf.refresh_from_db()
        assert shelf.reserved == 3
        run = AllocationRun.objects.get(pk=made.run_id)
        assert (run.demands, run.asked, run.given) == (3, Decimal("8.5"), Decimal("5.5"))
        assert run.certificate["holds"]
        receipts = run.decisions.order_by("demand_id")
        assert [(r.demand_label, r.outcome, r.flip) for r in receipts] == [
            ("SO-1", "full", ""),
            ("SO\\2", "full", ""),
            ("SO-3", "partial", "3 more of PEN at A"),
        ]
        assert receipts[2].candidates == [["A", 1000, 1000]]

    def test_adds_to_what_a_demand_holds_already(self, copies) -> None:
        pen = product()
        stocked(pen, 10)
        reserved(demand(pen, 4, id=7))
        reserved(demand(pen, 3, id=7), demand(pen, 1, id=8))
        kept = Reservation.objects.order_by("demand_id")
        assert [(r.demand_id, r.quantity) for r in kept] == [(7, 7), (8, 1)]


def test_the_database_itself_refuses_to_oversell() -> None:
    pen = product()
    stock = stocked(pen, 10)
    for statement in (
        "UPDATE inventory_stock SET reserved = 11 WHERE id = %s",
        "UPDATE inventory_stock SET on_hand = -1 WHERE id = %s",
        "UPDATE inventory_stock SET reserved = -1 WHERE id = %s",
        "UPDATE inventory_stock SET status = 'damaged', reserved = 1 WHERE id = %s",
    ):
        with (
            pytest.raises(IntegrityError),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement, [stock.pk])
    assert Stock.objects.get().on_hand == 10
