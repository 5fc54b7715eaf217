"""orders/services/_holding.py."""

import pytest

from erp.accounts.models import Role, User
from erp.governance.models import AuditEntry
from erp.outbox.models import Message
from inventory.models import Reservation
from orders.models import Hold, Order
from orders.services import (
    CannotHold,
    HoldNotActive,
    NotHoldOwner,
    OwnOrder,
    ReasonMissing,
    lift_hold,
    place_hold,
    reevaluate_credit_holds,
    submit_order,
)
from tests.orders import factories as make

pytestmark = pytest.mark.django_db


def over_limit(actor: User | None = None) -> Hold:
    order = make.submitted(make.account(limit="10"), make.line(make.priced("11")), actor=actor)
    return Hold.objects.get(order=order)


class TestLiftHold:
    def test_lets_the_order_go_on_when_it_was_the_last(self) -> None:
        hold, mira = over_limit(), make.person("mira", Role.CREDIT)

        order = lift_hold(hold_id=hold.pk, actor=mira, reason="They pay today", now=make.NOW)

        hold = Hold.objects.get(pk=hold.pk)
        assert (order.state, order.released_at) == ("released", make.NOW)
        assert (hold.state, hold.lifted_by, hold.lift_reason) == ("lifted", mira, "They pay today")
        assert order.account.committed == 11
        assert set(Message.objects.values_list("name", flat=True)) >= {
            "orders.hold_lifted",
            "orders.order_released",
        }
        assert AuditEntry.objects.get(action="orders.lift_credit_hold").reason == "They pay today"

    def test_waits_for_the_other_holds(self) -> None:
        on = make.account(make.customer(is_blocked=True), limit="1")
        order = make.submitted(on, make.line(make.priced("10")))
        mira, karl = make.person("mira", Role.CREDIT), make.person("karl", Role.ORDER_DESK)
        credit, desk = (Hold.objects.get(order=order, kind=k) for k in ("credit", "completeness"))

        first = lift_hold(hold_id=credit.pk, actor=mira, reason="fine", now=make.NOW)
        second = lift_hold(hold_id=desk.pk, actor=karl, reason="fine", now=make.NOW)

        assert (first.state, second.state) == ("held", "released")

    def test_asks_credit_again_when_another_hold_was_the_last(self) -> None:
        on = make.account(limit="100")
        waiting = make.submitted(on, make.line(make.priced("60")), ship_to={"note": "?"})
        make.submitted(on, make.line(make.priced("50")))
        karl = make.person("karl", Role.ORDER_DESK)
        hold = Hold.objects.get(order=waiting)
        assert hold.kind == "completeness"

        order = lift_hold(hold_id=hold.pk, actor=karl, reason="fine", now=make.NOW)

        assert order.state == "held"
        assert Hold.objects.get(order=order, state="active").kind == "credit"
        on.refresh_from_db()
        assert on.committed == 50

    def test_refuses_a_role_that_does_not_own_the_hold(self) -> None:
        hold = over_limit()

        for role in (Role.PRICING, Role.ADMINISTRATOR, Role.OPERATIONS_LEAD):
            with pytest.raises(NotHoldOwner):
                lift_hold(hold_id=hold.pk, actor=make.person(role, role), reason="x", now=make.NOW)

        assert Hold.objects.get().state == "active"
        assert Order.objects.get().state == "held"
        assert not Message.objects.filter(name="orders.hold_lifted").exists()

    def test_refuses_the_role_held_in_another_entity(self) -> None:
        mira = make.person("mira", Role.CREDIT, make.company("US02"))

        with pytest.raises(NotHoldOwner):
            lift_hold(hold_id=over_limit().pk, actor=mira, reason="x", now=make.NOW)

    def test_refuses_the_author_by_any_account(self) -> None:
        author = make.person("mira", Role.CREDIT, employee_ref="E-7")
        twin = make.person("mira2", Role.CREDIT, employee_ref="E-7")
        chief = make.person("chief", Role.CREDIT, is_superuser=True)
        hold, own = over_limit(actor=author), over_limit(actor=chief)

        for actor, each in ((author, hold), (twin, hold), (chief, own)):
            with pytest.raises(OwnOrder):
                lift_hold(hold_id=each.pk, actor=actor, reason="x", now=make.NOW)

        assert set(Hold.objects.values_list("state", flat=True)) == {"active"}

    def test_refuses_without_a_reason_and_a_second_time(self) -> None:
        hold, mira = over_limit(), make.person("mira", Role.CREDIT)

        with pytest.raises(ReasonMissing):
            lift_hold(hold_id=hold.pk, actor=mira, reason="  ", now=make.NOW)
        lift_hold(hold_id=hold.pk, actor=mira, reason="x", now=make.NOW)
        lift_hold(hold_id=hold.pk, actor=mira, reason="x", now=make.NOW)
        with pytest.raises(HoldNotActive):
            lift_hold(
                hold_id=hold.pk, actor=make.person("m", Role.CREDIT), reason="x", now=make.NOW
            )

        assert Message.objects.filter(name="orders.hold_lifted").count() == 1


