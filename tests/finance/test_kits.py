"""A kit from the order to its invoice: one price, its components beneath, the books in balance."""

from decimal import Decimal

import pytest

from erp.insight.selectors import verify_all
from finance.models import Invoice
from finance.selectors import invoice_by_id
from finance.services import invoice_pdf
from orders.services.kitting import KitPart, save_kit
from tests.finance import factories as make

pytestmark = pytest.mark.django_db


def test_the_invoice_shows_the_kit_with_its_price_and_its_components_beneath() -> None:
    where = make.world()
    kit, one, two = (make.product(where) for _ in range(3))
    parts = [KitPart(one.pk, Decimal(3)), KitPart(two.pk, Decimal(1))]
    save_kit(product_id=kit.pk, parts=parts, actor=None, now=make.NOW)

    make.invoiced(where, (kit, "2", "9.9900"), (one, "1", "5"))

    page = invoice_by_id(invoice_id=Invoice.objects.get().pk, entity_ids=[where.entity.pk])
    assert page is not None
    printed = [
        (each.row.product_code, each.row.quantity, each.is_component) for each in page.printed
    ]
    assert printed == [
        (kit.code, 2, False),
        (one.code, 6, True),
        (two.code, 2, True),
        (one.code, 1, False),
    ]
    (shown,) = page.kits
    assert (shown.unit_price, shown.amount, page.net) == (
        Decimal("9.99"),
        Decimal("19.98"),
        Decimal("24.98"),
    )
    assert invoice_pdf(invoice=page).startswith(b"%PDF-")
    assert [finding.code for finding in verify_all() if finding.violations] == []
