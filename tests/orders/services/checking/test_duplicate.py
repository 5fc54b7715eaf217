"""orders/services/_checking/_duplicate.py."""

from datetime import timedelta
from typing import Any

import pytest

from orders.models import CreditAccount, Hold, Order
from orders.services import LineDraft, cancel_order, submit_order, submit_orders
from tests.orders import factories as make

pytestmark = pytest.mark.django_db


def held_as_duplicate(order_id: int) -> bool:
    return Hold.objects.filter(order_id=order_id, kind="duplicate", state="active").exists()


def sent(on: CreditAccount, *lines: LineDraft, **values: Any) -> Order:
    order = make.created(on, *lines, **values)
    submit_order(order_id=order.pk, actor=None, now=make.NOW)
    return order


class TestTheCustomersNumber:
    @pytest.mark.parametrize(("days", "is_held"), [(0, True), (30, True), (31, False)])
    def test_stops_the_same_content_within_thirty_days(self, days, is_held) -> None:
        on, one, two = make.account(), make.priced(), make.priced()
        first = sent(on, make.line(one, 2), make.line(two, 3), customer_po="PO 7")
        Order.objects.filter(pk=first.pk).update(submitted_at=make.NOW - timedelta(days=days))

        again = sent(on, make.line(two, 3), make.line(one, 2), customer_po="PO 7")

        assert held_as_duplicate(again.pk) is is_held
        if is_held:
            hold = Hold.objects.get(order=again)
            assert first.number in hold.reason
            assert hold.facts["like"] == first.number

    @pytest.mark.parametrize(("days", "is_held"), [(7, True), (8, False)])
    def test_stops_another_content_within_seven_days(self, days, is_held) -> None:
        on, part = make.account(), make.priced()
        first = sent(on, make.line(part, 2), customer_po="PO 7")
        Order.objects.filter(pk=first.pk).update(submitted_at=make.NOW - timedelta(days=days))

        again = sent(on, make.line(part, 3), customer_po="PO 7")

        assert held_as_duplicate(again.pk) is is_held

    def test_passes_another_number_customer_or_a_cancelled_order(self) -> None:
        on, part = make.account(), make.priced()
        first = sent(on, make.line(part), customer_po="PO 7")

        other_number = sent(on, make.line(part), customer_po="PO 8")
        other_buyer = sent(make.account(), make.line(part), customer_po="PO 7")
        cancel_order(order_id=first.pk, actor=None, reason="x", now=make.NOW)
        after = sent(on, make.line(part), customer_po="PO 7")

        assert not [o for o in (other_number, other_buyer, after) if held_as_duplicate(o.pk)]

    def test_stops_the_second_of_one_call(self) -> None:
        on, part = make.account(), make.priced()
        ids = [make.created(on, make.line(part), customer_po="PO 7").pk for _ in range(3)]

        found = submit_orders(order_ids=ids, actor=None, now=make.NOW)

        assert [list(each.holds) for each in found] == [[], ["duplicate"], ["duplicate"]]


class TestWithoutANumber:
    @pytest.mark.parametrize(
        ("channel", "minutes", "is_held"),
        [("edi", 239, True), ("edi", 240, False), ("csv", 1, True), ("page", 1, False)],
    )
    def test_stops_what_machines_repeat_within_hours(self, channel, minutes, is_held) -> None:
        on, part = make.account(), make.priced()
        first = sent(on, make.line(part, 2), channel=channel)
        Order.objects.filter(pk=first.pk).update(submitted_at=make.NOW - timedelta(minutes=minutes))

        again = sent(on, make.line(part, 2), channel=channel)

        assert held_as_duplicate(again.pk) is is_held

    def test_passes_another_quantity(self) -> None:
        on, part = make.account(), make.priced()
        sent(on, make.line(part, 2), channel="edi")

        assert not held_as_duplicate(sent(on, make.line(part, 3), channel="edi").pk)
