"""orders/services/_insisting.py: what orders insist on, all the way to what is kept for them."""

from datetime import date, timedelta
from typing import Any

import pytest

from inventory.models import AllocationDecision, Reservation, Stock
from inventory.selectors import candidates_of, dropped_of
from orders.models import Order, ServingTerms
from orders.services import allocate_orders
from orders.services.insisting import insist_customer, insist_line, insist_order
from tests.inventory.factories import lot
from tests.orders import factories as make

pytestmark = pytest.mark.django_db


def nodes_of(order: Order) -> dict[str, Any]:
    """Return what is kept for an order by node."""
    kept = Reservation.objects.filter(
        demand_id__in=[line.pk for line in make.lines_of(order)], closed_at=None
    )
    return dict(kept.values_list("stock__node__code", "quantity"))


def why(order: Order) -> dict[str, str]:
    decision = AllocationDecision.objects.filter(demand_label=order.number).latest("pk")
    return {each.node: each.rejected for each in candidates_of(decision.candidates)}


def dropped(order: Order) -> list[str]:
    return dropped_of(
        AllocationDecision.objects.filter(demand_label=order.number).latest("pk").dropped
    )


class TestPlaces:
    def scene(self, **said: Any) -> Order:
        on, part = make.account(), make.priced()
        make.stocked(part, 5, node=make.node("HERE", country="US"))
        make.stocked(part, 9, node=make.node("THERE", country="CA"))
        insist_customer(customer_id=on.customer_id, said=said, actor=None, now=make.NOW)
        return make.allocated(on, make.line(part, 8))

    @pytest.mark.parametrize("said", [{"nodes": ["HERE"]}, {"countries": ["us"]}])
    def test_only_from_there(self, said: dict[str, Any]) -> None:
        order = self.scene(**said)

        assert nodes_of(order) == {"HERE": 5}
        assert why(order)["THERE"] == "not_allowed"

    def test_of_several_kinds_all_have_to_fit(self) -> None:
        order = self.scene(countries=["US"], nodes=["THERE"])

        assert nodes_of(order) == {}
        assert set(why(order).values()) == {"not_allowed"}

    def test_softly_is_tried_first_then_dropped_and_said_so(self) -> None:
        order = self.scene(nodes=["HERE"], soft=["places"])

        assert sum(nodes_of(order).values()) == 8
        assert dropped(order) == ["Which places it leaves from"]

    def test_softly_is_kept_where_it_can_be(self) -> None:
        order = self.scene(nodes=["THERE"], soft=["places"])

        assert nodes_of(order) == {"THERE": 8}
        assert dropped(order) == []

    def test_what_the_order_says_counts_before_what_the_customer_says(self) -> None:
        on, part = make.account(), make.priced()
        make.stocked(part, 9, node=make.node("HERE"))
        make.stocked(part, 9, node=make.node("THERE"))
        insist_customer(
            customer_id=on.customer_id, said={"nodes": ["HERE"]}, actor=None, now=make.NOW
        )
        order = make.submitted(on, make.line(part, 3))
        insist_order(order_id=order.pk, said={"nodes": ["THERE"]}, actor=None, now=make.NOW)

        allocate_orders(order_ids=[order.pk], cause="test", now=make.NOW)

        assert nodes_of(order) == {"THERE": 3}

    def test_an_order_that_is_served_already_is_served_anew(self) -> None:
        part = make.priced()
        make.stocked(part, 9, node=make.node("HERE"))
        make.stocked(part, 5, node=make.node("THERE"))
        order = make.allocated(make.account(), make.line(part, 3))
        assert nodes_of(order) == {"HERE": 3}

        insist_order(order_id=order.pk, said={"nodes": ["THERE"]}, actor=None, now=make.NOW)

        assert nodes_of(order) == {"THERE": 3}
        assert Stock.objects.get(node__code="HERE").reserved == 0
        assert Order.objects.get(pk=order.pk).state == "allocated"


