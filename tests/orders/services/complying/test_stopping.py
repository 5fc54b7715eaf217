"""orders/services/complying/_stopping.py and _restricting.py: what was let go, and then the law"""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import transaction

from erp.accounts.models import User
from erp.governance.models import AuditEntry
from erp.kernel.sql import rows
from exceptions.models import ExceptionCase
from inventory.models import Shipment
from orders.models import CreditAccount, ExportLicence, Hold, Order, PartyMatch
from orders.selectors import INVARIANTS
from orders.services import GoodsStopped, LineDraft, cancel_order, lift_hold
from orders.services.complying import review_match
from tests.orders import compliance as law
from tests.orders import factories as make

pytestmark = pytest.mark.django_db
Deliver = Callable[[], int]


def buyer(name: str = "Zarya Marine", country: str = "AE") -> CreditAccount:
    return make.account(make.customer(name=name, country=country))


def radio(quantity: int = 1) -> LineDraft:
    made = make.priced("10", export_code="5A002")
    make.stocked(made, "100")
    return make.line(made, quantity)


def controller() -> User:
    return make.person("controller", "controller")


def state(order: Order) -> str:
    return Order.objects.get(pk=order.pk).state


def active(order: Order) -> list[str]:
    found = Hold.objects.filter(order=order, state="active")
    return list(found.values_list("kind", flat=True))


def sound() -> None:
    assert {each.code: rows(each.statement) for each in INVARIANTS if rows(each.statement)} == {}


class TestANewMatch:
    def test_keeps_goods_here_that_are_picked(self) -> None:
        order = make.picked(buyer(), radio())

        law.listed("Zarya Marine")
        law.walked()

        assert (state(order), active(order)) == ("fulfilling", ["compliance"])
        with pytest.raises(GoodsStopped), transaction.atomic():
            make.left(order)

    def test_lets_them_leave_once_its_owner_says_so(self) -> None:
        order = make.picked(buyer(), radio())
        law.listed("Zarya Marine")
        law.walked()
        hold = Hold.objects.get(order=order)

        lift_hold(hold_id=hold.pk, actor=controller(), reason="another one", now=make.NOW)
        make.left(order)

        assert state(order) == "shipped"

    def test_lets_them_leave_once_it_is_rejected(self) -> None:
        order = make.picked(buyer(), radio())
        law.listed("Zarya Marine")
        law.walked()

        review_match(
            match_id=PartyMatch.objects.get().pk, is_real=False, reason="another one",
            actor=controller(), now=make.NOW,
        )  # fmt: skip

        assert (state(order), active(order)) == ("fulfilling", [])
        make.left(order)

    def test_is_told_once_of_goods_that_are_gone(self, deliver_all: Deliver) -> None:
        order = make.picked(buyer(), radio())
        make.left(order)

        law.listed("Zarya Marine")
        law.walked()
        later = make.NOW + timedelta(days=1)
        law.screen_parties(now=later, anew="Every day")
        while law.screen_parties(now=later) is not None:
            pass
        deliver_all()

        assert (state(order), active(order)) == ("shipped", [])
        told = AuditEntry.objects.filter(action="orders.law_found_too_late")
        assert [each.thread for each in told] == [f"orders.order:{order.pk}"]
        case = ExceptionCase.objects.get(type="orders.law_found_too_late")
        assert (case.order_id, case.queue) == (order.pk, "controller")

    def test_opens_a_case_for_what_stays_on_the_floor(self, deliver_all: Deliver) -> None:
        order = make.picked(buyer(), radio())
        deliver_all()

        law.listed("Zarya Marine")
        law.walked()
        deliver_all()

        assert ExceptionCase.objects.filter(type="orders.compliance_hold", order=order).exists()


class TestANewRestriction:
    def test_stops_what_was_let_go_and_gives_back_what_it_had(self, deliver_all: Deliver) -> None:
        on = buyer()
        order = make.allocated(on, radio(3))
        plain = make.submitted(on, make.line(make.priced()))
        assert Shipment.objects.filter(source_id=order.pk, state="planned").exists()

        law.restriction(coverage="export_code", coverage_value="5A", ship_to=("AE",))
        deliver_all()

        assert (state(order), active(order)) == ("held", ["compliance"])
        assert not Shipment.objects.filter(source_id=order.pk, state="planned").exists()
        assert active(plain) == []
        on.refresh_from_db()
        assert on.committed == 10
        sound()

    def test_keeps_goods_here_that_are_picked(self, deliver_all: Deliver) -> None:
        order = make.picked(buyer(), radio())

        law.restriction(ship_to=("AE",))
        deliver_all()

        assert (state(order), active(order)) == ("fulfilling", ["compliance"])
        with pytest.raises(GoodsStopped), transaction.atomic():
            make.left(order)
        law.exception()
        make.left(order)
        assert state(order) == "shipped"
        sound()

    def test_tells_of_goods_that_are_gone_and_changes_nothing(self, deliver_all: Deliver) -> None:
        order = make.picked(buyer(), radio())
        make.left(order)

        law.restriction(code="EAR-9", ship_to=("AE",))
        deliver_all()

        assert (state(order), active(order)) == ("shipped", [])
        entry = AuditEntry.objects.get(action="orders.law_found_too_late")
        assert "EAR-9" in entry.reason
        assert ExceptionCase.objects.get(type="orders.law_found_too_late").order_id == order.pk

    def test_does_not_touch_where_it_does_not_reach(self, deliver_all: Deliver) -> None:
        home = make.allocated(buyer(country="US"), radio())
        gone = make.picked(buyer(country="US"), radio())
        make.left(gone)

        law.restriction(ship_to=("AE",))
        deliver_all()

        assert active(home) == active(gone) == []
        assert not AuditEntry.objects.filter(action="orders.law_found_too_late").exists()

    def test_leaves_alone_what_has_its_licence_already(self, deliver_all: Deliver) -> None:
        law.restriction(ship_to=("AE",))
        law.exception(needs_licence=True)
        paper = law.licence(quantity_max="3")
        order = make.allocated(buyer(), radio(3))
        assert ExportLicence.objects.get(pk=paper.pk).quantity_used == 3

        law.restriction(ship_to=("AE",))
        deliver_all()

        assert active(order) == []
        assert ExportLicence.objects.get(pk=paper.pk).quantity_used == 3


class TestALicenceThatComesBack:
    def test_goes_to_who_waits_for_it(self, deliver_all: Deliver) -> None:
        law.restriction(ship_to=("AE",))
        law.exception(needs_licence=True)
        paper = law.licence(quantity_max="3")
        first = make.submitted(buyer(), radio(3))
        second = make.submitted(buyer(), radio(2))
        assert (state(first), active(second)) == ("released", ["compliance"])

        cancel_order(order_id=first.pk, reason="not wanted", actor=None, now=make.NOW)
        deliver_all()

        assert active(second) == []
        lifted = Hold.objects.get(order=second)
        assert lifted.lift_reason == "A licence came back"
        assert ExportLicence.objects.get(pk=paper.pk).quantity_used == 2
        sound()
