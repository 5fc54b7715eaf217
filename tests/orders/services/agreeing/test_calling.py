"""orders/services/agreeing: from a commitment to orders, each planned row once."""

from datetime import date, timedelta
from decimal import Decimal
from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from erp.outbox.models import Message
from inventory.models import Product
from orders.models import Blanket, BlanketLine, CallOff, CreditAccount, Order
from orders.services import MoreThanAgreed, cancel_order
from orders.services.agreeing import (
    BadAgreement,
    BlanketDraft,
    BlanketLineDraft,
    CallOffDraft,
    CallOffPart,
    NotActive,
    OutsidePeriod,
    activate_blanket,
    call_off,
    end_blanket,
    expire_blankets,
    make_due_call_offs,
    schedule_call_offs,
    write_blanket,
)
from tests.orders import factories as make

pytestmark = pytest.mark.django_db
END = make.TODAY + timedelta(days=60)


def agreed(part: Product, on: CreditAccount | None = None, **values: Any) -> Blanket:
    line = {"quantity": Decimal(100), "unit_price": Decimal(9)} | values
    account = on or make.account()
    draft = BlanketDraft(
        entity_id=account.entity_id,
        customer_id=account.customer_id,
        valid_from=make.TODAY,
        valid_until=END,
        lines=[BlanketLineDraft(product_id=part.pk, **line)],
        ship_to={"name": "Gate 4", "city": "Dayton", "country": "US"},
    )
    blanket = write_blanket(draft=draft, actor=None, now=make.NOW)
    return activate_blanket(blanket_id=blanket.pk, actor=None, now=make.NOW)


def called(blanket: Blanket, quantity: str | int, **values: Any) -> Order:
    parts = [CallOffPart(blanket.lines.get().pk, Decimal(quantity))]
    values = {"actor": None, "now": make.NOW} | values
    made = call_off(blanket_id=blanket.pk, parts=parts, **values)
    return Order.objects.get(pk=made.id)


def planned(blanket: Blanket, *days: int, quantity: int = 10) -> list[CallOff]:
    wishes = [
        CallOffDraft(1, make.TODAY + timedelta(days=day + 5), Decimal(quantity), on(day))
        for day in days
    ]
    return schedule_call_offs(blanket_id=blanket.pk, call_offs=wishes, actor=None, now=make.NOW)


def on(day: int) -> date:
    return make.TODAY + timedelta(days=day)


class TestCallOff:
    def test_is_an_ordinary_order_at_the_fixed_price(self) -> None:
        blanket = agreed(make.priced("10"))

        order = called(blanket, 30)

        (line,) = make.lines_of(order)
        assert (order.state, order.channel, order.total) == ("released", "blanket", 270)
        assert (line.unit_price, line.blanket_line_id) == (9, blanket.lines.get().pk)
        assert (blanket.lines.get().called, blanket.lines.get().called_value) == (30, 270)
        assert order.ship_to["name"] == "Gate 4"

    def test_without_a_fixed_price_the_book_says_it(self) -> None:
        part = make.priced("10")
        blanket = agreed(part, unit_price=None)

        order = called(blanket, 3)

        assert make.lines_of(order)[0].unit_price == 10
        assert blanket.lines.get().called == 3

    @pytest.mark.parametrize(("tolerance", "most"), [("0", "100"), ("0.05", "105")])
    def test_takes_all_that_is_committed_and_tolerated_and_no_more(self, tolerance, most) -> None:
        blanket = agreed(make.priced("10"), tolerance=Decimal(tolerance))

        called(blanket, most)
        with pytest.raises(MoreThanAgreed):
            called(blanket, "0.001")

        assert blanket.lines.get().called == Decimal(most)
        assert Order.objects.count() == 1

    def test_a_committed_value_is_the_limit_too(self) -> None:
        blanket = agreed(make.priced("10"), quantity=None, value=Decimal(90))

        called(blanket, 10)
        with pytest.raises(MoreThanAgreed):
            called(blanket, 1)

    def test_cancelling_gives_it_back(self) -> None:
        blanket = agreed(make.priced("10"))
        order = called(blanket, 30)

        cancel_order(order_id=order.pk, actor=None, reason="x", now=make.NOW)

        assert (blanket.lines.get().called, blanket.lines.get().called_value) == (0, 0)

    def test_only_while_it_is_active_and_within_its_period(self) -> None:
        blanket = agreed(make.priced("10"))

        called(blanket, 1, now=make.NOW + timedelta(days=60))
        with pytest.raises(OutsidePeriod):
            called(blanket, 1, now=make.NOW + timedelta(days=61))
        end_blanket(blanket_id=blanket.pk, reason="Lost", actor=None, now=make.NOW)
        with pytest.raises(NotActive):
            called(blanket, 1)

    def test_the_database_itself_keeps_to_what_is_committed(self) -> None:
        blanket = agreed(make.priced("10"), tolerance=Decimal("0.05"))

        BlanketLine.objects.filter(blanket=blanket).update(called=105)
        with pytest.raises(IntegrityError), transaction.atomic():
            BlanketLine.objects.filter(blanket=blanket).update(called=Decimal("105.001"))


