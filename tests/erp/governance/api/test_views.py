"""erp/governance/api/views.py: approvals, policies and the audit trail over REST."""

from decimal import Decimal
from typing import Any

import pytest
from rest_framework.test import APIClient

from erp.accounts.models import Entity, User
from erp.governance import permissions
from erp.governance.models import Approval, PolicyVersion
from erp.governance.services import Change, record, request_approval
from tests.conftest import NOW, grant

pytestmark = pytest.mark.django_db
MAY = "procurement.approve_purchase_order"


def ask(entity: Entity, by: User | None = None, **values: Any) -> Approval:
    return request_approval(
        **{
            "entity_id": entity.pk,
            "document_kind": "test.document",
            "document_id": 1,
            "label": "DOC-1",
            "permission": MAY,
            "role": "operations_lead",
            "amount": Decimal("12.50"),
            "currency": "USD",
            "consequence": "It is sent.",
            "fingerprint": "f1",
            "requested_by": by,
            "now": NOW,
        }
        | values
    )


@pytest.fixture
def boss(clerk: User, entity: Entity) -> User:
    grant(clerk, permissions.VIEW_APPROVAL, entity)
    grant(clerk, MAY, entity)
    return clerk


class TestApprovals:
    def test_lists_what_the_user_may_decide(self, boss: User, api: APIClient, entity) -> None:
        far = Entity.objects.create(code="DE01", name="DE", currency="EUR", country="DE")
        ask(entity)
        ask(far, document_id=2)
        ask(entity, document_id=3, permission="finance.close_period")

        found = api.get("/api/v1/approvals/?state=pending").json()["results"]

        assert [row["document_id"] for row in found] == [1]
        assert found[0]["consequence"] == "It is sent."
        assert found[0]["amount"] == "12.5000"

    def test_is_approved_as_it_was_seen(self, boss: User, api: APIClient, entity) -> None:
        at = f"/api/v1/approvals/{ask(entity).pk}"

        seen = api.get(f"{at}/").json()["fingerprint"]
        done = api.post(f"{at}/approve/", {"fingerprint": seen}, format="json")

        assert done.json()["state"] == "approved"

    def test_a_changed_document_makes_it_void(self, boss: User, api: APIClient, entity) -> None:
        at = f"/api/v1/approvals/{ask(entity).pk}"

        done = api.post(f"{at}/approve/", {"fingerprint": "other"}, format="json")

        assert (done.status_code, done.json()["code"]) == (409, "document_changed")
        assert Approval.objects.get().state == "void"

    def test_refuses_one_s_own(self, boss: User, api: APIClient, entity) -> None:
        approval = ask(entity, by=boss)

        done = api.post(f"/api/v1/approvals/{approval.pk}/approve/")

        assert (done.status_code, done.json()["code"]) == (409, "own_request")
        assert Approval.objects.get().state == "pending"

    def test_of_another_entity_is_not_there(self, boss: User, api: APIClient, entity) -> None:
        far = Entity.objects.create(code="DE01", name="DE", currency="EUR", country="DE")
        approval = ask(far)

        assert api.post(f"/api/v1/approvals/{approval.pk}/approve/").status_code == 404
        assert Approval.objects.get().state == "pending"

    def test_rejecting_needs_a_reason(self, boss: User, api: APIClient, entity) -> None:
        at = f"/api/v1/approvals/{ask(entity).pk}/reject/"

        assert api.post(at, {}, format="json").status_code == 400
        assert api.post(at, {"reason": "too dear"}, format="json").json()["state"] == "rejected"


class TestPolicies:
    TABLE = {"rows": [{"when": [], "then": {"hold": False, "owner_role": "", "reason": ""}}]}

    def test_shows_tables_and_versions(self, clerk: User, api: APIClient, entity) -> None:
        grant(clerk, permissions.VIEW_POLICY, entity)

        listed = api.get("/api/v1/policies/").json()["results"]
        one = api.get("/api/v1/policies/orders.release.credit/").json()
        versions = api.get("/api/v1/policies/orders.release.credit/versions/").json()["results"]

        assert "orders.classify" in {row["code"] for row in listed}
        assert one["facts"]["limit"] == "number"
        assert one["active"] == [{"number": 1, "entity": None}]
        assert versions[0]["state"] == "active"

    def test_an_entity_s_own_version_is_written_and_activated_by_two(
        self, clerk: User, api: APIClient, entity
    ) -> None:
        for permission in (permissions.VIEW_POLICY, permissions.WRITE_POLICY):
            grant(clerk, permission, entity)
        grant(clerk, permissions.ACTIVATE_POLICY, entity)
        other = User.objects.create_user("other")
        grant(other, permissions.ACTIVATE_POLICY, entity)
        at = "/api/v1/policies/orders.release.credit/versions/"

        made = api.post(at, {"entity": "US01", "table": self.TABLE}, format="json")
        own = api.post(f"{at}2/activate/")
        client = APIClient()
        client.force_authenticate(other)
        done = client.post(f"{at}2/activate/")

        assert made.status_code == 201, made.content
        assert (own.status_code, own.json()["code"]) == (409, "own_version")
        assert done.json()["state"] == "active", done.content

    def test_bad_tables_name_their_row(self, clerk: User, api: APIClient, entity) -> None:
        grant(clerk, permissions.VIEW_POLICY, entity)
        grant(clerk, permissions.WRITE_POLICY, entity)
        bad = {"rows": [{"when": [["nothing", "=", 1]], "then": {}}]}
        at = "/api/v1/policies/orders.release.credit"

        linted = api.post(f"{at}/lint/", {"table": bad}, format="json").json()["problems"]
        written = api.post(f"{at}/versions/", {"entity": "US01", "table": bad}, format="json")

        assert linted[0]["message"] == "There is no fact nothing."
        assert (linted[0]["row"], linted[0]["level"], linted[0]["field"]) == (0, "error", "nothing")
        assert written.status_code == 409
        assert written.json()["errors"][0]["field"] == "table.rows[0]"

    def test_everybody_s_table_needs_the_permission_everywhere(
        self, clerk: User, api: APIClient, entity
    ) -> None:
        Entity.objects.create(code="DE01", name="DE", currency="EUR", country="DE")
        grant(clerk, permissions.WRITE_POLICY, entity)
        before = PolicyVersion.objects.count()

        at = "/api/v1/policies/orders.release.credit/versions/"
        answer = api.post(at, {"table": self.TABLE}, format="json")

        assert answer.status_code == 404
        assert PolicyVersion.objects.count() == before


class TestAudit:
    def test_shows_only_one_s_entities(self, clerk: User, api: APIClient, entity) -> None:
        far = Entity.objects.create(code="DE01", name="DE", currency="EUR", country="DE")
        grant(clerk, permissions.VIEW_AUDIT, entity)
        record(
            changes=[
                Change(each, "test.change", "test.document", 1, "test.document:1", after={"a": 1})
                for each in (entity.pk, far.pk, None)
            ],
            actor=clerk,
            now=NOW,
        )

        found = api.get("/api/v1/audit/?thread=test.document:1").json()["results"]

        assert [row["entity"] for row in found] == [None, "US01"]
        assert found[0]["actor"] == "clerk"
        assert api.post("/api/v1/audit/").status_code == 405
