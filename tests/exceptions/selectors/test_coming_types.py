"""exceptions/selectors/_coming_types.py: supply that moved or came short, shelves running empty."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from erp.accounts.models import Entity
from exceptions.models import ExceptionCase
from exceptions.selectors import case_type, rules_of
from exceptions.services import refresh, sweep
from inventory.models import Stock
from inventory.services import ExpectedGoods, expect_goods
from orders.models import Order
from procurement.models import PurchaseOrder, PurchaseOrderLine, ReplenishmentRule
from procurement.services import reschedule_order
from tests.exceptions import factories, scenes
from tests.exceptions.factories import NOW, TODAY

pytestmark = pytest.mark.django_db


def live(code: str) -> list[ExceptionCase]:
    return list(ExceptionCase.objects.filter(type=code, state__in=ExceptionCase.LIVE))


def nothing_was_missed(*codes: str) -> None:
    swept = sweep(now=timezone.now(), types=list(codes))
    assert (swept.opened, swept.cleared) == ({}, {})


class TestPredictedStockout:
    """4 leave a day; a new purchase takes 9 days."""

    def at(self, free: int) -> ReplenishmentRule:
        item, here = scenes.costly(), factories.node()
        factories.stock(item, free, node=here)
        factories.offer(item, lead_time_days=9)
        scenes.left(item, here, 112)
        return ReplenishmentRule.objects.create(
            entity=factories.company(), node=here, product=item, reorder_point=10, order_up_to=60
        )

    @pytest.mark.parametrize(("free", "found"), [(35, 1), (36, 0), (0, 1)])
    def test_holds_where_what_is_free_lasts_less_than_supply_takes(
        self, entity: Entity, free: int, found: int
    ) -> None:
        rule = self.at(free)

        assert len(case_type("inventory.predicted_stockout").find(now=NOW)) == found
        assert rule.pk

    def test_prices_what_would_be_sold_between(self, entity: Entity) -> None:
        rule = self.at(12)
        factories.short_line(3, item=rule.product, unit_price=20)

        (one,) = case_type("inventory.predicted_stockout").find(now=NOW, subject_ids=[rule.pk])

        assert one.exposure.revenue == 4 * (9 - 3) * 20
        assert one.exposure.p_miss == Decimal("0.95")
        assert "12 P-" in one.summary
        assert "4.0 leave a day: gone by 26 Nov, the next come 2 Dec" in one.summary

    def test_is_less_likely_where_another_node_has_some(self, entity: Entity) -> None:
        rule = self.at(12)
        factories.stock(rule.product, 5, node=factories.node("DC-WEST"))

        (one,) = case_type("inventory.predicted_stockout").find(now=NOW)

        assert one.exposure.p_miss == Decimal("0.5")

    def test_says_nothing_of_what_nobody_buys(self, entity: Entity) -> None:
        rule = self.at(12)
        ReplenishmentRule.objects.filter(pk=rule.pk).update(product=factories.product())

        assert case_type("inventory.predicted_stockout").find(now=NOW) == []

    def test_ends_when_goods_are_on_their_way_in_time(
        self, entity: Entity, deliver_all: Callable[[], int]
    ) -> None:
        rule = self.at(12)
        refresh(type="inventory.predicted_stockout", now=NOW)
        assert len(live("inventory.predicted_stockout")) == 1
        soon = ExpectedGoods(
            source_id=7, entity_id=rule.entity_id, node_id=rule.node_id,
            product_id=rule.product_id, quantity=Decimal(40),
            expected_date=timezone.localdate() + timedelta(days=1), label="X",
        )  # fmt: skip

        expect_goods(kind="test", goods=[soon])
        deliver_all()

        assert live("inventory.predicted_stockout") == []

    def test_is_looked_up_by_what_is_on_its_way(self, entity: Entity) -> None:
        rule = self.at(12)

        found = rules_of(keys=[(rule.entity_id, rule.node_id, rule.product_id), (0, 0, 0)])

        assert found == [rule.pk]
        assert rules_of(keys=[]) == []


class TestAgedBacklog:
    """A tier A line may wait 5 days, one of tier C 21."""

    def waiting(self, tier: str, days: int) -> int:
        line = factories.short_line(4, unit_price=50, account=factories.account(tier))
        Order.objects.filter(pk=line.order_id).update(
            released_at=NOW - timedelta(days=days), requested_date=TODAY - timedelta(days=days)
        )
        return line.pk

    @pytest.mark.parametrize(
        ("tier", "days", "found"), [("A", 5, 0), ("A", 6, 1), ("C", 21, 0), ("C", 22, 1)]
    )
    def test_holds_from_the_day_after_what_the_policy_gives(
        self, entity: Entity, tier: str, days: int, found: int
    ) -> None:
        self.waiting(tier, days)

        assert len(case_type("orders.aged_backlog").find(now=NOW)) == found

    def test_leaves_to_the_shortage_what_is_its_own(self, entity: Entity) -> None:
        line = self.waiting("A", 9)
        refresh(type="orders.shortage", subject_ids=[line], now=NOW)

        assert live("orders.shortage") != []
        assert case_type("orders.aged_backlog").find(now=NOW) == []

    def test_counts_anew_from_when_another_day_was_agreed(self, entity: Entity) -> None:
        factories.policies()
        case, who, now = scenes.SCENES["backorder"]()
        Order.objects.filter(pk=case.order_id).update(
            released_at=NOW - timedelta(days=40), requested_date=TODAY - timedelta(days=40)
        )
        found = case_type("orders.aged_backlog").find
        ExceptionCase.objects.filter(pk=case.pk).update(state="resolved", resolved_at=now)
        assert len(found(now=NOW)) == 1

        case.play_runs.create(key="backorder", chosen={}, run_at=now, run_by=who, outcome="x")

        assert found(now=NOW) == []
        assert len(found(now=NOW + timedelta(days=22))) == 1


class TestSupplierChange:
    def sent(self) -> tuple[PurchaseOrder, PurchaseOrderLine]:
        item = scenes.costly()
        factories.short_line(4, item=item)
        made = factories.purchase(item, 10, expected=timezone.localdate() + timedelta(days=3))
        return made, made.lines.get()

    def test_opens_when_the_day_moves_later_and_not_when_it_comes_sooner(
        self, entity: Entity, deliver_all: Callable[[], int]
    ) -> None:
        made, line = self.sent()
        sooner = {line.pk: made.expected_date - timedelta(days=1)}
        reschedule_order(order_id=made.pk, dates=sooner, actor=None, now=timezone.now())
        deliver_all()
        assert live("procurement.supplier_change") == []

        later = {line.pk: made.expected_date + timedelta(days=5)}
        reschedule_order(order_id=made.pk, dates=later, actor=None, now=timezone.now())
        deliver_all()

        (case,) = live("procurement.supplier_change")
        assert case.subject_label == made.number
        assert "1 orders wait behind it" in case.summary
        nothing_was_missed("procurement.supplier_change")

    def test_ends_when_the_supplier_comes_back_to_the_day(
        self, entity: Entity, deliver_all: Callable[[], int]
    ) -> None:
        made, line = self.sent()
        for days in (9, 2):
            day = {line.pk: timezone.localdate() + timedelta(days=days)}
            reschedule_order(order_id=made.pk, dates=day, actor=None, now=timezone.now())
            deliver_all()

        assert ExceptionCase.objects.get(type="procurement.supplier_change").state == "resolved"

    def test_is_none_where_nobody_waits(self, entity: Entity) -> None:
        made = factories.purchase(factories.product(), 10)
        day = {made.lines.get().pk: made.expected_date + timedelta(days=5)}
        reschedule_order(order_id=made.pk, dates=day, actor=None, now=NOW)

        assert case_type("procurement.supplier_change").find(now=NOW) == []


class TestShortReceipt:
    def came(self, received: int, expected: int) -> PurchaseOrder:
        item = scenes.costly()
        made = factories.purchase(
            item, 10, state="partly_received", expected=TODAY + timedelta(days=expected)
        )
        made.lines.update(received=received)
        return made

    @pytest.mark.parametrize(
        ("received", "expected", "found"), [(4, 0, 1), (4, 1, 0), (0, 0, 0), (10, 0, 0)]
    )
    def test_holds_where_a_part_came_on_its_day_and_the_rest_did_not(
        self, entity: Entity, received: int, expected: int, found: int
    ) -> None:
        self.came(received, expected)

        assert len(case_type("procurement.short_receipt").find(now=NOW)) == found

    def test_hangs_under_the_late_purchase_once_that_is_late(self, entity: Entity) -> None:
        factories.policies()
        made = self.came(4, 0)
        refresh(type="procurement.short_receipt", now=NOW)
        later = NOW + timedelta(days=3)
        refresh(type="procurement.late_supply", now=later)
        refresh(type="procurement.short_receipt", now=later)

        case = ExceptionCase.objects.get(type="procurement.short_receipt")
        assert case.parent == ExceptionCase.objects.get(type="procurement.late_supply")
        assert case.subject_id == made.pk


class TestGoodsDamaged:
    def test_holds_while_damaged_goods_stand_somewhere(self, entity: Entity) -> None:
        item = scenes.costly()
        row = factories.stock(item, 5, status="damaged")
        factories.stock(item, 5)

        (one,) = case_type("inventory.goods_damaged").find(now=NOW)

        assert (one.subject_id, one.exposure.revenue) == (row.pk, Decimal("20.00"))
        Stock.objects.filter(pk=row.pk).update(on_hand=0)
        assert case_type("inventory.goods_damaged").find(now=NOW) == []
