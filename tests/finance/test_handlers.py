"""Tests finance/handlers.py and tasks.py: invoices follow shipments by themselves."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

from django.utils import timezone

from finance.models import Invoice
from finance.services import post_payment, ship_shipments
from finance.tasks import age
from orders.models import CreditAccount, Order
from orders.services import cancel_order
from tests.finance.factories import (
    NOW,
    TODAY,
    World,
    allocated,
    drift,
    invoiced,
    pack,
    product,
    shipments_of,
    shipped,
)


class TestInvoiceWhatLeft:
    def test_follows_the_shipment_and_repeats_nothing(
        self, world: World, deliver_all: Callable[[], int]
    ) -> None:
        order, _ = shipped(world, (product(world), "4", "9.99"))

        deliver_all()
        deliver_all()

        assert Invoice.objects.get().state == "posted"
        assert Order.objects.get(pk=order.pk).state == "invoiced"
        assert drift() == {}


class TestCloseWhatWasPaid:
    def test_closes_an_order_whose_rest_was_cancelled(
        self, world: World, deliver_all: Callable[[], int]
    ) -> None:
        goods = product(world, on_hand="1")
        order = allocated(world, (goods, "2", "10"))
        ship_shipments(shipment_ids=pack(shipments_of(order)), actor=None, now=NOW)
        deliver_all()
        post_payment(
            entity_id=world.entity.pk, customer_id=world.customer.pk, amount=Decimal(10),
            reference="R", received_date=TODAY, actor=None, now=NOW,
        )  # fmt: skip
        assert Order.objects.get(pk=order.pk).state != "closed"

        cancel_order(order_id=order.pk, actor=None, reason="No more of it", now=NOW)
        deliver_all()

        assert Order.objects.get(pk=order.pk).state == "closed"
        assert drift() == {}


class TestAge:
    def test_notes_what_became_overdue_and_what_was_paid(self, world: World) -> None:
        long_ago = timezone.now() - timedelta(days=60)
        invoiced(world, (product(world), "4", "10"), now=long_ago)

        age()
        account = CreditAccount.objects.get(pk=world.account_id)
        assert (account.overdue_amount, account.overdue_since) == (
            Decimal(40), (long_ago + timedelta(days=30)).date(),
        )  # fmt: skip
        post_payment(
            entity_id=world.entity.pk, customer_id=world.customer.pk, amount=Decimal(40),
            reference="R", received_date=TODAY, actor=None, now=timezone.now(),
        )  # fmt: skip

        assert CreditAccount.objects.get(pk=world.account_id).overdue_amount == 0
