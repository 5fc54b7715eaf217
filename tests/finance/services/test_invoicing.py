"""Tests finance/services/_invoicing.py."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import IntegrityError, InternalError, transaction
from django.utils import timezone

from erp.governance.models import AuditEntry
from erp.kernel.sql import run
from erp.outbox.models import Message
from finance.models import Invoice, InvoiceLine, JournalEntry
from finance.services import PeriodClosed, adjust_stock, invoice_shipments, ship_shipments
from finance.tasks import invoice as invoice_task
from orders.models import CreditAccount, Order
from orders.services import allocate_waiting
from tests.finance import factories
from tests.finance.factories import (
    NOW,
    World,
    adjustment,
    allocated,
    balance,
    close_month,
    drift,
    entry,
    pack,
    product,
    shipments_of,
    shipped,
)


class TestInvoiceShipments:
    def test_posts_receivable_against_the_accrual_and_freight_apart(self, world: World) -> None:
        order, shipments = shipped(world, (product(world), "4", "9.99"), freight="7.50")

        done = invoice_shipments(shipment_ids=shipments, now=NOW)

        assert [(each.number, each.total) for each in done] == [
            ("INV-US01-000001", Decimal("47.46"))
        ]
        assert entry("finance.invoice", done[0].invoice_id) == {
            "receivable": Decimal("47.46"),
            "unbilled": Decimal("-39.96"),
            "freight": Decimal("-7.50"),
        }
        posted = Invoice.objects.get()
        assert (posted.state, posted.invoice_date) == ("posted", date(2026, 11, 22))
        assert posted.due_date == date(2026, 12, 22)
        assert Order.objects.get(pk=order.pk).state == "invoiced"
        account = CreditAccount.objects.get(pk=world.account_id)
        assert (account.unbilled, account.receivable) == (Decimal(0), Decimal("47.46"))
        assert drift() == {}

    def test_tells_and_records_it(self, world: World) -> None:
        order, shipments = shipped(world, (product(world), "4", "9.99"))

        done = invoice_shipments(shipment_ids=shipments, now=NOW)

        told = Message.objects.get(name="finance.invoice_posted")
        assert told.payload["number"] == done[0].number
        audit = AuditEntry.objects.get(action="finance.post_invoice")
        assert audit.thread == f"orders.order:{order.pk}"

    def test_invoices_once(self, world: World) -> None:
        _, shipments = shipped(world, (product(world), "4", "9.99"))
        invoice_shipments(shipment_ids=shipments, now=NOW)

        again = invoice_shipments(shipment_ids=shipments, now=NOW)

        assert again == []
        assert invoice_shipments(shipment_ids=None, now=NOW) == []
        assert JournalEntry.objects.filter(kind="invoice").count() == 1

    def test_takes_what_waits_in_batches(self, world: World) -> None:
        for _ in range(3):
            shipped(world, (product(world), "1", "5"))

        done = invoice_shipments(shipment_ids=None, limit=2, now=NOW)

        assert [each.number for each in done] == ["INV-US01-000001", "INV-US01-000002"]
        assert Invoice.objects.filter(state="draft").count() == 1

    def test_charges_freight_on_the_first_invoice_alone(self, world: World) -> None:
        goods = product(world, on_hand="1")
        order = allocated(world, (goods, "2", "10"), freight="8")
        ship_shipments(shipment_ids=pack(shipments_of(order)), actor=None, now=NOW)
        invoice_shipments(shipment_ids=None, now=NOW)
        adjust_stock(
            adjustments=[adjustment(world, goods, "1")], kind="adjustment", actor=None, now=NOW
        )
        allocate_waiting(entity_id=world.entity.pk, product_ids={goods.pk}, cause="test", now=NOW)
        ship_shipments(shipment_ids=pack(shipments_of(order)), actor=None, now=NOW)

        invoice_shipments(shipment_ids=None, now=NOW)

        freights = Invoice.objects.order_by("id").values_list("freight", "total")
        assert list(freights) == [(Decimal(8), Decimal(18)), (Decimal(0), Decimal(10))]
        assert Order.objects.get(pk=order.pk).state == "invoiced"
        assert drift() == {}

    def test_charges_freight_once_when_both_are_invoiced_together(self, world: World) -> None:
        goods = product(world, on_hand="1")
        order = allocated(world, (goods, "2", "10"), freight="8")
        ship_shipments(shipment_ids=pack(shipments_of(order)), actor=None, now=NOW)
        adjust_stock(
            adjustments=[adjustment(world, goods, "1")], kind="adjustment", actor=None, now=NOW
        )
        allocate_waiting(entity_id=world.entity.pk, product_ids={goods.pk}, cause="test", now=NOW)
        ship_shipments(shipment_ids=pack(shipments_of(order)), actor=None, now=NOW)

        done = invoice_shipments(shipment_ids=None, now=NOW)

        assert [each.total for each in done] == [Decimal(18), Decimal(10)]
        assert drift() == {}

    def test_numbers_each_entity_on_its_own(self, world: World) -> None:
        other = factories.world("DE01", "EUR")
        shipped(world, (product(world), "1", "5"))
        shipped(other, (product(other), "1", "5"))

        done = invoice_shipments(shipment_ids=None, now=NOW)

        assert sorted(each.number for each in done) == ["INV-DE01-000001", "INV-US01-000001"]
        assert {each.currency for each in done} == {"EUR", "USD"}
        assert drift() == {}

    def test_refuses_a_closed_month_and_takes_no_number(self, world: World) -> None:
        _, shipments = shipped(world, (product(world), "1", "5"))
        close_month("2026-11-01")

        with pytest.raises(PeriodClosed), transaction.atomic():
            invoice_shipments(shipment_ids=shipments, now=NOW)

        assert Invoice.objects.get().state == "draft"
        assert balance(world, "unbilled") == Decimal(5)
        assert drift() == {}


class TestTheInvoiceItself:
    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE finance_invoice SET total = total + 1, net = net + 1",
            "UPDATE finance_invoice SET number = 'INV-X'",
            "UPDATE finance_invoice SET state = 'draft'",
            "UPDATE finance_invoice SET invoice_date = '2026-01-01'",
            "DELETE FROM finance_invoiceline; DELETE FROM finance_invoice",
            "UPDATE finance_invoiceline SET amount = 0",
        ],
    )
    def test_stands_once_posted(self, world: World, statement: str) -> None:
        _, shipments = shipped(world, (product(world), "1", "5"))
        invoice_shipments(shipment_ids=shipments, now=NOW)

        with pytest.raises(InternalError, match="Cannot"), transaction.atomic():
            run(statement)

        assert Invoice.objects.get().total == Decimal(5)

    def test_bills_a_shipment_line_once(self, world: World) -> None:
        shipped(world, (product(world), "1", "5"))
        line = InvoiceLine.objects.get()

        with pytest.raises(IntegrityError), transaction.atomic():
            InvoiceLine.objects.create(
                invoice=line.invoice, shipment_line_id=line.shipment_line_id,
                order_line_id=line.order_line_id, product_id=line.product_id,
                quantity=1, unit_price=5, amount=5,
            )  # fmt: skip


class TestInvoiceTask:
    def test_skips_the_entity_whose_books_are_closed(self, world: World) -> None:
        other = factories.world("DE01", "EUR")
        shipped(world, (product(world), "1", "5"))
        shipped(other, (product(other), "1", "5"))
        close_month(f"{timezone.now():%Y-%m}-01", world.entity)

        invoice_task()

        assert list(Invoice.objects.exclude(state="draft").values_list("entity", flat=True)) == [
            other.entity.pk
        ]
