"""A random week of business: what events tell of is all there is, so a sweep finds nothing more."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from django.utils import timezone

from erp.governance.services import ensure_builtin_policies
from erp.kernel.errors import DomainError
from erp.kernel.invariants import check
from exceptions.models import ExceptionCase
from exceptions.selectors import INVARIANTS, Pace, types_at
from exceptions.services import sweep
from finance.models import Invoice
from finance.services import (
    adjust_stock,
    deliver_shipments,
    post_payment,
    receive_purchase_order,
    ship_shipments,
)
from inventory.models import Product, Shipment, ShipmentLine
from inventory.services import Pack, Pick, ShortPick, pack_shipments
from orders.models import Order, OrderLine
from orders.services import cancel_order, pick_shipments
from procurement.models import PurchaseOrder
from procurement.services import reschedule_order
from tests.exceptions.factories import person
from tests.finance import factories
from tests.procurement import factories as purchases

pytestmark = pytest.mark.django_db
STEPS = 60


class Week:
    """Draws what happens next; a refusal of the business is a thing that happens, too."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.where = factories.world(limit="6000")
        self.lead = person("kim", "operations_lead", entity=self.where.entity)
        for name, role in (("pia", "planner"), ("cora", "credit"), ("wim", "warehouse")):
            person(name, role, entity=self.where.entity)
        self.items = [
            factories.product(self.where, on_hand=str(self.random.randint(0, 40))) for _ in range(5)
        ]
        self.acts: list[Callable[[], object]] = [
            self.order, self.order, self.order, self.pick, self.pick, self.ship, self.deliver,
            self.cancel, self.find, self.lose, self.buy, self.receive, self.reschedule, self.pay,
        ]  # fmt: skip
        self.done = 0

    def step(self) -> None:
        with suppress(DomainError):
            self.done += self.random.choice(self.acts)() is not None

    def one(self, found: Any) -> Any:
        return self.random.choice(found) if found else None

    def item(self) -> Product:
        return self.random.choice(self.items)

    def order(self) -> object:
        lines = [
            (item, str(self.random.randint(1, 30)), str(self.random.randint(3, 90)))
            for item in self.random.sample(self.items, self.random.randint(1, 3))
        ]
        return factories.released(self.where, *lines, now=timezone.now())

    def pick(self) -> object:
        shipment = self.one(list(Shipment.objects.filter(state="planned").order_by("id")))
        if shipment is None:
            return None
        line = self.one(list(ShipmentLine.objects.filter(shipment=shipment).order_by("id")))
        shorts = []
        if line and self.random.random() < 0.4:
            found = Decimal(self.random.randint(0, int(line.quantity) - 1)) if line.quantity else 0
            reason = self.random.choice(["not_found", "damaged"])
            shorts = [ShortPick(line_id=line.pk, picked=Decimal(found), reason=reason)]
        picks = [Pick(shipment_id=shipment.pk, shorts=shorts)]
        return pick_shipments(picks=picks, actor=self.lead, now=timezone.now())

    def ship(self) -> object:
        shipment = self.one(list(Shipment.objects.filter(state="picked").order_by("id")))
        if shipment is None:
            return None
        pack_shipments(packs=[Pack(shipment_id=shipment.pk)], actor=self.lead, now=timezone.now())
        return ship_shipments(shipment_ids=[shipment.pk], actor=self.lead, now=timezone.now())

    def deliver(self) -> object:
        shipment = self.one(list(Shipment.objects.filter(state="shipped").order_by("id")))
        if shipment is None:
            return None
        return deliver_shipments(shipment_ids=[shipment.pk], actor=self.lead, now=timezone.now())

    def cancel(self) -> object:
        live = Order.objects.exclude(state__in=["cancelled", "closed", "invoiced", "shipped"])
        found = self.one(list(live.order_by("id")))
        return found and cancel_order(
            order_id=found.pk, actor=None, reason="Not wanted", now=timezone.now()
        )

    def find(self) -> object:
        return self.count(str(self.random.randint(1, 25)))

    def lose(self) -> object:
        return self.count(str(-self.random.randint(1, 5)))

    def count(self, quantity: str) -> object:
        change = factories.adjustment(self.where, self.item(), quantity, "2")
        return adjust_stock(adjustments=[change], kind="adjustment", actor=None, now=timezone.now())

    def buy(self) -> object:
        made = purchases.make_sent_order(entity=self.where.entity)
        made.lines.update(product=self.item())
        return made

    def purchase(self) -> PurchaseOrder | None:
        states = ["sent", "acknowledged", "partly_received"]
        return self.one(list(PurchaseOrder.objects.filter(state__in=states).order_by("id")))

    def receive(self) -> object:
        found = self.purchase()
        if found is None:
            return None
        (line,) = found.lines.all()
        came = Decimal(self.random.randint(1, int(line.quantity - line.received)))
        return receive_purchase_order(
            order_id=found.pk, lines=[(line.pk, came)], actor=self.lead, now=timezone.now()
        )

    def reschedule(self) -> object:
        found = self.purchase()
        if found is None:
            return None
        day = timezone.localdate() + timedelta(days=self.random.randint(1, 20))
        dates = {line.pk: day for line in found.lines.all()}
        return reschedule_order(order_id=found.pk, dates=dates, actor=None, now=timezone.now())

    def pay(self) -> object:
        invoice = self.one(list(Invoice.objects.filter(state="posted").order_by("id")))
        return invoice and post_payment(
            entity_id=self.where.entity.pk, customer_id=self.where.customer.pk,
            amount=invoice.total, reference=f"PAY-{self.random.random()}",
            received_date=timezone.localdate(), actor=None, now=timezone.now(),
        )  # fmt: skip


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_a_sweep_finds_nothing_that_events_missed(
    seed: int, deliver_all: Callable[[], int]
) -> None:
    ensure_builtin_policies(now=timezone.now())
    week = Week(seed)

    for _ in range(STEPS):
        week.step()
        if week.random.random() < 0.5:  # facts come late as well, and in heaps
            deliver_all()
    deliver_all()

    assert week.done > STEPS / 2
    types = set(ExceptionCase.objects.values_list("type", flat=True))
    assert {"orders.shortage", "inventory.short_pick"} <= types
    assert ExceptionCase.objects.filter(state="resolved", resolved_by=None).exists()
    swept = sweep(now=timezone.now(), types=types_at(Pace.EVENTS))
    assert (swept.opened, swept.cleared) == ({}, {})
    assert [one.code for one in INVARIANTS if check(one).violations] == []
    assert OrderLine.objects.filter(waiting__gt=0).exists()
