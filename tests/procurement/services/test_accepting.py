"""procurement/services/_accepting.py: proposals become purchase orders, or not."""

from decimal import Decimal

import pytest

from erp.governance.models import AuditEntry
from procurement.models import PurchaseOrder, PurchaseProposal, Supplier
from procurement.services import (
    BadProposal,
    ProposalClosed,
    accept_proposals,
    reject_proposal,
    replenish,
)
from tests.conftest import NOW
from tests.procurement.factories import Need, make_entity, make_need, make_node, make_supplier

pytestmark = pytest.mark.django_db


def proposals(*needs: Need) -> list[int]:
    return replenish(keys=[need.key for need in needs], now=NOW)


class TestAcceptProposals:
    def test_consolidates_by_supplier_and_node(self) -> None:
        entity, supplier = make_entity(), make_supplier()
        node, other_node = make_node(entity), make_node(entity)
        together = [make_need(node=node, supplier=supplier) for _ in range(2)]
        apart = make_need(node=other_node, supplier=supplier)
        ids = proposals(*together, apart)

        orders = accept_proposals(proposal_ids=ids, actor=None, now=NOW)

        assert [len(order.proposal_ids) for order in orders] == [2, 1]
        order = PurchaseOrder.objects.get(pk=orders[0].id)
        assert order.state == "draft"
        assert order.total == Decimal("250.00")
        assert [line.position for line in order.lines.order_by("position")] == [1, 2]
        assert not PurchaseProposal.objects.filter(state="open").exists()
        assert AuditEntry.objects.filter(thread=f"procurement.order:{order.pk}").count() == 1

    def test_takes_another_quantity(self) -> None:
        (proposal,) = proposals(make_need())

        (order,) = accept_proposals(
            proposal_ids=[proposal], actor=None, now=NOW, quantities={proposal: Decimal(7)}
        )

        assert PurchaseOrder.objects.get(pk=order.id).lines.get().quantity == 7
        assert PurchaseOrder.objects.get(pk=order.id).total == Decimal("17.50")

    def test_repeated_it_returns_the_same_orders(self) -> None:
        ids = proposals(make_need(), make_need())
        first = accept_proposals(proposal_ids=ids, actor=None, now=NOW)

        again = accept_proposals(proposal_ids=ids, actor=None, now=NOW)

        assert [(o.id, o.number) for o in again] == [(o.id, o.number) for o in first]
        assert PurchaseOrder.objects.count() == 2

    def test_refuses_a_rejected_one_and_leaves_the_others(self) -> None:
        ids = proposals(make_need(), make_need())
        reject_proposal(proposal_id=ids[0], actor=None, reason="no", now=NOW)

        with pytest.raises(ProposalClosed):
            accept_proposals(proposal_ids=ids, actor=None, now=NOW)

        assert PurchaseProposal.objects.get(pk=ids[1]).state == "open"
        assert not PurchaseOrder.objects.exists()

    @pytest.mark.parametrize("quantity", ["0", "-1", "NaN"])
    def test_refuses_a_quantity_that_is_none(self, quantity: str) -> None:
        (proposal,) = proposals(make_need())

        with pytest.raises(BadProposal):
            accept_proposals(
                proposal_ids=[proposal],
                actor=None,
                now=NOW,
                quantities={proposal: Decimal(quantity)},
            )

        assert PurchaseProposal.objects.get().state == "open"

    def test_refuses_a_supplier_blocked_since(self) -> None:
        (proposal,) = proposals(make_need())
        Supplier.objects.update(is_blocked=True)

        with pytest.raises(BadProposal, match="blocked"):
            accept_proposals(proposal_ids=[proposal], actor=None, now=NOW)

    def test_refuses_what_is_not_there(self) -> None:
        with pytest.raises(BadProposal):
            accept_proposals(proposal_ids=[999_999], actor=None, now=NOW)


class TestRejectProposal:
    def test_keeps_the_reason(self) -> None:
        (proposal,) = proposals(make_need())

        reject_proposal(proposal_id=proposal, actor=None, reason=" end of life ", now=NOW)
        reject_proposal(proposal_id=proposal, actor=None, reason="again", now=NOW)

        rejected = PurchaseProposal.objects.get()
        assert (rejected.state, rejected.decision_reason) == ("rejected", "end of life")

    def test_refuses_without_a_reason(self) -> None:
        (proposal,) = proposals(make_need())

        with pytest.raises(BadProposal):
            reject_proposal(proposal_id=proposal, actor=None, reason="  ", now=NOW)

        assert PurchaseProposal.objects.get().state == "open"

    def test_refuses_what_was_accepted(self) -> None:
        (proposal,) = proposals(make_need())
        accept_proposals(proposal_ids=[proposal], actor=None, now=NOW)

        with pytest.raises(ProposalClosed):
            reject_proposal(proposal_id=proposal, actor=None, reason="late", now=NOW)
