"""orders/services/claiming/_taking.py, and who works on what in orders/selectors/_holds.py"""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from erp.accounts.models import User
from erp.governance.models import AuditEntry
from orders.models import Hold, Order
from orders.selectors import HeldOrder, HoldFilters, hold_queue
from orders.services import NotHoldOwner, OwnOrder
from orders.services.claiming import claim_holds, give_back_holds
from tests.orders import factories as make

pytestmark = pytest.mark.django_db


def over(actor: User | None = None, **account: Any) -> Order:
    """Make an order that credit holds."""
    on = make.account(limit="100", **account)
    return make.submitted(on, make.line(make.priced("150")), actor=actor)


def queue(**filters: Any) -> list[HeldOrder]:
    ids = [make.company().pk]
    return hold_queue(entity_ids=ids, filters=HoldFilters(**filters), now=make.NOW)[0]


class TestClaimHolds:
    def test_names_who_works_on_it_in_the_queue_and_the_story(self) -> None:
        mine, other = over(), over()
        who = make.person("mira", "credit")

        taken = claim_holds(order_ids=[mine.pk], actor=who, now=make.NOW)

        hold = Hold.objects.get(pk=taken[0])
        assert (hold.assigned_to_id, hold.assigned_at, hold.state) == (who.pk, make.NOW, "active")
        assert [row.id for row in queue(assignee=who.pk)] == [mine.pk]
        assert [row.id for row in queue(assignee=0)] == [other.pk]
        assert AuditEntry.objects.get(action="orders.claim_hold").subject_id == mine.pk

    def test_again_changes_nothing_and_a_colleague_takes_it_over(self) -> None:
        order = over()
        first, second = make.person("one", "credit"), make.person("two", "credit")
        claim_holds(order_ids=[order.pk], actor=first, now=make.NOW)

        assert claim_holds(order_ids=[order.pk], actor=first, now=make.NOW) == []
        claim_holds(order_ids=[order.pk], actor=second, now=make.NOW)

        assert Hold.objects.get().assigned_to_id == second.pk
        assert AuditEntry.objects.filter(action="orders.claim_hold").count() == 2

    def test_is_not_for_another_role_nor_for_the_order_s_author(self) -> None:
        author = make.person("author", "credit", employee_ref="E-1")
        order = over(author)
        twin = make.person("twin", "credit", employee_ref="E-1")

        with pytest.raises(NotHoldOwner):
            claim_holds(order_ids=[order.pk], actor=make.person("p", "pricing"), now=make.NOW)
        for own in (author, twin):
            with pytest.raises(OwnOrder):
                claim_holds(order_ids=[order.pk], actor=own, now=make.NOW)
        assert Hold.objects.get().assigned_to_id is None

    def test_is_given_back_by_who_has_it_alone(self) -> None:
        order = over()
        mira, tom = make.person("mira", "credit"), make.person("tom", "credit")
        claim_holds(order_ids=[order.pk], actor=mira, now=make.NOW)

        assert give_back_holds(order_ids=[order.pk], actor=tom, now=make.NOW) == []
        assert len(give_back_holds(order_ids=[order.pk], actor=mira, now=make.NOW)) == 1

        hold = Hold.objects.get()
        assert (hold.assigned_to_id, hold.assigned_at) == (None, None)

    def test_is_pressed_in_the_queue(self, client: Client) -> None:
        order = over()
        client.force_login(make.person("mira", "credit"))

        answer = client.post("/orders/holds/claim/", {"id": order.pk}, follow=True)

        assert order.number in answer.content.decode()
        assert "1 hold is yours now." in answer.content.decode()


class TestExposureInTheQueue:
    @pytest.mark.parametrize(("days", "exposure", "over_by"), [(0, "20", "70"), (-1, "40", "90")])
    def test_is_net_of_what_is_insured_today(self, days: int, exposure: str, over_by: str) -> None:
        until = make.TODAY + timedelta(days=days)
        over(receivable=Decimal(40), insured_amount=Decimal(20), insured_until=until)

        [row] = queue()

        assert (row.exposure, row.over) == (Decimal(exposure), Decimal(over_by))
        assert row.insured == (20 if days == 0 else 0)

    def test_is_held_against_the_limit_of_the_day(self) -> None:
        days = {"temporary_from": make.TODAY, "temporary_until": make.TODAY}
        over(temporary_limit=Decimal(120), **days)

        [row] = queue()

        assert (row.credit_limit, row.over) == (Decimal(120), Decimal(30))
