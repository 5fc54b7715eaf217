"""exceptions/selectors/_house_types.py: duties, months, prices."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from erp.accounts.models import Entity, Role
from erp.governance.services import (
    end_role,
    ensure_builtin_policies,
    grant_role,
    mitigate_conflict,
)
from exceptions.models import ExceptionCase
from exceptions.selectors import case_type
from exceptions.services import refresh, sweep
from finance.services import close_period, invoice_shipments, ship_shipments
from orders.models import Hold
from tests.exceptions import factories, scenes
from tests.exceptions.factories import NOW
from tests.finance import factories as business

pytestmark = pytest.mark.django_db


def live(code: str) -> list[ExceptionCase]:
    return list(ExceptionCase.objects.filter(type=code, state__in=ExceptionCase.LIVE))


class TestDutyConflict:
    CODE = "governance.duty_conflict"

    def test_opens_with_the_role_that_brings_it_and_ends_with_it(
        self, entity: Entity, deliver_all: Callable[[], int]
    ) -> None:
        ensure_builtin_policies(now=timezone.now())
        boss = factories.person("ada", "administrator")
        max_ = factories.person("max", "credit")
        case_type(self.CODE)
        deliver_all()
        assert live(self.CODE) == []

        # a role that only warns of what it brings
        grant_role(user=max_, entity=entity, role=Role.AR, actor=boss, now=timezone.now())
        deliver_all()

        (case,) = live(self.CODE)
        assert (case.party, case.queue) == ("Max", "controller")
        assert "post payment" in case.summary
        assert sweep(now=timezone.now(), types=[self.CODE]).opened == {}
        end_role(user=max_, entity=entity, role=Role.AR, actor=boss, now=timezone.now())
        deliver_all()
        assert live(self.CODE) == []

    def test_ends_while_it_is_borne_and_comes_back_after(self, entity: Entity) -> None:
        boss = factories.person("ada", "controller")
        max_ = factories.person("max", "buyer", "operations_lead")
        refresh(type=self.CODE, now=NOW)
        (case,) = [one for one in live(self.CODE) if one.party == "Max"]
        for one, other in PAIRS:
            mitigate_conflict(
                person=max_, entity_id=entity.pk, one=one, other=other, reason="Small house",
                until=NOW + timedelta(days=3), actor=boss, now=NOW,
            )  # fmt: skip

        refresh(type=self.CODE, now=NOW + timedelta(days=1))
        assert [one for one in live(self.CODE) if one.party == "Max"] == []
        refresh(type=self.CODE, now=NOW + timedelta(days=4))

        (back,) = [one for one in live(self.CODE) if one.party == "Max"]
        assert (back.pk, back.reopened_count) == (case.pk, 1)

    def test_is_of_the_entity_in_which_the_roles_are(self, entity: Entity) -> None:
        sister = factories.company("US02")
        factories.person("max", "buyer")
        factories.person("max", "operations_lead", entity=sister)

        assert case_type(self.CODE).find(now=NOW) == []


PAIRS = [
    ("procurement.write_purchase_order", "procurement.approve_purchase_order"),
    ("procurement.change_supplier", "procurement.approve_purchase_order"),
    ("procurement.change_supplier", "procurement.write_purchase_order"),
]


class TestPeriodBlocker:
    CODE = "finance.period_blocker"

    def test_holds_from_the_first_day_after_the_month_until_all_is_invoiced(
        self, entity: Entity
    ) -> None:
        where = business.world()
        _, (shipment,) = business.packed(where, (business.product(where), "4", "25"), now=NOW)
        ship_shipments(shipment_ids=[shipment], actor=None, now=NOW)

        last = NOW.replace(day=30)
        refresh(type=self.CODE, now=last)
        assert live(self.CODE) == []
        after = last + timedelta(days=1)
        refresh(type=self.CODE, now=after)

        (case,) = live(self.CODE)
        assert case.subject_label == "US01 2026-11"
        assert "1 shipments of November 2026 worth 100.00 USD" in case.summary
        assert case.expected_loss == Decimal("20.00")
        invoice_shipments(shipment_ids=[shipment], now=after)
        refresh(type=self.CODE, now=after)
        assert live(self.CODE) == []
        controller = factories.person("con", "controller", entity=where.entity)
        assert close_period(period_id=case.subject_id, actor=controller, now=after)


class TestPriceAnomaly:
    """Eight sales around 10 with a median deviation of 0: a tenth of the median is far."""

    CODE = "orders.price_anomaly"

    def usual(self, *prices: int) -> object:
        item = scenes.costly()
        for price in prices or (10, 10, 11, 10, 9, 10, 10, 11):
            factories.short_line(2, item=item, unit_price=price)
        return item

    @pytest.mark.parametrize(("price", "found"), [("11.00", 0), ("11.01", 1), ("8.99", 1)])
    def test_holds_beyond_a_tenth_of_the_median(
        self, entity: Entity, price: str, found: int
    ) -> None:
        odd = factories.short_line(2, item=self.usual(), unit_price=price)

        got = case_type(self.CODE).find(now=NOW, subject_ids=[odd.pk])

        assert len(got) == found

    def test_says_nothing_of_a_product_that_is_hardly_sold(self, entity: Entity) -> None:
        item = self.usual(10, 10, 10, 10, 10, 10, 10)
        odd = factories.short_line(2, item=item, unit_price=900)

        assert case_type(self.CODE).find(now=NOW, subject_ids=[odd.pk]) == []

    def test_leaves_to_pricing_what_pricing_looked_at(self, entity: Entity) -> None:
        odd = factories.short_line(2, item=self.usual(), unit_price=900)
        assert case_type(self.CODE).find(now=NOW, subject_ids=[odd.pk]) != []

        Hold.objects.create(
            order=odd.order, kind="manual", owner_role="pricing", reason="Odd", placed_at=NOW
        )

        assert case_type(self.CODE).find(now=NOW, subject_ids=[odd.pk]) == []
