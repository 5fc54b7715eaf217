"""orders/services/_checking/_promise.py and _planning.py."""

from datetime import timedelta
from decimal import Decimal

import pytest

from erp.governance.models import DecisionRecord
from inventory.models import (
    Calendar,
    CalendarDay,
    Inbound,
    Node,
    Product,
    Reservation,
    Substitute,
)
from inventory.services.promising import Wish, offer_supply
from orders.models import Hold, Order, SourcingPlan
from orders.services import submit_orders
from orders.services._checking import cases_of
from orders.services._checking._planning import plan_orders
from procurement.models import Supplier, SupplierProduct
from tests.orders import factories as make

pytestmark = pytest.mark.django_db
SOON = make.TODAY + timedelta(days=7)


def plan_of(order: Order) -> SourcingPlan:
    return SourcingPlan.objects.get(order=order)


def coming(part: Product, quantity: int, days: int) -> Inbound:
    return Inbound.objects.create(
        entity=make.company(),
        product=part,
        node=make.node(),
        source_kind="procurement.line",
        source_id=Inbound.objects.count() + 1,
        quantity=quantity,
        expected_date=make.TODAY + timedelta(days=days),
    )


class TestWhatIsInStock:
    def test_names_the_node_and_why_and_keeps_nothing(self) -> None:
        part = make.priced()
        stock = make.stocked(part, 5)

        plan = plan_of(make.submitted(make.account(), make.line(part, 5), requested_date=SOON))

        stock.refresh_from_db()
        assert (plan.is_feasible, plan.proposal, stock.reserved) == (True, {}, 0)
        assert plan.nodes == [{"node": "DC-A", "lines": 1, "why": "It has the whole order."}]
        assert plan.possible_date == make.TODAY + timedelta(days=3)  # one to handle, two on the way
        assert not Reservation.objects.exists()

    @pytest.mark.parametrize(("days", "feasible"), [(3, True), (2, False)])
    def test_is_feasible_exactly_on_the_day(self, days, feasible) -> None:
        part = make.priced()
        make.stocked(part, 5)
        day = make.TODAY + timedelta(days=days)

        plan = plan_of(make.submitted(make.account(), make.line(part), requested_date=day))

        assert plan.is_feasible is feasible

    def test_lets_no_two_orders_of_a_call_count_on_the_same_stock(self) -> None:
        part = make.priced()
        make.stocked(part, 5)
        on = make.account()
        ids = [make.created(on, make.line(part, 5), requested_date=SOON).pk for _ in range(2)]

        submit_orders(order_ids=ids, actor=None, now=make.NOW)

        plans = SourcingPlan.objects.order_by("order_id")
        assert [plan.is_feasible for plan in plans] == [True, False]

    def test_counts_the_lines_of_each_node(self) -> None:
        one, two = make.priced(), make.priced()
        make.stocked(one, 5, node=make.node("N1"))
        make.stocked(two, 5, node=make.node("N2"))

        plan = plan_of(make.submitted(make.account(), make.line(one), make.line(two)))

        assert [(each["node"], each["lines"]) for each in plan.nodes] == [("N1", 1), ("N2", 1)]


