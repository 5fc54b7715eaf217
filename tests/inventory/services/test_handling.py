"""inventory/services/_handling.py, as allocation uses it."""

from datetime import timedelta

import pytest

from inventory.models import AllocationDecision, Node, Reservation
from inventory.selectors import candidates_of
from orders.models import Order
from orders.services import allocate_orders
from tests.orders import factories as make

pytestmark = pytest.mark.django_db


def kept() -> dict[str, int]:
    """Return how many lines each node has to pick."""
    found: dict[str, int] = {}
    for code in Reservation.objects.values_list("stock__node__code", flat=True):
        found[code] = found.get(code, 0) + 1
    return found


def scene(lines_per_day: int | None, orders: int) -> list[Order]:
    """Have so many orders of one line want what lies at two nodes, fuller at the bound one."""
    part = make.priced()
    make.stocked(part, 99, node=make.node("BOUND", lines_per_day=lines_per_day))
    make.stocked(part, 9, node=make.node("FREE"))
    on = make.account()
    return [make.submitted(on, make.line(part)) for _ in range(orders)]


class TestHands:
    def test_a_node_picks_so_many_lines_a_day_and_the_rest_goes_elsewhere(self) -> None:
        orders = scene(2, 3)

        allocate_orders(order_ids=None, cause="test", now=make.NOW)

        assert kept() == {"BOUND": 2, "FREE": 1}
        last = AllocationDecision.objects.get(demand_label=orders[-1].number)
        said = {each.node: each.why for each in candidates_of(last.candidates)}
        assert said["BOUND"] == "The node has no hands left for it that day"

    def test_what_is_planned_to_leave_that_day_counts(self) -> None:
        orders = scene(2, 3)

        for order in orders:
            allocate_orders(order_ids=[order.pk], cause="test", now=make.NOW)

        assert kept() == {"BOUND": 2, "FREE": 1}

    def test_the_next_day_has_its_own_hands(self) -> None:
        orders = scene(2, 3)
        allocate_orders(order_ids=[o.pk for o in orders[:2]], cause="test", now=make.NOW)

        tomorrow = make.NOW + timedelta(days=1)
        allocate_orders(order_ids=[orders[2].pk], cause="test", now=tomorrow)

        assert kept() == {"BOUND": 3}

    def test_a_node_without_a_bound_picks_all(self) -> None:
        scene(None, 4)

        allocate_orders(order_ids=None, cause="test", now=make.NOW)

        assert kept() == {"BOUND": 4}

    def test_a_node_without_hands_picks_nothing(self) -> None:
        scene(0, 1)

        allocate_orders(order_ids=None, cause="test", now=make.NOW)

        assert kept() == {"FREE": 1}
        assert Node.objects.get(code="BOUND").lines_per_day == 0
