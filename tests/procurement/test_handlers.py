"""procurement/handlers.py: what procurement does about facts from below."""

import pytest

from erp.kernel.invariants import check
from erp.outbox.publishing import publish
from inventory.events import StockFell
from procurement.models import PurchaseProposal
from procurement.selectors import INVARIANTS, incoming, lead_time_days, waiting_count
from tests.procurement.factories import make_need, make_person, make_sent_order

pytestmark = pytest.mark.django_db


class TestReplenishWhatFell:
    def test_proposes_for_every_product_named(self, deliver_all) -> None:
        first, second = make_need(), make_need()
        for products in (f"{first.product.pk},{second.product.pk}", f"{first.product.pk}"):
            for need in (first, second):
                publish(
                    StockFell(entity_id=need.entity.pk, node_id=need.node.pk, product_ids=products)
                )

        deliver_all()
        deliver_all()

        assert PurchaseProposal.objects.count() == 2
        person = make_person("planner", first.entity)
        assert waiting_count(entity_ids=[first.entity.pk], user=person) == 2


class TestSelectors:
    def test_incoming_counts_what_was_sent(self) -> None:
        order = make_sent_order()
        line = order.lines.get()

        found = incoming(product_id=line.product_id, node_id=None, entity_id=order.entity_id)

        assert [(each.quantity, each.order_number) for each in found] == [(10, order.number)]
        assert incoming(product_id=line.product_id, node_id=0, entity_id=order.entity_id) == []

    def test_lead_time_is_that_of_the_supplier_to_be_chosen(self) -> None:
        need = make_need(lead_time_days=11)

        found = lead_time_days(product_id=need.product.pk, entity_id=need.entity.pk)

        assert found == 11
        assert lead_time_days(product_id=0, entity_id=need.entity.pk) is None

    @pytest.mark.parametrize("invariant", INVARIANTS, ids=lambda i: i.code)
    def test_every_promise_can_be_checked(self, invariant) -> None:
        make_sent_order()

        assert check(invariant).violations == 0