class TestWhatIsToComeIn:
    @pytest.mark.parametrize(("days", "held"), [(3, False), (2, True)])
    def test_holds_what_can_be_met_only_much_later(self, days, held) -> None:
        part = make.priced()
        coming(part, 5, 10)  # a Thursday: it leaves on Friday, is there on Sunday, the 13th day

        order = make.submitted(
            make.account(), make.line(part, 5), requested_date=make.TODAY + timedelta(days=days)
        )

        hold = Hold.objects.filter(order=order, kind="promise").first()
        assert (hold is not None) is held
        late = DecisionRecord.objects.get(
            subject_id=order.pk, version__policy__code="orders.release.promise"
        ).inputs["days_late"]
        assert late == 13 - days
        assert hold is None or hold.owner_role == "customer_service"

    def test_proposes_a_split_with_its_day(self) -> None:
        part = make.priced()
        make.stocked(part, 2)
        coming(part, 9, 3)

        soon = make.TODAY + timedelta(days=4)
        plan = plan_of(make.submitted(make.account(), make.line(part, 5), requested_date=soon))

        day = make.TODAY + timedelta(days=6)
        assert plan.possible_date == day
        assert plan.proposal == {
            "date": day.isoformat(),
            "split": [
                {
                    "line": 1,
                    "now": "2.000",
                    "later": "3.000",
                    "date": day.isoformat(),
                    "by_90": (day + timedelta(days=4)).isoformat(),
                    "way": "inbound",
                    "from": "DC-A",
                }
            ],
        }

    def test_proposes_nothing_it_does_not_know_but_names_substitutes(self) -> None:
        part, other, blocked = make.priced(), make.priced(), make.priced(is_blocked=True)
        for rank, each in enumerate((blocked, other)):
            Substitute.objects.create(product=part, other=each, rank=rank)
            make.stocked(each, 3)

        on = make.account()
        plan = plan_of(make.submitted(on, make.line(part, 5)))
        bound = plan_of(make.submitted(on, make.line(part, 5), no_substitutes=True))

        assert (plan.is_feasible, plan.possible_date) == (False, None)
        assert plan.proposal["substitutes"] == [
            {"line": 1, "product": other.code, "quantity": "3.000"}
        ]
        assert "substitutes" not in bound.proposal

    def test_gives_what_comes_to_the_first_in_turn(self) -> None:
        part = make.priced()
        coming(part, 5, 2)
        gold = make.account(make.customer(tier="A"))
        later = make.created(make.account(), make.line(part, 5))
        first = make.created(gold, make.line(part, 5))

        submit_orders(order_ids=[later.pk, first.pk], actor=None, now=make.NOW)

        assert plan_of(first).possible_date is not None
        assert plan_of(later).possible_date is None
        assert Decimal(plan_of(later).proposal["split"][0]["later"]) == 5

    def test_promises_two_orders_of_a_call_no_more_than_comes(self) -> None:
        part = make.priced()
        make.stocked(part, 3)
        coming(part, 4, 2)
        on = make.account()
        ids = [make.created(on, make.line(part, 5)).pk for _ in range(2)]

        submit_orders(order_ids=ids, actor=None, now=make.NOW)

        first, second = SourcingPlan.objects.order_by("order_id")
        assert first.possible_date == make.TODAY + timedelta(days=5)
        assert second.possible_date is None

    def test_asked_again_an_order_does_not_stand_in_its_own_way(self) -> None:
        part = make.priced()
        coming(part, 5, 20)
        order = make.submitted(make.account(), make.line(part, 5))  # held: much too late

        again = plan_orders(cases_of([order.pk], make.NOW), make.NOW)[order.pk]

        assert order.state == "held"
        assert again.possible_date == plan_of(order).possible_date
        assert again.possible_date is not None


class TestWhatMustBeBought:
    def test_proposes_the_day_that_availability_answers(self) -> None:
        part = make.priced()
        make.stocked(part, 2)
        offered(part, lead_time_days=7)

        order = make.submitted(make.account(), make.line(part, 5), requested_date=SOON)

        (split,) = plan_of(order).proposal["split"]
        wish = Wish(make.company().pk, part.pk, Decimal(3), ahead=Decimal(2), transit_days=2)
        (asked,) = offer_supply(wishes=[wish], now=make.NOW)
        (buy,) = [each for each in asked.choices if each.kind == "buy"]
        assert (split["way"], split["from"]) == ("buy", "Mill")
        assert split["date"] == buy.arrives_on.isoformat()
        assert plan_of(order).possible_date == buy.arrives_on
        inputs = DecisionRecord.objects.get(
            subject_id=order.pk, version__policy__code="orders.release.promise"
        ).inputs
        assert (inputs["unsourced_lines"], inputs["days_late"]) == (1, None)

    def test_waits_for_what_comes_rather_than_buy(self) -> None:
        part = make.priced()
        offered(part, lead_time_days=1)
        coming(part, 9, 6)

        plan = plan_of(make.submitted(make.account(), make.line(part, 5)))

        assert plan.proposal["split"][0]["way"] == "inbound"


def offered(part: Product, *, lead_time_days: int) -> None:
    supplier = Supplier.objects.create(code="S", name="Mill")
    SupplierProduct.objects.create(
        supplier=supplier, entity=make.company(), product=part, currency="USD", unit_price=2,
        moq=1, multiple=1, lead_time_days=lead_time_days,
    )  # fmt: skip


class TestCalendars:
    def test_the_customers_and_the_nodes_days_count(self) -> None:
        part = make.priced()
        make.stocked(part, 5)
        closed = [make.TODAY + timedelta(days=n) for n in (1, 2)]
        node_week = Calendar.objects.create(code="NODE", name="Node")
        CalendarDay.objects.bulk_create(CalendarDay(calendar=node_week, day=d) for d in closed)
        friday = Calendar.objects.create(code="FRI", name="Fridays", weekdays="0000100")
        Node.objects.filter(pk=make.node().pk).update(calendar=node_week)
        buyer = make.customer(calendar=friday)

        plan = plan_of(make.submitted(make.account(buyer), make.line(part, 5)))

        # It leaves on Thursday, would be there on Saturday, and is taken in on Friday.
        assert plan.possible_date == make.TODAY + timedelta(days=11)
