"""orders/services/reserving/_keeping.py when several people act at once."""

import pytest

from orders.models import Order, SetAside
from orders.services import allocate_orders
from orders.services.reserving import NotKeptAnyMore, give_back_set_aside, use_set_aside
from tests.orders import factories as make
from tests.orders.services.reserving.test_keeping import kept, reserved
from tests.orders.services.test_submitting_together import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def use(made: SetAside, order: Order) -> None:
    use_set_aside(set_aside_id=made.pk, order_id=order.pk, actor=None, now=make.NOW)


@pytest.mark.parametrize("again", range(4))
def test_given_to_two_orders_at_once_one_gets_it_and_the_other_is_told(again: int) -> None:
    acme, pen = make.account(make.customer("ACME")), make.priced("10", "PEN")
    make.stocked(pen, 4)
    made = kept(acme, pen)
    first, second = (make.allocated(acme, make.line(pen, 4)) for _ in range(2))

    found = at_once(lambda: use(made, first), lambda: use(made, second))

    refused = [each for each in found if isinstance(each, NotKeptAnyMore)]
    assert [type(each) for each in found if isinstance(each, Exception)] == [NotKeptAnyMore]
    assert made.number in str(refused[0])
    states = sorted(Order.objects.values_list("state", flat=True))
    assert states == ["allocated", "backordered"]
    assert reserved() == 4


@pytest.mark.parametrize("again", range(4))
def test_used_and_given_back_at_once_ends_in_one_of_both(again: int) -> None:
    acme, pen = make.account(make.customer("ACME")), make.priced("10", "PEN")
    make.stocked(pen, 4)
    made = kept(acme, pen)
    order = make.allocated(acme, make.line(pen, 4))
    other = make.allocated(make.account(), make.line(pen, 4))

    found = at_once(
        lambda: use(made, order),
        lambda: give_back_set_aside(set_aside_id=made.pk, actor=None, now=make.NOW),
        lambda: allocate_orders(order_ids=[other.pk], cause="race", now=make.NOW),
    )

    failed = [each for each in found if isinstance(each, Exception)]
    assert all(isinstance(each, NotKeptAnyMore) for each in failed)
    ended = SetAside.objects.get()
    theirs = Order.objects.get(pk=order.pk)
    assert ended.state in {"used", "released"}
    assert (ended.state == "used") <= (theirs.state == "allocated")
    assert reserved() in ({4} if ended.state == "used" else {0, 4})
