"""Tests finance/services/_printing.py."""

import time
from dataclasses import replace

import pytest
from django.core.cache import cache

from erp.kernel.sql import rows
from finance.models import Invoice
from finance.selectors import invoice, invoice_by_id, shipment_paper
from finance.services import invoice_pdf, packing_slip_pdf, shipment_labels
from tests.finance.factories import World, invoiced, packed, product, shipped


class TestInvoicePdf:
    def test_is_pdf_a_and_the_same_each_time(self, world: World) -> None:
        _, numbers = invoiced(world, (product(world), "4", "9.99"), freight="3")
        page = invoice(number=numbers[0], entity_ids=[world.entity.pk])
        assert page is not None

        first = invoice_pdf(invoice=page)
        cache.clear()
        second = invoice_pdf(invoice=page)

        assert first.startswith(b"%PDF-1.7")
        assert b"pdfaid:part" in first or b"pdfaid" in first
        assert first == second

    def test_prints_what_people_write_as_they_wrote_it(self, world: World) -> None:
        _, numbers = invoiced(world, (product(world), "4", "9.99"))
        page = invoice(number=numbers[0], entity_ids=[world.entity.pk])
        assert page is not None
        evil = replace(page, customer='#read("/etc/passwd") *x* $y$ [z] \\ "q" <script> ü €')

        assert invoice_pdf(invoice=evil).startswith(b"%PDF")

    def test_prints_200_lines_within_a_second(self, world: World) -> None:
        _, numbers = invoiced(world, (product(world), "4", "9.99"))
        page = invoice(number=numbers[0], entity_ids=[world.entity.pk])
        assert page is not None
        long = replace(page, lines=list(page.lines) * 200)
        invoice_pdf(invoice=page)

        started = time.process_time()
        invoice_pdf(invoice=long)

        assert time.process_time() - started < 1.0

    def test_prints_a_draft_as_one(self, world: World) -> None:
        shipped(world, (product(world), "4", "9.99"))
        draft = Invoice.objects.get()
        page = invoice_by_id(invoice_id=draft.pk, entity_ids=[world.entity.pk])
        assert page is not None

        assert invoice_pdf(invoice=page).startswith(b"%PDF")


class TestPackingSlip:
    @pytest.mark.parametrize("name", ["Müller & Söhne", "ACME <b>"])
    def test_prints_with_labels_for_each_carton(self, world: World, name: str) -> None:
        _, ids = packed(world, (product(world), "4", "9.99"))
        number = rows("SELECT number FROM inventory_shipment WHERE id = %s", [ids[0]])[0][0]
        paper = shipment_paper(number=number, entity_ids=[world.entity.pk])
        assert paper is not None
        paper = replace(paper, ship_to={"name": name, "city": "Köln"})

        assert packing_slip_pdf(shipment=paper).startswith(b"%PDF")
        labels = shipment_labels(shipment=paper)
        assert labels.count("^XA") == len(paper.cartons) == 1
        assert paper.cartons[0].sscc in labels
