"""exceptions/selectors/_moving_types.py: what left, and what was promised of what is to come."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from erp.accounts.models import Entity
from erp.governance.services import ensure_builtin_policies
from exceptions.models import ExceptionCase
from exceptions.selectors import Pace, plays_of, types_at
from exceptions.services import refresh, run_play, sweep
from finance.services import deliver_shipments
from inventory.models import Inbound, Peg, Shipment
from inventory.services import fail_shipment
from orders.models import OrderLine
from procurement.models import PurchaseOrderLine
from tests.exceptions import factories
from tests.finance import factories as business

pytestmark = pytest.mark.django_db
NOW, TODAY = factories.NOW, factories.TODAY


def live(code: str) -> list[ExceptionCase]:
    return list(ExceptionCase.objects.filter(type=code, state__in=ExceptionCase.LIVE))


class TestShipments:
    def test_a_failed_one_is_a_case_until_it_arrives(self, deliver_all: Callable[[], int]) -> None:
        now = timezone.now()
        ensure_builtin_policies(now=now)
        where = business.world()
        clerk = factories.person("sam", "shipping", entity=where.entity)
        item = business.product(where)
        order, (shipment,) = business.shipped(where, (item, "4", "50"), now=now)
        deliver_all()
        assert live("inventory.shipment_failed") == []

        fail_shipment(shipment_id=shipment, reason="Nobody home", actor=clerk, now=now)
        deliver_all()

        (case,) = live("inventory.shipment_failed")
        assert (case.order, case.queue, case.owner) == (order, "shipping", clerk)
        assert "did not arrive (Nobody home)" in case.summary
        assert Decimal(case.reasons["revenue"]) == 200
        deliver_shipments(shipment_ids=[shipment], actor=clerk, now=now)
        deliver_all()
        assert live("inventory.shipment_failed") == []
        swept = sweep(now=timezone.now(), types=types_at(Pace.EVENTS))
        assert (swept.opened, swept.cleared) == ({}, {})

    def test_one_that_should_have_arrived_is_a_case_from_the_next_day(
        self, deliver_all: Callable[[], int]
    ) -> None:
        now = timezone.now()
        ensure_builtin_policies(now=now)
        where = business.world()
        item = business.product(where)
        _, (shipment,) = business.shipped(where, (item, "4", "50"), now=now)
        deliver_all()
        today = now.date()
        Shipment.objects.filter(pk=shipment).update(promised_date=today)

        refresh(type="inventory.delivery_overdue", subject_ids=[shipment], now=now)
        assert live("inventory.delivery_overdue") == []
        tomorrow = now + timedelta(days=1)
        refresh(type="inventory.delivery_overdue", subject_ids=[shipment], now=tomorrow)

        (case,) = live("inventory.delivery_overdue")
        assert case.reasons["days_late"] == 1
        deliver_shipments(shipment_ids=[shipment], actor=None, now=tomorrow)
        deliver_all()
        assert live("inventory.delivery_overdue") == []


class TestPromiseAtRisk:
    def pegged(self, promised: int, expected: int) -> OrderLine:
        item = factories.product()
        buyer = factories.account(committed=1000)
        line = factories.short_line(10, item=item, unit_price=100, account=buyer)
        days = TODAY + timedelta(days=promised), TODAY + timedelta(days=expected)
        OrderLine.objects.filter(pk=line.pk).update(
            promised_date=days[0], first_promised_date=days[0]
        )
        purchase = factories.purchase(item, 50, expected=days[1])
        bought = PurchaseOrderLine.objects.get(order=purchase)
        inbound, _ = Inbound.objects.update_or_create(
            source_kind="procurement.line", source_id=bought.pk,
            defaults={
                "entity": purchase.entity, "product": item, "node": purchase.node, "quantity": 50,
                "expected_date": days[1], "source_label": purchase.number,
            },
        )  # fmt: skip
        Peg.objects.create(
            inbound=inbound, demand_kind="orders.line", demand_id=line.pk, quantity=10,
            pegged_at=NOW,
        )  # fmt: skip
        return line

    def look(self, line: OrderLine) -> list[ExceptionCase]:
        refresh(type="orders.promise_at_risk", subject_ids=[line.pk], now=NOW)
        return live("orders.promise_at_risk")

    def test_opens_when_supply_comes_after_the_promised_day_and_not_on_it(
        self, entity: Entity
    ) -> None:
        factories.policies()

        assert self.look(self.pegged(promised=5, expected=5)) == []
        (case,) = self.look(self.pegged(promised=5, expected=6))

        assert case.reasons["days_late"] == 1
        assert "10 P-" in case.summary
        assert (case.cause_kind, case.cause_id) == (
            "procurement.order", PurchaseOrderLine.objects.latest("id").order_id,
        )  # fmt: skip

    def test_leaves_to_the_shortage_what_is_its_own(self, entity: Entity) -> None:
        factories.policies()
        line = self.pegged(promised=5, expected=9)
        refresh(type="orders.shortage", subject_ids=[line.pk], now=NOW)

        assert live("orders.shortage") != []
        assert self.look(line) == []

    def test_is_over_once_a_later_day_is_agreed(self, entity: Entity) -> None:
        factories.policies()
        planner = factories.person("lee", "planner", "order_desk", "operations_lead")
        line = self.pegged(promised=5, expected=9)
        (case,) = self.look(line)

        offered = {play.key for play in plays_of(case, user=planner, now=NOW) if not play.barred}
        assert "redate" in offered
        run_play(case_id=case.pk, key="redate", actor=planner, now=NOW)

        assert live("orders.promise_at_risk") == []
        line.refresh_from_db(fields=["promised_date"])
        assert line.promised_date is not None
        assert line.promised_date >= TODAY + timedelta(days=9)