class TestPlaceHold:
    def test_takes_back_what_a_released_order_holds(self, clerk) -> None:
        part = make.priced("10")
        stock = make.stocked(part, 5)
        order = make.allocated(make.account(), make.line(part, 5))

        order = place_hold(order_id=order.pk, reason="Fraud?", actor=clerk, now=make.NOW)

        stock.refresh_from_db()
        (line,) = make.lines_of(order)
        assert (order.state, line.reserved, stock.reserved) == ("held", 0, 0)
        assert order.account.committed == 0
        assert not Reservation.objects.filter(closed_at=None).exists()
        assert make.shipments_of(order) == []

    def test_keeps_a_hold_on_a_draft_until_it_is_submitted(self, clerk) -> None:
        order = make.created(make.account(), make.line(make.priced()))

        place_hold(order_id=order.pk, reason="Wait", actor=clerk, now=make.NOW)

        assert Order.objects.get().state == "draft"
        found = submit_order(order_id=order.pk, actor=clerk, now=make.NOW)
        assert (found.state, found.holds) == ("held", ["manual"])

    def test_refuses_what_is_being_picked(self, clerk) -> None:
        part = make.priced()
        make.stocked(part, 1)
        order = make.picked(make.account(), make.line(part))

        with pytest.raises(CannotHold):
            place_hold(order_id=order.pk, reason="x", actor=clerk, now=make.NOW)

        assert not Hold.objects.exists()


class TestReevaluateCreditHolds:
    def test_lets_orders_go_on_in_turn_as_far_as_the_limit_goes(self) -> None:
        on, part = make.account(limit="100", receivable=100), make.priced("40")
        orders = [make.submitted(on, make.line(part)) for _ in range(3)]
        on.receivable = 10
        on.save()

        gone = reevaluate_credit_holds(account_ids=[on.pk], cause="payment", now=make.NOW)

        on.refresh_from_db()
        assert gone == [orders[0].pk, orders[1].pk]
        assert on.committed == 80
        states = list(Order.objects.order_by("pk").values_list("state", flat=True))
        assert states == ["released", "released", "held"]
        lifted = Hold.objects.filter(state="lifted")
        assert set(lifted.values_list("lift_reason", "lifted_by")) == {("payment", None)}

    def test_changes_nothing_where_nothing_passes(self) -> None:
        on = make.account(limit="1")
        make.submitted(on, make.line(make.priced("2")))
        before = AuditEntry.objects.count()

        assert reevaluate_credit_holds(account_ids=[on.pk], cause="x", now=make.NOW) == []
        assert AuditEntry.objects.count() == before

    def test_lifts_the_credit_hold_alone_where_another_stays(self) -> None:
        on = make.account(make.customer(is_blocked=True), limit="1")
        order = make.submitted(on, make.line(make.priced("2")))
        on.credit_limit = 5
        on.save()

        assert reevaluate_credit_holds(account_ids=[on.pk], cause="limit", now=make.NOW) == []

        assert Order.objects.get(pk=order.pk).state == "held"
        assert Hold.objects.get(order=order, state="active").kind == "completeness"
