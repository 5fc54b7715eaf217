"""erp/governance/api/views.py: approvals, policies and the audit trail over REST."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from erp.accounts.models import Entity, User
from erp.governance import permissions
from erp.governance.models import Approval, Delegation, PolicyVersion
from erp.governance.services import (
    ApprovalFacts,
    Change,
    Effect,
    EffectKind,
    Question,
    decide,
    record,
    request_approval,
)
from erp.governance.tasks import replay_waiting
from tests.conftest import NOW, grant
from tests.erp.governance.factories import matrix, person, row, stand_in

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


class TestMany:
    def test_each_answers_for_itself(self, boss: User, api: APIClient, entity) -> None:
        far = Entity.objects.create(code="DE01", name="DE", currency="EUR", country="DE")
        good, bad, changed = (ask(entity, document_id=n) for n in range(3))
        own, hidden = ask(entity, by=boss, document_id=4), ask(far, document_id=5)
        items = [
            {"id": good.pk, "action": "approve", "fingerprint": "f1"},
            {"id": bad.pk, "action": "reject"},
            {"id": changed.pk, "action": "approve", "fingerprint": "f0"},
            {"id": own.pk, "action": "approve"},
            {"id": hidden.pk, "action": "approve"},
            {"id": good.pk, "action": "dance"},
        ]

        results = api.post("/api/v1/approvals/bulk/", items, format="json").json()["results"]

        assert [row["status"] for row in results] == [200, 409, 409, 409, 404, 400]
        codes = [row["errors"][0]["code"] for row in results[1:4]]
        assert codes == ["reason_missing", "document_changed", "own_request"]
        states = Approval.objects.order_by("pk").values_list("state", flat=True)
        assert list(states) == ["approved", "pending", "void", "pending", "pending"]

    def test_shows_steps_effects_and_who_decides_for_whom(
        self, boss: User, api: APIClient, entity
    ) -> None:
        matrix(row(1, "", permission=MAY, hours=8), row(2, "executive"))
        effect = Effect(EffectKind.LOSER, "SO-7 waits", Decimal("9.5"), "USD")
        approval = ask(entity, facts=ApprovalFacts(effects=[effect]))
        at = f"/api/v1/approvals/{approval.pk}"

        before = api.get(f"{at}/").json()
        done = api.post(f"{at}/approve/", {}, format="json").json()

        assert before["effects"] == [
            {"kind": "loser", "text": "SO-7 waits", "amount": "9.5", "currency": "USD"}
        ]
        assert (before["may_decide"], before["due_at"] is None) == (True, False)
        assert done["state"] == "pending"
        assert [step["state"] for step in done["steps"]] == ["approved", "open"]
        assert done["steps"][0]["decided_by"] == "clerk"
        assert done["stranded"] == "Nobody holds what it asks for: Executive."

    def test_a_key_sent_twice_decides_once(self, boss: User, api: APIClient, entity) -> None:
        at = f"/api/v1/approvals/{ask(entity).pk}/approve/"
        key = {"HTTP_IDEMPOTENCY_KEY": "k-1"}

        first = api.post(at, {}, format="json", **key)
        second = api.post(at, {}, format="json", **key)

        assert first.json() == second.json()
        assert second["Idempotent-Replayed"] == "true"

    def test_a_changed_document_is_void_even_with_a_key(
        self, boss: User, api: APIClient, entity
    ) -> None:
        at = f"/api/v1/approvals/{ask(entity).pk}/approve/"

        done = api.post(at, {"fingerprint": "f0"}, format="json", HTTP_IDEMPOTENCY_KEY="k-1")

        assert (done.status_code, done.json()["code"]) == (409, "document_changed")
        assert Approval.objects.get().state == "void"


class TestDelegations:
    def until(self, days: int = 3) -> str:
        return (timezone.now() + timedelta(days=days)).isoformat()

    @pytest.fixture
    def aide(self, boss: User, entity: Entity) -> User:
        grant(boss, permissions.DELEGATE, entity)
        return person("aide", entity, "buyer")

    def test_are_made_listed_and_revoked(self, aide: User, api: APIClient, entity) -> None:
        at = "/api/v1/delegations/"

        made = api.post(at, {"entity": "US01", "to": "aide", "until": self.until()}, format="json")
        listed = api.get(at).json()["results"]
        ended = api.post(f"{at}{made.json()['id']}/revoke/", {}, format="json")

        assert (made.status_code, made.json()["state"]) == (201, "active")
        assert [(row["delegator"], row["to"]) for row in listed] == [("clerk", "aide")]
        assert ended.json()["state"] == "revoked"

    def test_name_the_wrong_field(self, aide: User, api: APIClient, entity) -> None:
        at, asked = "/api/v1/delegations/", {"entity": "US01", "to": "aide"}

        nobody = api.post(at, asked | {"to": "x", "until": self.until()}, format="json")
        past = api.post(at, asked | {"until": self.until(-3)}, format="json")
        self_ = api.post(at, asked | {"to": "clerk", "until": self.until()}, format="json")

        assert (nobody.status_code, nobody.json()["errors"][0]["field"]) == (400, "to")
        assert (past.status_code, past.json()["errors"][0]["field"]) == (409, "until")
        assert (self_.status_code, self_.json()["code"]) == (409, "bad_delegation")
        assert not Delegation.objects.exists()

    def test_of_others_are_not_there(self, aide: User, api: APIClient, entity) -> None:
        found = stand_in(person("boss2", entity, "controller"), aide, entity)

        assert api.get("/api/v1/delegations/").json()["results"] == []
        assert api.get(f"/api/v1/delegations/{found.pk}/").status_code == 404
        done = api.post(f"/api/v1/delegations/{found.pk}/revoke/", {}, format="json")
        assert done.status_code == 404
        assert Delegation.objects.get().revoked_at is None

    def test_of_one_request(self, aide: User, api: APIClient, entity) -> None:
        approval = ask(entity)

        done = api.post(f"/api/v1/approvals/{approval.pk}/delegate/", {"to": "aide"}, format="json")

        assert done.status_code == 200
        assert (Delegation.objects.get().approval, Delegation.objects.get().delegate) == (
            approval, aide,
        )  # fmt: skip

    def test_absences_are_told_and_ended(self, aide: User, api: APIClient, entity) -> None:
        at = "/api/v1/absences/"

        made = api.post(at, {"until": self.until()}, format="json")
        others = api.post(at, {"user": "aide", "until": self.until()}, format="json")
        ended = api.post(f"{at}{made.json()['id']}/end/", {}, format="json")

        assert (made.status_code, made.json()["user"]) == (201, "clerk")
        assert (others.status_code, others.json()["code"]) == (409, "not_yours")
        assert (ended.json()["is_over"], len(api.get(at).json()["results"])) == (True, 1)


class TestPolicies:
    TABLE = {"rows": [{"when": [], "then": {"hold": False, "owner_role": "", "reason": ""}}]}

    def test_shows_tables_and_versions(self, clerk: User, api: APIClient, entity) -> None:
        grant(clerk, permissions.VIEW_POLICY, entity)

        listed = api.get("/api/v1/policies/").json()["results"]
        one = api.get("/api/v1/policies/orders.release.credit/").json()
        versions = api.get("/api/v1/policies/orders.release.credit/versions/").json()["results"]

        assert "orders.classify" in {row["code"] for row in listed}
        assert one["facts"]["limit"] == "number"
        assert [(v["number"], v["entity"]) for v in one["active"]] == [(1, None)]
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


class TestPolicyVersions:
    CREDIT = "/api/v1/policies/orders.release.credit"
    THEN = {"hold": False, "owner_role": "", "reason": ""}

    @pytest.fixture
    def boss_api(self, entity: Entity) -> APIClient:
        boss = User.objects.create_user("boss")
        for permission in (permissions.ACTIVATE_POLICY, permissions.LIMIT_POLICY):
            grant(boss, permission, entity)
        client = APIClient()
        client.force_authenticate(boss)
        return client

    @pytest.fixture
    def author_api(self, clerk: User, api: APIClient, entity: Entity) -> APIClient:
        for permission in (permissions.VIEW_POLICY, permissions.WRITE_POLICY):
            grant(clerk, permission, entity)
        return api

    def table(self, *rows: Any) -> dict[str, Any]:
        return {"hit": "first", "rows": [*rows, {"when": [], "then": self.THEN}]}

    def write(self, client: APIClient, **body: Any) -> int:
        asked = {"entity": "US01", "table": self.table()} | body
        made = client.post(f"{self.CREDIT}/versions/", asked, format="json")
        assert made.status_code == 201, made.content
        return int(made.json()["number"])

    def test_goes_from_draft_to_a_date_by_two_people(
        self, author_api: APIClient, boss_api: APIClient
    ) -> None:
        at = f"{self.CREDIT}/versions/{self.write(author_api)}"
        later = "2030-01-01T00:00:00Z"

        edited = author_api.patch(
            f"{at}/", {"note": "for 2030", "valid_from": later}, format="json"
        )
        own = author_api.post(f"{at}/submit/")
        again = author_api.patch(f"{at}/", {"note": "x"}, format="json")
        done = boss_api.post(f"{at}/activate/")

        assert (edited.json()["note"], edited.json()["valid_from"]) == ("for 2030", later)
        assert own.json()["state"] == "reviewed"
        assert (again.status_code, again.json()["code"]) == (409, "version_not_open")
        assert (done.json()["state"], done.json()["valid_from"]) == ("active", later)
        assert boss_api.post(f"{at}/retire/").json()["state"] == "retired"

    def test_a_contradiction_gets_through_no_door(
        self, author_api: APIClient, boss_api: APIClient
    ) -> None:
        hold = {"when": [["on_hold", "=", True]], "then": self.THEN | {"hold": True}}
        passes = {"when": [["on_hold", "=", True]], "then": self.THEN}
        at = f"{self.CREDIT}/versions/{self.write(author_api, table=self.table(hold, passes))}"

        linted = author_api.post(f"{at}/lint/").json()["problems"]
        answers = [author_api.post(f"{at}/submit/"), boss_api.post(f"{at}/activate/")]

        assert next((p["row"], p["level"], p["code"]) for p in linted) == (
            1, "error", "contradiction",
        )  # fmt: skip
        for answer in answers:
            assert (answer.status_code, answer.json()["code"]) == (409, "policy_refused")
            assert answer.json()["errors"][0]["field"] == "table.rows[1]"
        assert set(PolicyVersion.objects.filter(policy__code="orders.release.credit").values_list(
            "number", "state"
        )) == {(1, "active"), (2, "draft")}  # fmt: skip

    def test_out_as_yaml_and_in_again_is_the_same(self, author_api: APIClient) -> None:
        row = {
            "when": [["exposure_after", ">", {"field": "limit", "times": "1.10"}]],
            "then": self.THEN | {"hold": True, "reason": "no: “yes” # 'null'"},
        }
        until = "2031-01-01T00:00:00Z"
        number = self.write(author_api, table=self.table(row), note="7", valid_until=until)

        def exported(number: int) -> str:
            return author_api.get(f"{self.CREDIT}/versions/{number}/export/").content.decode()

        text = exported(number)
        made = author_api.post(f"{self.CREDIT}/import/", {"yaml": text}, format="json").json()

        assert exported(made["number"]) == text
        first = author_api.get(f"{self.CREDIT}/versions/{number}/").json()
        same = ("table", "note", "entity", "valid_until")
        assert [made[name] for name in same] == [first[name] for name in same]

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "- 1",
            "rows: [",
            "a: &x [1]\nrows: *x",
            "rows: []\nrows: []",
            "rows: !!python/object:x {}",
        ],
    )
    def test_what_is_no_document_is_refused(self, author_api: APIClient, text: str) -> None:
        answer = author_api.post(f"{self.CREDIT}/import/", {"yaml": text}, format="json")

        assert answer.status_code == 400
        assert answer.json()["errors"][0]["field"] == "yaml"

    def test_a_replay_shows_its_progress_and_changes(
        self, author_api: APIClient, entity: Entity
    ) -> None:
        asked = Question(entity.pk, "orders.order", 7, {"on_hold": False, "total": Decimal(20)})
        decide(policy="orders.release.credit", questions=[asked], now=timezone.now())
        hold = {"when": [["total", ">", 10]], "then": self.THEN | {"hold": True}}
        at = f"{self.CREDIT}/versions/{self.write(author_api, table=self.table(hold))}/replay/"

        missing = author_api.get(at)
        started = author_api.post(at, {"days": 30}, format="json")
        replay_waiting()
        done = author_api.get(at).json()
        changes = author_api.get(f"{at}changes/?effect=loses").json()["results"]

        assert missing.status_code == 404
        assert (started.status_code, started.json()["state"]) == (202, "waiting")
        assert (done["state"], done["done"], done["changed"]) == ("done", 1, 1)
        assert done["flips"][0]["after"] == "yes"
        assert (changes[0]["subject_id"], changes[0]["amount"], changes[0]["currency"]) == (
            7, "20.0000", "USD",
        )  # fmt: skip

    def test_limits_and_drift(self, author_api: APIClient, boss_api: APIClient) -> None:
        number = self.write(author_api)
        boss_api.post(f"{self.CREDIT}/versions/{number}/activate/")
        limits = {"outcomes": {"hold": "locked"}}

        changed = boss_api.post(f"{self.CREDIT}/limits/", {"limits": limits}, format="json")
        (row,) = author_api.get(f"{self.CREDIT}/drift/").json()["results"]
        refused = author_api.post(
            f"{self.CREDIT}/versions/", {"entity": "US01", "table": self.table()}, format="json"
        )

        assert changed.json()["limits"]["outcomes"] == {"hold": "locked"}
        assert (row["entity_code"], row["number"]) == ("US01", number)
        assert {each["kind"] for each in row["differences"]} == {"removed"}
        assert row["beyond"][0]["field"] == "hold"
        assert refused.json()["errors"][0]["field"] == "table.rows[0].then.hold"

    def test_the_log_is_narrowed_by_subject_and_date(
        self, author_api: APIClient, entity: Entity
    ) -> None:
        for subject in (1, 2):
            asked = Question(entity.pk, "orders.order", subject, {"on_hold": False})
            decide(policy="orders.release.credit", questions=[asked], now=NOW)

        def ids(query: str) -> list[int]:
            found = author_api.get(f"{self.CREDIT}/decisions/?{query}").json()["results"]
            return [row["subject_id"] for row in found]

        assert ids("") == [2, 1]
        assert ids("subject_kind=orders.order&subject_id=1") == [1]
        assert ids("after=2026-11-23") == ids("before=2026-11-22") == []
        assert len(ids("page_size=1")) == 1
