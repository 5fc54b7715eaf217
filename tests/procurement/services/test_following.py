"""procurement/services/_following.py: sent, confirmed, received, closed, called off."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from threading import Barrier

import pytest
from django.db import connection
from django_fsm import TransitionNotAllowed

from erp.outbox.models import Message
from procurement.models import PurchaseOrder, PurchaseProposal
from procurement.services import (
    BadReceipt,
    BadReduction,
    NotIncoming,
    ReceivedOrder,
    UnknownLine,
    accept_proposals,
    acknowledge_order,
    approve_order,
    cancel_order,
    close_order,
    record_received,
    reduce_order,
    replenish,
    reschedule_order,
    send_order,
    submit_order,
)
from tests.conftest import NOW
from tests.procurement.factories import make_need, make_order, make_person, make_sent_order


def order_again(order) -> PurchaseOrder:
    return PurchaseOrder.objects.get(pk=order.pk)


def receive(order: PurchaseOrder, *quantities: str) -> ReceivedOrder:
    lines = order.lines.order_by("position")
    came = [(line.pk, Decimal(q)) for line, q in zip(lines, quantities, strict=True)]
    return record_received(order_id=order.pk, lines=came, now=NOW)


@pytest.mark.django_db
class TestSendOrder:
    def test_is_sent_once(self) -> None:
        order = make_sent_order()

        send_order(order_id=order.pk, actor=None, now=NOW)

        assert order_again(order).state == "sent"
        assert Message.objects.filter(name="procurement.purchase_order_sent").count() == 1

    def test_refuses_a_draft(self) -> None:
        order = make_order()

        with pytest.raises(TransitionNotAllowed):
            send_order(order_id=order.pk, actor=None, now=NOW)

        assert order_again(order).sent_at is None


@pytest.mark.django_db
class TestAcknowledgeOrder:
    def test_takes_other_dates(self) -> None:
        order = make_sent_order(lines=[("1", "1"), ("2", "1")])
        line = order.lines.order_by("position")[0]

        acknowledge_order(order_id=order.pk, actor=None, now=NOW, dates={line.pk: date(2027, 3, 1)})

        again = order_again(order)
        assert (again.state, again.expected_date) == ("acknowledged", date(2027, 3, 1))
        told = Message.objects.get(name="procurement.purchase_order_rescheduled")
        assert told.payload["expected_date"] == "2027-03-01"

    def test_refuses_a_line_of_another_order(self) -> None:
        order, other = make_sent_order(), make_sent_order()

        with pytest.raises(UnknownLine):
            acknowledge_order(
                order_id=order.pk,
                actor=None,
                now=NOW,
                dates={other.lines.get().pk: date(2027, 3, 1)},
            )

        assert order_again(order).state == "sent"

    def test_refuses_to_reschedule_what_has_come(self) -> None:
        order = make_sent_order()
        receive(order, "10")

        with pytest.raises(NotIncoming):
            reschedule_order(
                order_id=order.pk, dates={order.lines.get().pk: date(2027, 1, 1)}, actor=None,
                now=NOW,
            )  # fmt: skip


@pytest.mark.django_db
class TestRecordReceived:
    def test_takes_parts_until_all_is_there(self) -> None:
        order = make_sent_order(lines=[("3", "0.3333"), ("5", "2")])

        first = receive(order, "1", "5")
        last = record_received(
            order_id=order.pk,
            lines=[(order.lines.order_by("position")[0].pk, Decimal(2))],
            now=NOW,
        )

        assert (first.state, last.state) == ("partly_received", "received")
        assert [line.value for line in first.lines] == [Decimal("0.33"), Decimal("10.00")]
        assert last.lines[0].value == Decimal("0.67")
        assert order_again(order).received_at == NOW
        assert Message.objects.filter(name="procurement.purchase_order_received").count() == 2

    def test_refuses_more_than_was_ordered(self) -> None:
        order = make_sent_order()

        for quantity in ("10.001", "0", "-1", "NaN", "0.0001"):
            with pytest.raises(BadReceipt):
                receive(order, quantity)
        with pytest.raises(BadReceipt):
            line = order.lines.get().pk
            record_received(
                order_id=order.pk, lines=[(line, Decimal(6)), (line, Decimal(5))], now=NOW
            )
        with pytest.raises(BadReceipt):
            record_received(order_id=order.pk, lines=[], now=NOW)

        assert order_again(order).state == "sent"
        assert order.lines.get().received == 0

    def test_refuses_what_was_not_sent(self) -> None:
        order = make_order()

        with pytest.raises(NotIncoming):
            receive(order, "1")

        assert order.lines.get().received == 0

    def test_refuses_a_line_of_another_order(self) -> None:
        order, other = make_sent_order(), make_sent_order()

        with pytest.raises(UnknownLine):
            record_received(order_id=order.pk, lines=[(other.lines.get().pk, Decimal(1))], now=NOW)


@pytest.mark.django_db
class TestCloseOrder:
    def test_buys_again_what_was_still_owed(self) -> None:
        need = make_need()
        (proposal,) = replenish(keys=[need.key], now=NOW)
        (written,) = accept_proposals(proposal_ids=[proposal], actor=None, now=NOW)
        boss = make_person("boss", need.entity, "procurement.approve_purchase_order")
        submit_order(order_id=written.id, actor=None, now=NOW)
        approve_order(order_id=written.id, actor=boss, now=NOW)
        send_order(order_id=written.id, actor=None, now=NOW)
        order = PurchaseOrder.objects.get(pk=written.id)
        receive(order, "1")

        close_order(order_id=order.pk, actor=None, now=NOW, reason="supplier out of stock")
        close_order(order_id=order.pk, actor=None, now=NOW)

        assert order_again(order).state == "closed"
        assert PurchaseProposal.objects.filter(state="open").count() == 1

    def test_refuses_when_nothing_has_come(self) -> None:
        with pytest.raises(TransitionNotAllowed):
            close_order(order_id=make_sent_order().pk, actor=None, now=NOW)


@pytest.mark.django_db
class TestReduceOrder:
    def test_takes_off_what_is_still_to_come_and_the_total_follows(self) -> None:
        order = make_sent_order()
        line = order.lines.order_by("position")[0]

        reduce_order(
            order_id=order.pk, quantities={line.pk: Decimal("0.5")}, actor=None, reason="Elsewhere",
            now=NOW,
        )  # fmt: skip

        after = order_again(order)
        assert after.lines.get(pk=line.pk).quantity == line.quantity - Decimal("0.5")
        assert after.total == sum(
            round(each.quantity * each.unit_price, 2) for each in after.lines.all()
        )
        assert after.state == order.state

    @pytest.mark.parametrize("share", ["0", "-1", "1", "2"])
    def test_refuses_to_leave_nothing_to_come_and_changes_nothing(self, share: str) -> None:
        order = make_sent_order()
        line = order.lines.order_by("position")[0]
        cut = line.quantity * Decimal(share)

        with pytest.raises(BadReduction):
            reduce_order(
                order_id=order.pk, quantities={line.pk: cut}, actor=None, reason="", now=NOW
            )

        after = order_again(order)
        assert after.lines.get(pk=line.pk).quantity == line.quantity
        assert after.total == order.total

    def test_refuses_a_line_of_another_order(self) -> None:
        order = make_sent_order()

        with pytest.raises(UnknownLine):
            reduce_order(
                order_id=order.pk, quantities={0: Decimal(1)}, actor=None, reason="", now=NOW
            )


@pytest.mark.django_db
class TestCancelOrder:
    def test_keeps_the_reason(self) -> None:
        order = make_sent_order()

        cancel_order(order_id=order.pk, actor=None, reason="found cheaper", now=NOW)
        cancel_order(order_id=order.pk, actor=None, reason="again", now=NOW)

        again = order_again(order)
        assert (again.state, again.close_reason) == ("cancelled", "found cheaper")

    def test_refuses_once_something_came(self) -> None:
        order = make_sent_order()
        receive(order, "1")

        with pytest.raises(TransitionNotAllowed):
            cancel_order(order_id=order.pk, actor=None, reason="late", now=NOW)

        assert order_again(order).state == "partly_received"


@pytest.mark.django_db(transaction=True)
class TestTogether:
    def test_two_receipts_of_one_line_never_exceed_it(self) -> None:
        order = make_sent_order()
        line = order.lines.get().pk
        ready = Barrier(4)

        def take() -> bool:
            try:
                ready.wait()
                record_received(order_id=order.pk, lines=[(line, Decimal(4))], now=NOW)
            except BadReceipt:
                return False
            else:
                return True
            finally:
                connection.close()

        with ThreadPoolExecutor(4) as pool:
            outcomes = [each.result() for each in [pool.submit(take) for _ in range(4)]]

        assert outcomes.count(True) == 2
        assert order.lines.get().received == 8
