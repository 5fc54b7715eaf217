"""procurement/services/_approving.py: agreeing to purchase orders."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from threading import Barrier

import pytest
from django.db import IntegrityError, connection, transaction
from django_fsm import TransitionNotAllowed

from erp.accounts.models import User
from erp.governance.models import Approval
from erp.governance.services import (
    AlreadyDecided,
    DocumentChanged,
    NotYours,
    OwnRequest,
    ReasonMissing,
    activate_version,
    approve,
    reject,
    write_version,
)
from erp.kernel.errors import DomainError
from procurement import permissions
from procurement.models import PurchaseOrder
from procurement.services import approve_order, cancel_order, reject_order, submit_order
from tests.conftest import NOW
from tests.procurement.factories import make_entity, make_order, make_person


@pytest.fixture
def buyer(db: None) -> User:
    return make_person("buyer", make_entity(), permissions.WRITE)


@pytest.fixture
def boss(db: None) -> User:
    return make_person("boss", make_entity(), permissions.APPROVE)


@pytest.fixture
def submitted(buyer) -> PurchaseOrder:
    order = make_order(actor=buyer)
    return submit_order(order_id=order.pk, actor=buyer, now=NOW)


def state_of(order: PurchaseOrder) -> str:
    return PurchaseOrder.objects.get(pk=order.pk).state


class TestSubmitOrder:
    def test_asks_for_what_the_policy_wants(self, submitted, buyer) -> None:
        request = Approval.objects.get()

        assert submitted.state == "pending"
        assert request.permission == permissions.APPROVE
        assert request.requested_by == buyer
        assert request.amount == Decimal(25)
        assert request.policy_version == "procurement.approval v1"

    @pytest.mark.parametrize(
        ("price", "permission"),
        [("25000", permissions.APPROVE), ("25000.01", permissions.APPROVE_LARGE)],
    )
    def test_a_cent_more_needs_another_permission(self, buyer, price: str, permission: str) -> None:
        order = make_order(actor=buyer, lines=[("1", price)])

        submit_order(order_id=order.pk, actor=buyer, now=NOW)

        assert Approval.objects.get().permission == permission

    def test_needs_nobody_where_the_policy_says_so(self, buyer, boss) -> None:
        entity = make_entity()
        row = {"auto": True, "permission": "", "role": ""}
        version = write_version(
            policy="procurement.approval",
            entity_id=entity.pk,
            table={"rows": [{"when": [], "then": row}]},
            author=buyer,
            now=NOW,
        )
        activate_version(version_id=version.pk, actor=boss, now=NOW)
        order = make_order(actor=buyer)

        submit_order(order_id=order.pk, actor=buyer, now=NOW)

        assert state_of(order) == "approved"
        assert not Approval.objects.exists()

    def test_repeated_it_asks_once(self, submitted, buyer) -> None:
        submit_order(order_id=submitted.pk, actor=buyer, now=NOW)

        assert Approval.objects.count() == 1


class TestApproveOrder:
    def test_somebody_else_approves(self, submitted, boss) -> None:
        approve_order(order_id=submitted.pk, actor=boss, now=NOW)
        approve_order(order_id=submitted.pk, actor=boss, now=NOW)

        assert state_of(submitted) == "approved"
        assert Approval.objects.get().state == "approved"

    def test_refuses_the_author_even_as_superuser(self, submitted, buyer) -> None:
        buyer.is_superuser = True
        buyer.save()

        with pytest.raises(OwnRequest):
            approve_order(order_id=submitted.pk, actor=buyer, now=NOW)

        assert state_of(submitted) == "pending"
        assert Approval.objects.get().state == "pending"

    def test_refuses_the_author_when_another_submits(self, buyer) -> None:
        entity = make_entity()
        author = make_person("author", entity, permissions.APPROVE)
        order = make_order(actor=author)
        submit_order(order_id=order.pk, actor=buyer, now=NOW)

        with pytest.raises(OwnRequest):
            approve_order(order_id=order.pk, actor=author, now=NOW)

        assert state_of(order) == "pending"

    def test_refuses_a_second_account_of_the_same_employee(self, buyer) -> None:
        buyer.employee_ref = "E7"
        buyer.save()
        order = make_order(actor=buyer)
        submit_order(order_id=order.pk, actor=buyer, now=NOW)
        twin = make_person("buyer2", make_entity(), permissions.APPROVE, employee_ref="E7")

        with pytest.raises(OwnRequest):
            approve_order(order_id=order.pk, actor=twin, now=NOW)

    def test_refuses_who_does_not_hold_the_permission_there(self, submitted) -> None:
        elsewhere = make_person("far", make_entity("DE01", "EUR"), permissions.APPROVE)

        with pytest.raises(NotYours):
            approve_order(order_id=submitted.pk, actor=elsewhere, now=NOW)

        assert state_of(submitted) == "pending"

    def test_refuses_what_is_not_what_was_submitted(self, submitted, boss) -> None:
        submitted.lines.update(unit_price=Decimal(1_000))

        with pytest.raises(DocumentChanged):
            approve_order(order_id=submitted.pk, actor=boss, now=NOW)

        assert state_of(submitted) == "pending"

    def test_the_database_refuses_the_author_too(self, submitted, buyer) -> None:
        with pytest.raises(IntegrityError), transaction.atomic():
            PurchaseOrder.objects.filter(pk=submitted.pk).update(
                state="approved", approved_at=NOW, approved_by=buyer
            )

    def test_a_draft_cannot_be_approved(self, buyer, boss) -> None:
        with pytest.raises(TransitionNotAllowed):
            approve_order(order_id=make_order(actor=buyer).pk, actor=boss, now=NOW)


class TestRejectOrder:
    def test_sends_it_back(self, submitted, boss, buyer) -> None:
        reject_order(order_id=submitted.pk, actor=boss, reason="too dear", now=NOW)

        assert state_of(submitted) == "draft"
        assert Approval.objects.get().decision_reason == "too dear"
        submit_order(order_id=submitted.pk, actor=buyer, now=NOW)
        assert Approval.objects.filter(state="pending").count() == 1

    def test_wants_a_reason(self, submitted, boss) -> None:
        with pytest.raises(ReasonMissing):
            reject_order(order_id=submitted.pk, actor=boss, reason="", now=NOW)

        assert state_of(submitted) == "pending"


class TestFollowApproval:
    def test_the_inbox_approves_the_order(self, submitted, boss, deliver_all) -> None:
        request = Approval.objects.get()

        approve(approval_id=request.pk, actor=boss, fingerprint=request.fingerprint, now=NOW)
        deliver_all()

        order = PurchaseOrder.objects.get()
        assert (order.state, order.approved_by) == ("approved", boss)

    def test_the_inbox_sends_the_order_back(self, submitted, boss, deliver_all) -> None:
        reject(approval_id=Approval.objects.get().pk, actor=boss, reason="no", now=NOW)
        deliver_all()

        assert state_of(submitted) == "draft"

    def test_what_changed_meanwhile_goes_back(self, submitted, boss, deliver_all) -> None:
        request = Approval.objects.get()
        approve(approval_id=request.pk, actor=boss, fingerprint=request.fingerprint, now=NOW)
        submitted.lines.update(quantity=Decimal(5_000))
        deliver_all()

        assert state_of(submitted) == "draft"

    def test_cancelling_withdraws_the_request(self, submitted, boss, deliver_all) -> None:
        cancel_order(order_id=submitted.pk, actor=None, reason="not needed", now=NOW)
        deliver_all()

        request = Approval.objects.get()
        assert request.state == "void"
        with pytest.raises(AlreadyDecided):
            approve(approval_id=request.pk, actor=boss, fingerprint=request.fingerprint, now=NOW)
        assert state_of(submitted) == "cancelled"


@pytest.mark.django_db(transaction=True)
class TestTogether:
    def test_two_approvers_at_once_approve_once(self) -> None:
        entity = make_entity()
        order = make_order(actor=make_person("writer", entity, permissions.WRITE))
        submit_order(order_id=order.pk, actor=order.created_by, now=NOW)
        bosses = [make_person(f"b{n}", entity, permissions.APPROVE) for n in range(3)]
        ready = Barrier(len(bosses))

        def agree(boss) -> bool:
            try:
                ready.wait()
                approve_order(order_id=order.pk, actor=boss, now=NOW)
            except (DomainError, TransitionNotAllowed):
                return False
            else:
                return True
            finally:
                connection.close()

        with ThreadPoolExecutor(len(bosses)) as pool:
            outcomes = list(pool.map(agree, bosses))

        assert sorted(outcomes) == [False, False, True]
        assert state_of(order) == "approved"
