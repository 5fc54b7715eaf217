"""Stock at cost equals the ledger to the cent, whatever comes and goes."""

from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from erp.kernel.sql import rows
from finance.models import Invoice, JournalLine
from finance.services import adjust_stock, invoice_shipments, post_payment, ship_shipments
from inventory.models import ProductCost
from tests.finance import factories
from tests.finance.factories import NOW, TODAY, adjustment, balance, drift, packed, product

steps = st.lists(
    st.one_of(
        st.tuples(
            st.just("found"),
            st.decimals("0.001", "20", places=3),
            st.decimals("0", "9.9999", places=4),
        ),
        st.tuples(
            st.just("sold"),
            st.decimals("0.001", "15", places=3),
            st.decimals("0", "9.9999", places=4),
        ),
    ),
    min_size=1,
    max_size=6,
)


@pytest.mark.django_db
class TestStockValue(TestCase):
    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
    @given(steps)
    def test_equals_the_ledger(self, each: list[tuple[str, Decimal, Decimal]]) -> None:
        world = factories.world()
        goods = product(world, on_hand="30", unit_value="1.3333")
        for verb, quantity, price in each:
            if verb == "found":
                found = adjustment(world, goods, str(quantity), str(price))
                adjust_stock(adjustments=[found], kind="adjustment", actor=None, now=NOW)
            else:
                _, shipments = packed(world, (goods, str(quantity), str(price)))
                ship_shipments(shipment_ids=shipments, actor=None, now=NOW)
        at_cost = ProductCost.objects.get(product=goods, entity=world.entity)

        assert balance(world, "inventory") == at_cost.value
        left = rows("SELECT coalesce(sum(cost), 0) FROM inventory_shipmentline")[0][0]
        assert balance(world, "cost") == left
        assert drift() == {}

        invoice_shipments(shipment_ids=None, now=NOW)
        owed = sum(Invoice.objects.values_list("total", flat=True), Decimal(0))
        assert balance(world, "unbilled") == 0
        if owed:
            post_payment(
                entity_id=world.entity.pk, customer_id=world.customer.pk, amount=owed,
                reference="ALL", received_date=TODAY, actor=None, now=NOW,
            )  # fmt: skip
        assert balance(world, "receivable") == 0
        assert drift() == {}
        sides = JournalLine.objects.values_list("debit", "credit")
        assert sum(debit - credit for debit, credit in sides) == 0
