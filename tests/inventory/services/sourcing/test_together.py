"""Two at once over what is short ask for it once."""

import pytest

from inventory.models import Sourcing, Transfer
from inventory.services.sourcing import ask_transfer
from orders.models import Order
from orders.services import allocate_orders
from tests.inventory.services.sourcing import scenes
from tests.orders import factories as make
from tests.orders.services.test_submitting_together import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def scene() -> Order:
    part = make.priced("10")
    other, there = scenes.sister()
    make.stocked(part, 30, node=there, entity=other, unit_value="4")
    scenes.lane(there, make.node())
    return make.submitted(make.account(), make.line(part, 10))


def test_two_passes_over_one_line_ask_for_it_once() -> None:
    scenes.says([{"when": [], "then": scenes.act("automatic")}])
    order = scene()

    def allocate() -> object:
        return allocate_orders(order_ids=[order.pk], cause="race", now=make.NOW).run_id

    found = at_once(allocate, allocate)

    assert all(isinstance(each, int) for each in found)
    sourcing = Sourcing.objects.get()
    assert sourcing.state == "asked"
    assert Transfer.objects.get().lines.get().quantity == 10


def test_two_workers_ask_for_one_choice_once() -> None:
    allocate_orders(order_ids=[scene().pk], cause="test", now=make.NOW)
    sourcing = Sourcing.objects.get()
    Sourcing.objects.update(state="chosen")

    def ask() -> object:
        return ask_transfer(sourcing_id=sourcing.pk, now=make.NOW)

    found = at_once(ask, ask)

    assert sorted(each is None for each in found) == [False, True]
    assert [each for each in found if each is not None] == [sourcing]
    assert Transfer.objects.get().client_key == f"sourcing:{sourcing.pk}"
