"""orders/services/_cancelling.py, with _withdrawing."""

from decimal import Decimal

import pytest

from erp.governance.models import AuditEntry
from erp.outbox.models import Message
from inventory.models import Reservation, Shipment, Stock
from orders.models import CreditAccount, Hold, Order
from orders.services import (
    CancelReasonMissing,
    CannotCancelSoMuch,
    LineCancel,
    TooLateToCancel,
    cancel_lines,
    cancel_order,
)
from tests.orders import factories as make

pytestmark = pytest.mark.django_db


def cancelled(order: Order, reason: str = "Changed their mind") -> Order:
    return cancel_order(order_id=order.pk, actor=None, reason=reason, now=make.NOW)


class TestCancelOrder:
    @pytest.mark.parametrize("state", ["draft", "held", "backordered", "allocated", "fulfilling"])
    def test_undoes_all_the_order_caused(self, state) -> None:
        part = make.priced("10.3333")
        make.stocked(part, 0 if state == "backordered" else 5) if state != "backordered" else None
        on = make.account(limit="1" if state == "held" else "1000")
        to = {
            "draft": make.created,
            "held": make.submitted,
            "backordered": make.allocated,
            "allocated": make.allocated,
            "fulfilling": make.picked,
        }[state]
        order = to(on, make.line(part, 3), freight=Decimal("7.77"))
        assert order.state == state

        order = cancelled(order)

        (line,) = make.lines_of(order)
        assert (order.state, order.cancel_reason) == ("cancelled", "Changed their mind")
        assert (line.cancelled, line.reserved, line.waiting) == (3, 0, 0)
        assert CreditAccount.objects.get(pk=on.pk).committed == 0
        assert not Reservation.objects.filter(closed_at=None).exists()
        assert not Stock.objects.exclude(reserved=0).exists()
        assert not Shipment.objects.exclude(state="void").exists()
        assert not Hold.objects.filter(state="active").exists()
        assert Message.objects.filter(name="orders.order_cancelled").count() == 1
        assert AuditEntry.objects.filter(action="orders.cancel").count() == 1

    def test_tells_that_nothing_is_missing_any_more(self) -> None:
        order = make.allocated(make.account(), make.line(make.priced(), 2))

        cancelled(order)

        assert Message.objects.filter(name="orders.line_covered").count() == 1

    def test_changes_nothing_when_repeated(self) -> None:
        order = cancelled(make.created(make.account(), make.line(make.priced())))

        assert cancelled(order).state == "cancelled"

        assert Message.objects.filter(name="orders.order_cancelled").count() == 1

    def test_cancels_the_rest_of_a_partly_shipped_order(self) -> None:
        part = make.priced("10")
        make.stocked(part, 2)
        on = make.account()
        order = make.picked(on, make.line(part, 5), freight=Decimal(3))
        make.left(order)
        assert Order.objects.get(pk=order.pk).state == "partly_shipped"

        order = cancelled(order)

        on.refresh_from_db()
        (line,) = make.lines_of(order)
        assert (order.state, line.shipped, line.cancelled) == ("shipped", 2, 3)
        assert (on.committed, on.unbilled) == (3, 20)  # freight waits for the first invoice

    def test_refuses_what_has_left_and_a_missing_reason(self) -> None:
        part = make.priced()
        make.stocked(part, 1)
        order = make.picked(make.account(), make.line(part))

        with pytest.raises(CancelReasonMissing):
            cancelled(order, " ")
        make.left(order)
        with pytest.raises(TooLateToCancel):
            cancelled(order)

        assert Order.objects.get(pk=order.pk).state == "shipped"


class TestCancelLines:
    def test_takes_what_waits_first(self) -> None:
        part = make.priced("10")
        make.stocked(part, 3)
        on = make.account()
        order = make.allocated(on, make.line(part, 5))
        (line,) = make.lines_of(order)

        order = cancel_lines(
            order_id=order.pk,
            lines=[LineCancel(line.pk, Decimal(2))],
            actor=None,
            reason="less",
            now=make.NOW,
        )

        (line,) = make.lines_of(order)
        assert (order.state, line.reserved, line.cancelled) == ("allocated", 3, 2)
        on.refresh_from_db()
        assert on.committed == 30
        assert Message.objects.filter(name="orders.line_covered").count() == 1

    def test_gives_back_what_is_reserved_and_keeps_the_rest(self) -> None:
        part = make.priced("10")
        stock = make.stocked(part, 5)
        on = make.account()
        order = make.allocated(on, make.line(part, 5))
        (line,) = make.lines_of(order)

        order = cancel_lines(
            order_id=order.pk,
            lines=[LineCancel(line.pk, Decimal(2))],
            actor=None,
            reason="less",
            now=make.NOW,
        )

        (line,) = make.lines_of(order)
        stock.refresh_from_db()
        on.refresh_from_db()
        assert (order.state, line.reserved, stock.reserved, on.committed) == ("allocated", 3, 3, 30)

    def test_cancels_the_order_with_its_last_line(self) -> None:
        order = make.submitted(make.account(), make.line(make.priced()), make.line(make.priced()))
        ids = [LineCancel(line.pk) for line in make.lines_of(order)]

        order = cancel_lines(order_id=order.pk, lines=ids, actor=None, reason="all", now=make.NOW)

        assert order.state == "cancelled"

    def test_refuses_more_than_is_open_and_lines_of_others(self) -> None:
        order = make.submitted(make.account(), make.line(make.priced(), 2))
        other = make.submitted(make.account(), make.line(make.priced()))
        (line,), (foreign,) = make.lines_of(order), make.lines_of(other)

        for wrong in (
            LineCancel(line.pk, Decimal(3)),
            LineCancel(line.pk, Decimal(-1)),
            LineCancel(foreign.pk),
        ):
            with pytest.raises(CannotCancelSoMuch):
                cancel_lines(order_id=order.pk, lines=[wrong], actor=None, reason="x", now=make.NOW)

        assert {each.cancelled for each in make.lines_of(order)} == {0}

    def test_refuses_what_is_picked(self) -> None:
        part = make.priced()
        make.stocked(part, 2)
        order = make.picked(make.account(), make.line(part, 2), make.line(make.priced()))
        line = make.lines_of(order)[0]

        with pytest.raises(CannotCancelSoMuch):
            cancel_lines(
                order_id=order.pk, lines=[LineCancel(line.pk)], actor=None, reason="x", now=make.NOW
            )

        assert Order.objects.get(pk=order.pk).state == "fulfilling"