class TestSchedule:
    def test_makes_what_is_due_once_however_often_it_is_swept(self) -> None:
        blanket = agreed(make.priced("10"))
        due, late, early = planned(blanket, 0, 0, 1)

        swept = [make_due_call_offs(now=make.NOW) for _ in range(2)]

        assert swept == [[due.pk, late.pk], []]
        states = list(CallOff.objects.order_by("pk").values_list("state", flat=True))
        assert states == ["ordered", "ordered", "planned"]
        order = CallOff.objects.get(pk=due.pk).order
        assert order is not None
        assert (order.requested_date, order.state) == (due.due_date, "released")
        assert (Order.objects.count(), blanket.lines.get().called) == (2, 20)
        assert make_due_call_offs(now=make.NOW + timedelta(days=1)) == [early.pk]

    def test_what_is_refused_fails_with_its_reason_and_stops_no_other(self) -> None:
        part = make.priced("10")
        blanket = agreed(part)
        too_much, fine = planned(blanket, 0, quantity=101) + planned(blanket, 0)

        make_due_call_offs(now=make.NOW)

        too_much, fine = (CallOff.objects.get(pk=each.pk) for each in (too_much, fine))
        assert (too_much.state, fine.state) == ("failed", "ordered")
        assert "commits 100" in too_much.failure
        assert Message.objects.filter(name="orders.call_off_failed").count() == 1
        assert make_due_call_offs(now=make.NOW) == []

    def test_is_within_the_period(self) -> None:
        blanket = agreed(make.priced("10"))

        for wrong in (
            CallOffDraft(1, END + timedelta(days=1), Decimal(1), END),
            CallOffDraft(1, make.TODAY, Decimal(1), on(1)),
            CallOffDraft(2, END, Decimal(1), END),
            CallOffDraft(1, END, Decimal(0), END),
        ):
            with pytest.raises(BadAgreement):
                schedule_call_offs(
                    blanket_id=blanket.pk, call_offs=[wrong], actor=None, now=make.NOW
                )
        assert not CallOff.objects.exists()

    def test_expiry_tells_what_was_not_called_off(self) -> None:
        blanket = agreed(make.priced("10"))
        called(blanket, 30)
        planned(blanket, 40)

        assert expire_blankets(now=make.NOW + timedelta(days=60)) == []
        assert expire_blankets(now=make.NOW + timedelta(days=61)) == [blanket.pk]

        assert Message.objects.get(name="orders.blanket_ended").payload["open"] == "70.000"
        assert CallOff.objects.get().state == "dropped"
        assert Blanket.objects.get().state == "expired"


@pytest.mark.django_db(transaction=True)
def test_two_sweeps_make_a_row_once() -> None:
    blanket = agreed(make.priced("10"))
    planned(blanket, 0, 0)
    barrier = Barrier(3)
    found: list[list[int]] = []

    def sweep() -> None:
        barrier.wait()
        try:
            found.append(make_due_call_offs(now=make.NOW))
        finally:
            connection.close()

    threads = [Thread(target=sweep) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 3
    assert Order.objects.count() == 2
    assert BlanketLine.objects.get().called == 20