class TestMaxNodes:
    def scene(self, **said: Any) -> Order:
        on, part = make.account(), make.priced()
        for code, held in (("A", 3), ("B", 4), ("C", 2)):
            make.stocked(part, held, node=make.node(code))
        insist_customer(customer_id=on.customer_id, said=said, actor=None, now=make.NOW)
        return make.allocated(on, make.line(part, 9))

    def test_no_more_nodes_than_that(self) -> None:
        order = self.scene(max_nodes=2)

        assert nodes_of(order) == {"A": 3, "B": 4}
        assert why(order)["C"] == "split"

    def test_not_even_when_more_comes_in_later(self) -> None:
        order = self.scene(max_nodes=2)
        make.stocked(make.lines_of(order)[0].product, 50, node=make.node("D"))

        allocate_orders(order_ids=[order.pk], cause="again", now=make.NOW)

        assert set(nodes_of(order)) == {"A", "B"}

    def test_softly(self) -> None:
        order = self.scene(max_nodes=2, soft=["max_nodes"])

        assert nodes_of(order) == {"A": 3, "B": 4, "C": 2}
        assert dropped(order) == ["From how many nodes it leaves"]


class TestShelfLife:
    """Promised for Thursday the 26th at the latest; it is wanted by the 30th."""

    wanted = date(2026, 11, 30)

    def scene(self, days: int, *, line_days: int | None = None, **said: Any) -> Order:
        on, part = make.account(), make.priced(tracking="lot")
        for number in range(3):
            keeps = lot(part, f"L{number}", expires_on=self.wanted + timedelta(days=9 + number))
            make.stocked(part, 4, node=make.node("HERE"), lot=keeps)
        insist_customer(
            customer_id=on.customer_id,
            said={"min_shelf_days": days, **said},
            actor=None,
            now=make.NOW,
        )
        drafted = make.line(part, 9, fresh_days=line_days)
        return make.allocated(on, drafted, requested_date=self.wanted)

    def lots(self, order: Order) -> dict[str, Any]:
        ids = [line.pk for line in make.lines_of(order)]
        kept = Reservation.objects.filter(demand_id__in=ids, closed_at=None)
        return dict(kept.values_list("stock__lot__code", "quantity"))

    def test_what_expires_sooner_is_no_candidate(self) -> None:
        order = self.scene(10)

        assert self.lots(order) == {"L1": 4, "L2": 4}
        decision = AllocationDecision.objects.get(demand_label=order.number)
        first = candidates_of(decision.candidates)[0]
        assert (first.rejected, first.why) == ("too_old", "It would not keep long enough")

    def test_to_the_day(self) -> None:
        assert self.lots(self.scene(9)) == {"L0": 4, "L1": 4, "L2": 1}

    def test_a_line_may_say_otherwise(self) -> None:
        assert self.lots(self.scene(9, line_days=11)) == {"L2": 4}

    def test_softly_what_keeps_less_goes_out_too(self) -> None:
        order = self.scene(11, soft=["min_shelf_days"])

        assert sum(self.lots(order).values()) == 9
        assert dropped(order) == ["How long it keeps"]

    def test_said_later_the_line_is_served_anew(self) -> None:
        order = self.scene(0)
        (line,) = make.lines_of(order)

        insist_line(line_id=line.pk, fresh_days=11, actor=None, now=make.NOW)

        assert self.lots(order) == {"L2": 4}
        assert Order.objects.get(pk=order.pk).state == "partly_allocated"


class TestWhole:
    def test_an_order_that_would_rather_leave_complete_goes_in_parts(self) -> None:
        on, part = make.account(), make.priced()
        make.stocked(part, 4)
        insist_customer(
            customer_id=on.customer_id,
            said={"soft": ["ship_complete"]},
            actor=None,
            now=make.NOW,
        )

        order = make.allocated(on, make.line(part, 6), ship_complete=True)

        assert (order.state, make.lines_of(order)[0].reserved) == ("partly_allocated", 4)
        assert dropped(order) == ["That the order leaves complete"]
        assert len(make.shipments_of(order)) == 1

    def test_terms_that_say_what_was_said_change_nothing(self) -> None:
        on = make.account()
        said = {"max_nodes": 2, "soft": ["places"]}

        first = insist_customer(customer_id=on.customer_id, said=said, actor=None, now=make.NOW)
        second = insist_customer(customer_id=on.customer_id, said=said, actor=None, now=make.NOW)

        assert (first, second) == (True, False)
        assert ServingTerms.objects.count() == 1
