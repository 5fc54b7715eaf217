"""erp/governance/views.py: the inbox, the policies, the audit trail, as people see them."""

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from erp.accounts.models import Entity, User
from erp.governance import permissions
from erp.governance.models import Approval, PolicyVersion
from erp.governance.services import Change, record, request_approval, write_version
from tests.conftest import NOW, grant

pytestmark = pytest.mark.django_db
MAY = "procurement.approve_purchase_order"


@pytest.fixture
def page(clerk: User, entity: Entity) -> Client:
    for permission in (
        permissions.VIEW_APPROVAL,
        permissions.VIEW_POLICY,
        permissions.VIEW_AUDIT,
        permissions.ACTIVATE_POLICY,
        MAY,
    ):
        grant(clerk, permission, entity)
    client = Client()
    client.force_login(clerk)
    return client


def ask(entity: Entity, **values: Any) -> Approval:
    asked = {
        "entity_id": entity.pk,
        "document_kind": "test.document",
        "document_id": 1,
        "label": "PO-1 · Acme",
        "permission": MAY,
        "role": "operations_lead",
        "amount": Decimal("12.50"),
        "currency": "USD",
        "consequence": "Acme is asked for 3 products.",
        "fingerprint": "f1",
        "requested_by": None,
        "now": NOW,
    }
    return request_approval(**asked | values)


class TestApprovals:
    def test_show_the_consequence_and_the_document(self, page: Client, entity: Entity) -> None:
        ask(entity, document_kind="procurement.order")

        shown = page.get("/governance/approvals/").content.decode()

        assert "Acme is asked for 3 products." in shown
        assert "/procurement/orders/PO-1/" in shown

    def test_are_approved_as_seen(self, page: Client, entity: Entity) -> None:
        approval = ask(entity)

        done = page.post(f"/governance/approvals/{approval.pk}/approve/", {"fingerprint": "f1"})

        assert done.status_code == 302
        assert Approval.objects.get().state == "approved"
        assert "approved" in page.get("/governance/approvals/").content.decode().lower()

    def test_are_void_when_the_document_changed(self, page: Client, entity: Entity) -> None:
        approval = ask(entity)

        done = page.post(f"/governance/approvals/{approval.pk}/approve/", {"fingerprint": "f0"})

        assert done.status_code == 409
        assert "changed after the request" in done.content.decode()
        assert Approval.objects.get().state == "void"

    def test_cannot_be_one_s_own(self, page: Client, entity: Entity, clerk: User) -> None:
        approval = ask(entity, requested_by=clerk)

        assert "yours" in page.get("/governance/approvals/").content.decode()
        done = page.post(f"/governance/approvals/{approval.pk}/approve/", {"fingerprint": "f1"})

        assert done.status_code == 409
        assert Approval.objects.get().state == "pending"

    def test_are_rejected_with_a_reason(self, page: Client, entity: Entity) -> None:
        at = f"/governance/approvals/{ask(entity).pk}/reject/"

        assert page.post(at, {"reason": ""}).status_code == 409
        assert page.post(at, {"reason": "too dear"}).status_code == 302
        assert Approval.objects.get().decision_reason == "too dear"

    def test_of_others_are_not_there(self, page: Client, entity: Entity) -> None:
        far = Entity.objects.create(code="DE01", name="DE", currency="EUR", country="DE")
        for approval in (ask(far), ask(entity, document_id=2, permission="finance.close_period")):
            at = f"/governance/approvals/{approval.pk}/approve/"
            assert page.post(at, {"fingerprint": "f1"}).status_code == 404
        assert set(Approval.objects.values_list("state", flat=True)) == {"pending"}


class TestPolicies:
    def test_show_the_table_in_words(self, page: Client) -> None:
        listed = page.get("/governance/policies/").content.decode()
        shown = page.get("/governance/policies/orders.release.credit/").content.decode()

        assert "orders.classify" in listed
        assert "exposure after &gt; limit" in shown
        assert "otherwise" in shown
        assert page.get("/governance/policies/no.such/").status_code == 404
        assert page.get("/governance/policies/orders.classify/?version=99").status_code == 404

    def test_are_put_into_force_by_somebody_else(
        self, page: Client, entity: Entity, clerk: User
    ) -> None:
        row = {"when": [], "then": {"hold": False, "owner_role": "", "reason": ""}}
        author = User.objects.create_user("author")
        for who in (author, clerk):
            write_version(
                policy="orders.release.credit",
                entity_id=entity.pk,
                table={"rows": [row]},
                author=who,
                now=NOW,
            )
        at = "/governance/policies/orders.release.credit"

        assert "Put into force" in page.get(f"{at}/?version=2").content.decode()
        assert page.post(f"{at}/3/activate/").status_code == 409
        assert page.post(f"{at}/2/activate/").status_code == 302

        assert PolicyVersion.objects.get(policy__code="orders.release.credit", number=2).state == (
            "active"
        )


class TestAudit:
    def test_shows_changes_of_one_s_entities(
        self, page: Client, entity: Entity, clerk: User
    ) -> None:
        far = Entity.objects.create(code="DE01", name="DE", currency="EUR", country="DE")
        changes = [
            Change(each.pk, "test.change", "t", n, f"t:{n}", {"state": "a"}, {"state": "b"}, said)
            for n, (each, said) in enumerate([(entity, "ours"), (far, "theirs")])
        ]
        record(changes=changes, actor=clerk, now=NOW)

        shown = page.get("/governance/audit/?actor=clerk").content.decode()

        assert "ours" in shown
        assert "state a → state b" in " ".join(shown.split())
        assert "theirs" not in shown
        assert page.get("/governance/audit/?after=x&thread=%00").status_code == 200
