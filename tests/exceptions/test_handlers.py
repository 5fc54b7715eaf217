"""exceptions/handlers.py: what the ordinary services do, told by events, opens and clears cases"""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from erp.governance.services import ensure_builtin_policies
from erp.outbox.models import Delivery, Message
from exceptions.models import ExceptionCase
from exceptions.selectors import Pace, types_at
from exceptions.services import refresh, run_play, sweep
from finance.services import adjust_stock, invoice_shipments, ship_shipments
from inventory.models import Lot, Product, ShipmentLine, Stock
from inventory.services import Pick, ShortPick, StockAdjustment
from orders.services import cancel_order, pick_shipments
from procurement.models import PurchaseOrder
from procurement.services import submit_order
from tests.exceptions.factories import person
from tests.finance import factories
from tests.finance.factories import World
from tests.procurement import factories as purchases

pytestmark = pytest.mark.django_db
Deliver = Callable[[], int]


@pytest.fixture
def where(db: None) -> World:
    ensure_builtin_policies(now=timezone.now())
    return factories.world()


def live(code: str) -> list[ExceptionCase]:
    return list(ExceptionCase.objects.filter(type=code, state__in=ExceptionCase.LIVE))


def nothing_was_missed() -> None:
    """Fail if holding every type that events tell of against the world finds anything."""
    swept = sweep(now=timezone.now(), types=types_at(Pace.EVENTS))
    assert (swept.opened, swept.cleared) == ({}, {})


class TestShortage:
    def test_opens_when_allocation_falls_short_and_clears_when_stock_comes(
        self, where: World, deliver_all: Deliver
    ) -> None:
        item = factories.product(where, on_hand="3")
        order = factories.released(where, (item, "9", "7"), now=timezone.now())
        deliver_all()

        (case,) = live("orders.shortage")
        assert case.order == order
        assert case.summary.startswith(f"6 of 9 {item.code}")
        nothing_was_missed()

        adjust_stock(
            adjustments=[factories.adjustment(where, item, "20", "2")],
            kind="adjustment",
            actor=None,
            now=timezone.now(),
        )
        deliver_all()

        assert live("orders.shortage") == []
        assert ExceptionCase.objects.get(pk=case.pk).resolved_by is None
        nothing_was_missed()

    def test_clears_when_the_order_is_cancelled(self, where: World, deliver_all: Deliver) -> None:
        item = factories.product(where, on_hand="3")
        order = factories.released(where, (item, "9", "7"), now=timezone.now())
        deliver_all()

        cancel_order(order_id=order.pk, actor=None, reason="Not wanted", now=timezone.now())
        deliver_all()

        assert live("orders.shortage") == []
        nothing_was_missed()


class TestCreditHold:
    def test_opens_with_the_hold_and_closes_by_its_play(
        self, where: World, deliver_all: Deliver
    ) -> None:
        credit = person("cora", "credit", entity=where.entity)
        poor = factories.world(limit="10")
        item = factories.product(poor)
        order = factories.released(poor, (item, "9", "7"), now=timezone.now())
        deliver_all()

        (case,) = live("orders.credit_hold")
        assert (case.order, case.owner, case.queue) == (order, credit, "credit")
        assert "credit limit" in case.summary
        run_play(case_id=case.pk, key="release", actor=credit, now=timezone.now())
        deliver_all()

        order.refresh_from_db(fields=["state"])
        assert order.state == "allocated"
        assert live("orders.credit_hold") == []
        nothing_was_missed()


class TestShortPick:
    def test_opens_for_the_bin_and_closes_when_the_stock_is_put_back(
        self, where: World, deliver_all: Deliver
    ) -> None:
        lead = person("kim", "operations_lead", entity=where.entity)
        item = factories.product(where, on_hand="10")
        order = factories.allocated(where, (item, "10", "7"), now=timezone.now())
        (shipment,) = factories.shipments_of(order)
        line = ShipmentLine.objects.get(shipment=shipment)
        short = ShortPick(line_id=line.pk, picked=Decimal(7), reason="not_found")
        pick_shipments(
            picks=[Pick(shipment_id=shipment, shorts=[short])], actor=lead, now=timezone.now()
        )
        deliver_all()

        (case,) = live("inventory.short_pick")
        assert (case.expected_loss, case.queue) == (Decimal("3.00"), "warehouse")  # 3 x 2 x 0.5
        assert len(live("orders.shortage")) == 1
        run_play(case_id=case.pk, key="put_back", actor=lead, now=timezone.now())
        deliver_all()

        assert live("inventory.short_pick") == []
        assert live("orders.shortage") == []  # what was found was reserved for the line
        nothing_was_missed()


