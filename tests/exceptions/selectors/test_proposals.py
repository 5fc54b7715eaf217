"""exceptions/selectors/_proposals.py, and what running the proposed way out tells the layer."""

from datetime import timedelta

import pytest

from exceptions.models import ExceptionCase
from exceptions.selectors import plays_of
from exceptions.services import refresh, run_play
from inventory.models import Sourcing
from orders.models import OrderLine
from orders.services import allocate_orders
from procurement.models import PurchaseOrder
from tests.exceptions import factories
from tests.inventory.services.sourcing import scenes
from tests.orders import factories as make

pytestmark = pytest.mark.django_db


def case_of(line: OrderLine) -> ExceptionCase:
    refresh(type="orders.shortage", subject_ids=[line.pk], now=make.NOW)
    return ExceptionCase.objects.get(type="orders.shortage", subject_id=line.pk)


def scene() -> ExceptionCase:
    """Return the case of a line that could be left waiting or bought for, and is to be bought."""
    part = make.priced("10")
    scenes.offered(part, "6", days=10)
    return case_of(scenes.short(part))


def test_what_the_layer_proposes_stands_first_and_says_why() -> None:
    case = scene()
    who = factories.person("dora", "buyer", "planner")

    first, *others = plays_of(case, user=who, now=make.NOW)

    assert (first.key, first.proposed) == (
        "buy", "Proposed by allocation: 10 for 60.00 USD, there by 6 Dec, 13 days late.",
    )  # fmt: skip
    assert not any(play.proposed for play in others)


def test_the_quicker_supplier_is_the_way_out_where_that_one_is_proposed() -> None:
    part = make.priced("10")
    scenes.offered(part, "6", days=30)
    scenes.offered(part, "7", days=5, code="QUICK", rank=2)
    case = case_of(scenes.short(part))
    who = factories.person("dora", "buyer", "planner")

    first, *others = plays_of(case, user=who, now=make.NOW)

    assert (first.key, first.title) == ("buy_expedited", "Buy 10 from Quick")
    assert not any(play.proposed for play in others)


def test_running_it_notes_what_was_asked_for_and_it_is_not_proposed_again() -> None:
    case = scene()
    who = factories.person("dora", "buyer", "planner")

    run_play(case_id=case.pk, key="buy", actor=who, now=make.NOW)

    sourcing, order = Sourcing.objects.get(), PurchaseOrder.objects.get()
    assert (sourcing.state, sourcing.document_label) == ("asked", order.number)
    later = make.NOW + timedelta(minutes=5)
    allocate_orders(order_ids=[case.order_id], cause="test", now=later)  # type: ignore[list-item]
    assert Sourcing.objects.get().state == "asked"
    line = OrderLine.objects.get(pk=case.subject_id)
    assert [each["document"] for each in scenes.receipt(line).candidates] == [order.number]


def test_another_way_out_withdraws_what_was_proposed() -> None:
    part = make.priced("10")
    other, there = scenes.sister()
    make.stocked(part, 30, node=there, entity=other, unit_value="4")
    scenes.lane(there, make.node(), days=3)
    scenes.offered(part, "6", days=30)
    case = case_of(scenes.short(part))
    who = factories.person("dora", "buyer", "planner")
    assert Sourcing.objects.get().mode == "affiliate"

    run_play(case_id=case.pk, key="buy", actor=who, now=make.NOW)

    states = dict(Sourcing.objects.values_list("mode", "state"))
    assert states == {"affiliate": "withdrawn", "buy": "asked"}


def test_a_person_may_have_the_supplier_send_it_where_that_is_proposed() -> None:
    scenes.says([{"when": [], "then": scenes.act("propose")}])
    part = make.priced("10")
    scenes.offered(part, "6", days=10, drop_ships=True)
    line = scenes.short(part)
    case = case_of(line)
    who = factories.person("dora", "buyer", "planner")
    first, *others = plays_of(case, user=who, now=make.NOW)
    assert (first.key, first.title) == (
        "drop_ship", "Have the supplier send 10 straight to the customer",
    )  # fmt: skip
    assert not any(play.proposed for play in others)

    run_play(case_id=case.pk, key="drop_ship", actor=who, now=make.NOW)

    sourcing, order = Sourcing.objects.get(), PurchaseOrder.objects.get()
    assert (sourcing.state, sourcing.document_label) == ("asked", order.number)
    assert (order.created_by, order.for_id) == (who, line.order_id)


def test_nobody_is_offered_to_have_it_sent_where_that_is_not_proposed() -> None:
    case = scene()
    who = factories.person("dora", "buyer", "planner")

    assert "drop_ship" not in {play.key for play in plays_of(case, user=who, now=make.NOW)}
