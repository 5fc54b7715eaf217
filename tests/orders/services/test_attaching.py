"""orders/services/_attaching.py, and how allocation obeys what was entered (cancel_rests)."""

import pytest

from erp.outbox.models import Message
from orders.models import CreditAccount
from orders.services import BadReference, cancel_rests
from tests.orders import factories as make

pytestmark = pytest.mark.django_db


def test_lines_take_the_order_s_disposition_unless_they_say_their_own() -> None:
    part = make.priced()

    order = make.created(
        make.account(),
        make.line(part),
        make.line(part, disposition="substitute"),
        disposition="cancel",
    )

    assert [each.disposition for each in make.lines_of(order)] == ["cancel", "substitute"]


def test_a_line_waits_unless_told_otherwise_and_nonsense_is_refused() -> None:
    part = make.priced()
    assert make.lines_of(make.created(make.account(), make.line(part)))[0].disposition == (
        "backorder"
    )

    with pytest.raises(BadReference):
        make.created(make.account(), make.line(part, disposition="maybe"))


def test_what_is_short_of_a_line_that_does_not_wait_is_cancelled() -> None:
    part = make.priced("10")
    make.stocked(part, 3)
    on = make.account()
    order = make.allocated(on, make.line(part, 5, disposition="cancel"), make.line(part, 2))

    told = Message.objects.filter(name="orders.rest_unwanted").count()
    ids = [line.pk for line in make.lines_of(order)]
    changed = cancel_rests(line_ids=ids, now=make.NOW)

    first, second = make.lines_of(order)
    assert (told, changed) == (1, [order.pk])
    assert (first.cancelled, first.reserved, first.waiting) == (2, 3, 0)
    assert (second.cancelled, second.waiting) == (0, 2)  # it waits, as it was told
    assert CreditAccount.objects.get(pk=on.pk).committed == 50
    assert cancel_rests(line_ids=ids, now=make.NOW) == []


def test_nothing_is_cancelled_before_allocation_has_looked() -> None:
    order = make.submitted(make.account(), make.line(make.priced(), 5, disposition="cancel"))

    assert cancel_rests(line_ids=[make.lines_of(order)[0].pk], now=make.NOW) == []
    assert make.lines_of(order)[0].waiting == 5


def test_an_order_that_gets_nothing_is_cancelled_whole() -> None:
    order = make.allocated(make.account(), make.line(make.priced(), 5, disposition="cancel"))

    cancel_rests(line_ids=[make.lines_of(order)[0].pk], now=make.NOW)

    assert order.__class__.objects.get(pk=order.pk).state == "cancelled"
