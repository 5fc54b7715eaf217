"""procurement/services/_replenishing.py: what fell to its reorder point is proposed, once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from threading import Barrier

import pytest
from django.db import connection

from erp.governance.models import AuditEntry
from erp.outbox.models import Message
from inventory.models import Stock
from procurement.models import PurchaseProposal, WaitingDemand
from procurement.services import (
    Waiting,
    accept_proposals,
    cancel_order,
    note_served,
    note_waiting,
    reject_proposal,
    replenish,
    upsert_suppliers,
)
from procurement.services._mastering import SupplierRow
from tests.conftest import NOW
from tests.procurement.factories import make_need, make_offer, make_supplier


@pytest.mark.django_db
class TestReplenish:
    def test_proposes_up_to_the_level(self) -> None:
        need = make_need(on_hand="12", reserved="2", lead_time_days=9)

        (proposal_id,) = replenish(keys=[need.key], now=NOW)

        proposal = PurchaseProposal.objects.get(pk=proposal_id)
        assert proposal.quantity == 40
        assert proposal.supplier == need.supplier
        assert proposal.unit_price == Decimal("2.5")
        assert proposal.need_by == (NOW + timedelta(days=9)).date()
        assert proposal.reasons["projected"] == "10.000"
        assert Message.objects.filter(name="procurement.purchase_proposed").count() == 1
        assert AuditEntry.objects.filter(action="procurement.propose").count() == 1

    def test_leaves_alone_what_stands_above_the_point(self) -> None:
        need = make_need(on_hand="10.001")

        assert replenish(keys=[need.key], now=NOW) == []
        assert not PurchaseProposal.objects.exists()

    def test_buys_what_the_supplier_sells(self) -> None:
        need = make_need(on_hand="5", moq=Decimal(60), multiple=Decimal(25))

        replenish(keys=[need.key], now=NOW)

        assert PurchaseProposal.objects.get().quantity == 75

    def test_does_not_propose_twice(self) -> None:
        need = make_need()
        replenish(keys=[need.key], now=NOW)

        assert replenish(keys=[need.key], now=NOW) == []
        assert PurchaseProposal.objects.count() == 1

    def test_counts_what_is_on_order(self) -> None:
        need = make_need()
        (proposal,) = replenish(keys=[need.key], now=NOW)
        accept_proposals(proposal_ids=[proposal], actor=None, now=NOW)

        assert replenish(keys=[need.key], now=NOW) == []

    def test_proposes_again_once_the_order_is_cancelled(self) -> None:
        need = make_need()
        (proposal,) = replenish(keys=[need.key], now=NOW)
        (order,) = accept_proposals(proposal_ids=[proposal], actor=None, now=NOW)

        cancel_order(order_id=order.id, actor=None, reason="wrong", now=NOW)

        assert PurchaseProposal.objects.filter(state="open").count() == 1

    def test_respects_a_rejection_for_a_week_unless_it_gets_worse(self) -> None:
        need = make_need(on_hand="8")
        (proposal,) = replenish(keys=[need.key], now=NOW)
        reject_proposal(proposal_id=proposal, actor=None, reason="end of life", now=NOW)

        assert replenish(keys=[need.key], now=NOW) == []
        Stock.objects.filter(product=need.product).update(on_hand=7)
        worse = replenish(keys=[need.key], now=NOW)
        assert len(worse) == 1
        reject_proposal(proposal_id=worse[0], actor=None, reason="no", now=NOW)
        assert len(replenish(keys=[need.key], now=NOW + timedelta(days=8))) == 1

    def test_takes_the_best_supplier_that_is_not_blocked(self) -> None:
        need = make_need(rank=2)
        blocked = make_supplier(is_blocked=True)
        best = make_supplier()
        make_offer(need.entity, need.product, blocked, rank=1)
        make_offer(need.entity, need.product, best, rank=1, unit_price=Decimal(9))

        replenish(keys=[need.key], now=NOW)

        proposal = PurchaseProposal.objects.get()
        assert proposal.supplier == best
        assert proposal.reasons["other_offers"] == 1

    def test_leaves_alone_what_nobody_offers(self) -> None:
        need = make_need(offered=False)
        upsert_suppliers(suppliers=[SupplierRow(code="X", name="X")])

        assert replenish(keys=[need.key], now=NOW) == []

    def test_touches_only_the_keys_it_is_given(self) -> None:
        need, other = make_need(), make_need()

        replenish(keys=[need.key], now=NOW)

        assert PurchaseProposal.objects.get().product == need.product
        assert other.product != need.product

    def test_the_nightly_run_finds_nothing_to_add(self) -> None:
        needs = [make_need(on_hand=str(stock)) for stock in (0, 9, 10, 11)]
        replenish(keys=[need.key for need in needs], now=NOW)

        assert replenish(keys=None, now=NOW) == []
        assert PurchaseProposal.objects.count() == 3

    def test_takes_the_same_number_of_statements_for_many(self, django_assert_num_queries) -> None:
        keys = [make_need().key for _ in range(20)]

        with django_assert_num_queries(6):  # a savepoint is two of them
            assert len(replenish(keys=keys, now=NOW)) == 20


@pytest.mark.django_db
class TestNoteWaiting:
    def waiting(self, need, quantity: str, demand_id: int = 1) -> Waiting:
        return Waiting("orders.line", demand_id, need.entity.pk, need.product.pk, Decimal(quantity))

    def test_buys_for_who_waits(self) -> None:
        need = make_need(on_hand="15")

        note_waiting(demands=[self.waiting(need, "30")], now=NOW)

        proposal = PurchaseProposal.objects.get()
        assert proposal.quantity == 65
        assert proposal.reasons["waiting"] == "30.000"

    def test_the_last_word_counts(self) -> None:
        need = make_need(on_hand="100")
        note_waiting(demands=[self.waiting(need, "30")], now=NOW)

        note_waiting(demands=[self.waiting(need, "20"), self.waiting(need, "5")], now=NOW)

        assert WaitingDemand.objects.get().quantity == 5

    def test_forgets_who_waits_no_longer(self) -> None:
        need = make_need(on_hand="100")
        note_waiting(demands=[self.waiting(need, "30")], now=NOW)

        note_waiting(demands=[self.waiting(need, "0")], now=NOW)

        assert not WaitingDemand.objects.exists()

    def test_forgets_who_was_served(self) -> None:
        need = make_need(on_hand="100")
        note_waiting(demands=[self.waiting(need, "30"), self.waiting(need, "1", 2)], now=NOW)

        assert note_served(demand_kind="orders.line", demand_ids=[1, 9]) == 1

        assert WaitingDemand.objects.get().demand_id == 2

    def test_counts_a_demand_without_a_node_once(self) -> None:
        need = make_need(on_hand="15")
        other = make_need(on_hand="15")
        twin = make_need(on_hand="15", entity=need.entity)
        WaitingDemand.objects.all().delete()
        from procurement.services import RuleRow, upsert_rules  # noqa: PLC0415

        upsert_rules(
            rules=[
                RuleRow(
                    entity_id=need.entity.pk,
                    node_id=twin.node.pk,
                    product_id=need.product.pk,
                    reorder_point=Decimal(0),
                    order_up_to=Decimal(20),
                )
            ]
        )
        Stock.objects.create(
            entity=need.entity, node=twin.node, product=need.product, on_hand=Decimal(1)
        )

        note_waiting(demands=[self.waiting(need, "30")], now=NOW)

        assert PurchaseProposal.objects.get().node == need.node
        assert other.entity == need.entity


@pytest.mark.django_db(transaction=True)
class TestTogether:
    def test_two_workers_make_one_proposal(self) -> None:
        needs = [make_need() for _ in range(5)]
        keys = [need.key for need in needs]
        ready = Barrier(4)

        def work(number: int) -> list[int]:
            try:
                ready.wait()
                return replenish(keys=keys if number % 2 else list(reversed(keys)), now=NOW)
            finally:
                connection.close()

        with ThreadPoolExecutor(4) as pool:
            made = [pk for found in pool.map(work, range(4)) for pk in found]

        assert len(made) == 5
        assert PurchaseProposal.objects.count() == 5

    def test_accepting_at_the_same_moment_makes_no_second_proposal(self) -> None:
        for _ in range(10):
            need = make_need()
            (proposal,) = replenish(keys=[need.key], now=NOW)
            ready = Barrier(2)

            def accept(proposal: int = proposal, ready: Barrier = ready) -> None:
                try:
                    ready.wait()
                    accept_proposals(proposal_ids=[proposal], actor=None, now=NOW)
                finally:
                    connection.close()

            def again(key=need.key, ready: Barrier = ready) -> list[int]:
                try:
                    ready.wait()
                    return replenish(keys=[key], now=NOW)
                finally:
                    connection.close()

            with ThreadPoolExecutor(2) as pool:
                accepted, found = pool.submit(accept), pool.submit(again)
                accepted.result()
                assert found.result() == []
