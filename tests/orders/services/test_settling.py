"""orders/services/_settling.py."""

from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from erp.outbox.models import Message
from inventory.services import ShippedLine
from orders.models import CreditAccount, Order, OrderLine
from orders.rules import in_cents, part_of
from orders.services import (
    BilledAccount,
    CashChange,
    InvoicedLine,
    Overdue,
    close_orders,
    record_cash,
    record_invoiced,
    record_overdue,
    record_shipped,
)
from tests.orders import factories as make

pytestmark = pytest.mark.django_db


def shipped(on: CreditAccount, price: str = "10", quantity: int = 3, **values: object) -> Order:
    part = make.priced(price)
    make.stocked(part, quantity)
    return make.picked(on, make.line(part, quantity), **values)


class TestRecordShipped:
    def test_turns_commitments_into_unbilled_sales(self) -> None:
        on = make.account()
        order = shipped(on, freight=Decimal(5))

        _, (worth,) = make.left(order)

        on.refresh_from_db()
        order = Order.objects.get(pk=order.pk)
        (line,) = make.lines_of(order)
        assert (order.state, order.shipped_at) == ("shipped", make.NOW)
        assert (line.shipped, line.reserved) == (3, 0)
        assert (worth.amount, worth.exact, worth.account_id) == (30, 30, on.pk)
        assert (on.committed, on.unbilled) == (5, 30)
        assert Message.objects.filter(name="orders.order_shipped").count() == 1

    def test_leaves_an_order_partly_shipped_while_anything_is_open(self) -> None:
        part = make.priced("10")
        make.stocked(part, 2)
        order = make.picked(make.account(), make.line(part, 3))

        make.left(order)

        assert Order.objects.get(pk=order.pk).state == "partly_shipped"
        assert not Message.objects.filter(name="orders.order_shipped").exists()

    @settings(
        max_examples=25,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(
        lines=st.lists(
            st.tuples(
                st.integers(1, 5_000),  # thousandths
                st.integers(0, 99_999),  # hundredths of a cent
                st.lists(st.integers(1, 5_000), min_size=0, max_size=3),
            ),
            min_size=1,
            max_size=3,
        )
    )
    def test_cuts_an_order_into_cents_that_sum_to_its_rounded_subtotal(self, lines) -> None:
        """The SQL gives what the Python twin gives, however the order is cut."""
        on = make.account(limit="10000000")
        part = make.product("CUT")
        order = make.submitted(
            on,
            *(
                make.line(part, Decimal(q) / 1000, unit_price=Decimal(p) / 10_000)
                for q, p, _ in lines
            ),
        )
        OrderLine.objects.filter(order=order).update(reserved=models_quantity())
        Order.objects.filter(pk=order.pk).update(state="fulfilling")
        total, exact = Decimal(0), Decimal(0)
        stored = make.lines_of(order)
        for cut in range(4):
            gone = []
            for line, (_, _, cuts) in zip(stored, lines, strict=True):
                line.refresh_from_db()
                left = line.quantity - line.shipped
                want = left if cut == 3 else Decimal(cuts[cut] if cut < len(cuts) else 0) / 1000
                quantity = min(want, left)
                if quantity:
                    gone.append(ShippedLine(line.pk, 1, 1, 1, line.pk, part.pk, quantity, quantity))
            if not gone:
                continue
            before = {line.pk: line.shipped for line in stored}
            worth = record_shipped(lines=gone, now=make.NOW)
            total += sum(each.amount for each in worth)
            exact += sum(each.exact for each in worth)
            for each, piece in zip(worth, gone, strict=True):
                line = next(line for line in stored if line.pk == each.order_line_id)
                done = before[line.pk] + piece.quantity
                assert each.exact == part_of(line.amount, done, line.quantity) - part_of(
                    line.amount, before[line.pk], line.quantity
                )
        account = CreditAccount.objects.get(pk=on.pk)
        assert exact == order.subtotal
        assert total == in_cents(order.subtotal) == account.unbilled
        assert account.committed == 0


def models_quantity() -> object:
    from django.db.models import F  # noqa: PLC0415

    return F("quantity")


class TestRecordInvoiced:
    def test_moves_what_is_owed_and_the_freight(self) -> None:
        on = make.account()
        order = shipped(on, freight=Decimal(5))
        make.left(order)
        (line,) = make.lines_of(order)

        record_invoiced(
            lines=[InvoicedLine(line.pk, Decimal(3))],
            amounts=[BilledAccount(on.pk, Decimal(30), Decimal(35))],
            now=make.NOW,
        )

        on.refresh_from_db()
        order = Order.objects.get(pk=order.pk)
        assert (order.state, order.invoiced_at) == ("invoiced", make.NOW)
        assert (on.committed, on.unbilled, on.receivable) == (0, 0, 35)

    def test_leaves_a_partly_invoiced_order_shipped(self) -> None:
        on = make.account()
        order = shipped(on, freight=Decimal(5))
        make.left(order)
        (line,) = make.lines_of(order)

        for quantity, owed in ((1, 15), (2, 20)):
            assert Order.objects.get(pk=order.pk).state == "shipped"
            record_invoiced(
                lines=[InvoicedLine(line.pk, Decimal(quantity))],
                amounts=[BilledAccount(on.pk, Decimal(10 * quantity), Decimal(owed))],
                now=make.NOW,
            )

        on.refresh_from_db()
        assert Order.objects.get(pk=order.pk).state == "invoiced"
        assert (on.committed, on.unbilled, on.receivable) == (0, 0, 35)


class TestRecordCash:
    def test_lowers_what_is_owed_and_keeps_what_is_left_over(self) -> None:
        on = make.account(receivable=100)

        record_cash(changes=[CashChange(on.pk, Decimal(60), Decimal(5))], now=make.NOW)

        on.refresh_from_db()
        assert (on.receivable, on.unapplied) == (40, 5)


class TestRecordOverdue:
    def test_notes_only_what_changed(self) -> None:
        on = make.account(receivable=100)
        late = Overdue(on.pk, Decimal(7), make.TODAY)

        assert record_overdue(accounts=[late], now=make.NOW) == 1
        assert record_overdue(accounts=[late], now=make.NOW) == 0

        on.refresh_from_db()
        assert (on.overdue_amount, on.overdue_since) == (7, make.TODAY)


class TestCloseOrders:
    def test_closes_what_is_invoiced_and_leaves_the_rest(self) -> None:
        on = make.account()
        done, open_ = shipped(on), shipped(on)
        make.left(done)
        (line,) = make.lines_of(done)
        record_invoiced(
            lines=[InvoicedLine(line.pk, Decimal(3))],
            amounts=[BilledAccount(on.pk, Decimal(30), Decimal(30))],
            now=make.NOW,
        )

        assert close_orders(order_ids=[done.pk, open_.pk], now=make.NOW) == [done.pk]
        assert close_orders(order_ids=[done.pk, open_.pk], now=make.NOW) == []

        assert Order.objects.get(pk=done.pk).closed_at == make.NOW
        assert Order.objects.get(pk=open_.pk).state == "fulfilling"
        assert Message.objects.filter(name="orders.order_closed").count() == 1