class TestExpiry:
    def lying(self, where: World, days: int, *, on_hand: str = "10") -> Lot:
        milk = Product.objects.create(code=f"MILK{days}", name="Milk", tracking="lot")
        lot = Lot.objects.create(
            product=milk,
            code="L1",
            expires_on=timezone.localdate() + timedelta(days=days),
            created_at=timezone.now(),
        )
        taken_in = StockAdjustment(
            entity_id=where.entity.pk,
            node_id=where.node.pk,
            product_id=milk.pk,
            lot_id=lot.pk,
            quantity=Decimal(on_hand),
            unit_value=Decimal(4),
            reason="Opening",
        )
        adjust_stock(adjustments=[taken_in], kind="opening", actor=None, now=timezone.now())
        return lot

    @pytest.mark.parametrize(
        ("days", "loss"), [(-1, "40"), (0, "32"), (7, "32"), (8, "20"), (15, "10"), (30, "10")]
    )
    def test_tells_of_a_lot_that_nobody_has_before_it_expires(
        self, where: World, days: int, loss: str
    ) -> None:
        lot = self.lying(where, days)

        refresh(type="inventory.lot_expiring", now=timezone.now())

        (case,) = live("inventory.lot_expiring")
        assert (case.expected_loss, case.queue) == (Decimal(loss), "planner")
        assert f"10 {lot.product.code} of lot L1" in case.summary
        assert ("expired on" if days < 0 else "expire on") in case.summary

    def test_says_nothing_of_what_is_good_for_longer(self, where: World) -> None:
        self.lying(where, 31)

        refresh(type="inventory.lot_expiring", now=timezone.now())

        assert live("inventory.lot_expiring") == []

    def test_ends_when_the_goods_are_written_off(self, where: World) -> None:
        lot = self.lying(where, 3)
        refresh(type="inventory.lot_expiring", now=timezone.now())
        assert len(live("inventory.lot_expiring")) == 1
        gone = StockAdjustment(
            entity_id=where.entity.pk,
            node_id=where.node.pk,
            product_id=lot.product_id,
            lot_id=lot.pk,
            quantity=Decimal(-10),
            reason="Too old",
        )
        adjust_stock(adjustments=[gone], kind="adjustment", actor=None, now=timezone.now())

        refresh(type="inventory.lot_expiring", now=timezone.now())

        assert live("inventory.lot_expiring") == []

    def test_counts_only_what_nobody_has_until_it_has_expired(self, where: World) -> None:
        lot = self.lying(where, 3)
        Stock.objects.filter(lot=lot).update(reserved=10)

        refresh(type="inventory.lot_expiring", now=timezone.now())
        assert live("inventory.lot_expiring") == []
        refresh(type="inventory.lot_expiring", now=timezone.now() + timedelta(days=5))

        assert [case.expected_loss for case in live("inventory.lot_expiring")] == [Decimal(40)]


class TestBilling:
    def test_opens_by_time_and_closes_with_the_invoice(
        self, where: World, deliver_all: Deliver
    ) -> None:
        now = timezone.now()
        order, (shipment,) = factories.packed(where, (factories.product(where), "4", "25"), now=now)
        ship_shipments(shipment_ids=[shipment], actor=None, now=now)
        assert sweep(now=now, types=["finance.shipped_not_billed"]).opened == {}

        refresh(type="finance.shipped_not_billed", now=now + timedelta(hours=3))
        (case,) = live("finance.shipped_not_billed")
        assert case.order == order
        invoice_shipments(shipment_ids=[shipment], now=now + timedelta(hours=3))
        deliver_all()

        assert live("finance.shipped_not_billed") == []


class TestPurchasing:
    def test_opens_when_nobody_approves_and_closes_when_somebody_does(
        self, where: World, deliver_all: Deliver
    ) -> None:
        lead = person("kim", "operations_lead", "controller", "executive", entity=where.entity)
        order = purchases.make_order(entity=where.entity, lines=[("10", "900")])
        buyer = person("bea", "buyer", entity=where.entity)
        submit_order(order_id=order.pk, actor=buyer, now=timezone.now() - timedelta(days=2))

        refresh(type="procurement.approval_overdue", now=timezone.now())
        (case,) = live("procurement.approval_overdue")
        assert (case.queue, case.subject_label) == ("operations_lead", order.number)
        run_play(case_id=case.pk, key="approve", actor=lead, now=timezone.now())

        assert PurchaseOrder.objects.get(pk=order.pk).state == "approved"
        assert ExceptionCase.objects.get(pk=case.pk).resolved_by == lead

    def test_tells_of_supply_that_is_late_with_who_waits_for_it(
        self, where: World, deliver_all: Deliver
    ) -> None:
        item = factories.product(where, on_hand="3")
        factories.released(where, (item, "9", "700"), now=timezone.now())
        deliver_all()
        order = purchases.make_sent_order(entity=where.entity)
        order.lines.update(product=item)
        PurchaseOrder.objects.filter(pk=order.pk).update(
            expected_date=timezone.localdate() - timedelta(days=4)
        )

        refresh(type="procurement.late_supply", now=timezone.now())

        (case,) = live("procurement.late_supply")
        assert "1 orders wait behind it" in case.summary
        assert case.expected_loss == Decimal("4040.00")  # 0.95 x 6 x 700 + 50


class TestDeadDelivery:
    def test_opens_with_the_order_behind_it_and_is_replayed(self, where: World) -> None:
        now = timezone.now()
        admin = person("ada", "administrator", entity=where.entity)
        order = factories.released(where, (factories.product(where), "9", "7"), now=now)
        message = Message.objects.filter(name="orders.order_released").latest("id")
        Delivery.objects.filter(message=message).update(
            status="dead", attempts=8, settled_at=now, last_error="Traceback …\nKeyError: 'x'\n"
        )
        dead = Delivery.objects.filter(message=message).first()
        assert dead is not None

        refresh(type="outbox.dead_delivery", subject_ids=[dead.pk], now=now)
        case = ExceptionCase.objects.get(subject_id=dead.pk, type="outbox.dead_delivery")
        assert (case.order, case.queue, case.owner) == (order, "administrator", admin)
        assert case.summary == "given up after 8 tries: KeyError: 'x'"
        run_play(case_id=case.pk, key="replay", actor=admin, now=now)

        assert Delivery.objects.get(pk=dead.pk).status == "pending"
        assert ExceptionCase.objects.get(pk=case.pk).state == "resolved"


class TestSweep:
    def test_finds_what_no_event_told_and_says_so(self, where: World) -> None:
        factories.allocated(where, (factories.product(where, on_hand="3"), "9", "7"))

        assert sweep(now=timezone.now(), types=["orders.shortage"]).opened == {"orders.shortage": 1}
        assert sweep(now=timezone.now(), types=["orders.shortage"]).opened == {}
