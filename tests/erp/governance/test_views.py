"""erp/governance/views.py: the inbox, the policies, the audit trail, as people see them."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from erp.accounts.models import Entity, User
from erp.governance import permissions
from erp.governance.models import Absence, Approval, Delegation, PolicyVersion
from erp.governance.services import (
    ApprovalFacts,
    Change,
    Effect,
    EffectKind,
    activate_version,
    record,
    request_approval,
    write_version,
)
from tests.conftest import NOW, grant
from tests.erp.governance.factories import matrix, person, row, stand_in

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

        shown = page.get("/governance/approvals/?view=mine").content.decode()
        assert "not yours to decide" in shown
        assert "Nothing waits for you" in page.get("/governance/approvals/").content.decode()
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


class TestInbox:
    def test_ranks_by_money_and_age(self, page: Client, entity: Entity) -> None:
        for document, (amount, days) in enumerate([(100, 0), (60, 1), (50, 0)]):
            ask(
                entity,
                document_id=document,
                label=f"DOC-{amount}",
                amount=Decimal(amount),
                now=timezone.now() - timedelta(days=days),
            )

        shown = page.get("/governance/approvals/").content.decode()

        order = [shown.index(f"Select DOC-{amount}") for amount in (60, 100, 50)]
        assert order == sorted(order)

    def test_shows_the_consequence_the_steps_and_the_story_beside(
        self, page: Client, entity: Entity
    ) -> None:
        effects = [
            Effect(EffectKind.CHANGE, "5 HX-110 for Halden", Decimal(40), "USD"),
            Effect(EffectKind.LOSER, "SO-7 of Northway waits 6 days", Decimal(900), "USD"),
            Effect(EffectKind.MONEY, "Penalty", Decimal(12), "USD"),
        ]
        approval = ask(entity, facts=ApprovalFacts(effects=effects))

        for part in (
            page.get("/governance/approvals/").content.decode(),
            page.get(f"/governance/approvals/{approval.pk}/").content.decode(),
            page.get(
                f"/governance/approvals/{approval.pk}/", headers={"HX-Request": "true"}
            ).content.decode(),
        ):
            for text in (
                "What changes", "5 HX-110 for Halden", "Who loses", "SO-7 of Northway", "$900.00",
                "Penalty", "Who agrees", "Operations lead", "Approval asked for",
                "governance.approvals v1",
            ):  # fmt: skip
                assert text in part, text

    def test_marks_what_is_decided_for_somebody_else(
        self, page: Client, entity: Entity, clerk: User
    ) -> None:
        matrix(row(1, "controller"))
        boss, approval = person("boss", entity, "controller"), ask(entity)
        person("clerk", entity, "buyer")
        stand_in(boss, clerk, entity, now=timezone.now())

        shown = page.get("/governance/approvals/?view=for-others").content.decode()
        assert "You decide on behalf of Boss" in shown
        page.post(f"/governance/approvals/{approval.pk}/approve/", {"fingerprint": "f1"})

        step = approval.steps.get()
        assert (step.decided_by, step.on_behalf_of) == (clerk, boss)
        assert (
            "clerk for boss" in page.get(f"/governance/approvals/{approval.pk}/").content.decode()
        )

    def test_tells_that_others_must_agree_as_well(self, page: Client, entity: Entity) -> None:
        matrix(row(1, "", permission=MAY), row(2, "executive"))
        approval = ask(entity)

        page.post(f"/governance/approvals/{approval.pk}/approve/", {"fingerprint": "f1"})

        said = page.get("/governance/approvals/").content.decode()
        assert "others must agree as well" in said
        assert Approval.objects.get().state == "pending"

    def test_reports_what_nobody_can_decide(
        self, page: Client, entity: Entity, clerk: User
    ) -> None:
        ask(entity, requested_by=clerk)

        shown = page.get("/governance/approvals/?view=stuck").content.decode()

        assert "nobody can decide" in shown
        assert "Only those who took part could decide: Operations lead." in shown

    def test_filters_by_text_kind_and_amount(self, page: Client, entity: Entity) -> None:
        ask(entity)

        for query, found in (
            ("q=acme", True), ("q=zzz", False), ("kind=test.document", True), ("kind=x", False),
            ("least=12.50", True), ("least=12.51", False), ("least=NaN&view=x&at=y", True),
        ):  # fmt: skip
            shown = page.get(f"/governance/approvals/?{query}").content.decode()
            assert ("Select PO-1" in shown) is found, query

    def test_decides_many_and_tells_what_came_of_each(
        self, page: Client, entity: Entity, clerk: User
    ) -> None:
        good, changed = ask(entity), ask(entity, document_id=2)
        own = ask(entity, document_id=3, requested_by=clerk)

        done = page.post(
            "/governance/approvals/bulk/",
            {"id": [f"{good.pk}:f1", f"{changed.pk}:f0", f"{own.pk}:f1"], "verdict": "approve"},
        )

        said = done.content.decode()
        assert "1 of 3 decided" in said
        assert "changed after the request" in said
        assert "You took part" in said
        assert list(Approval.objects.order_by("pk").values_list("state", flat=True)) == [
            "approved", "void", "pending",
        ]  # fmt: skip

    def test_rejects_many_only_with_a_reason(self, page: Client, entity: Entity) -> None:
        first, second = ask(entity), ask(entity, document_id=2)
        asked = {"id": [f"{first.pk}:f1", f"{second.pk}:f1"], "verdict": "reject"}

        assert "0 of 2" in page.post("/governance/approvals/bulk/", asked).content.decode()
        asked["reason"] = "too dear"
        assert "2 of 2" in page.post("/governance/approvals/bulk/", asked).content.decode()

    def test_nonsense_in_bulk_changes_nothing(self, page: Client, entity: Entity) -> None:
        far = Entity.objects.create(code="DE01", name="DE", currency="EUR", country="DE")
        mine, theirs = ask(entity), ask(far, document_id=2)

        for text, status in (("x:f1", 400), ("9" * 30, 400), (f"{theirs.pk}:f1", 404)):
            done = page.post("/governance/approvals/bulk/", {"id": [f"{mine.pk}:f1", text]})
            assert done.status_code == status
        assert page.post("/governance/approvals/bulk/", {}).status_code == 200
        assert set(Approval.objects.values_list("state", flat=True)) == {"pending"}

    def test_passes_one_on_to_a_colleague(self, page: Client, entity: Entity, clerk: User) -> None:
        grant(clerk, permissions.DELEGATE, entity)
        aide, approval = person("aide", entity, "buyer"), ask(entity)
        at = f"/governance/approvals/{approval.pk}/pass-on/"

        assert page.post(at, {"to": "999"}).status_code == 404
        assert page.post(at, {"to": str(aide.pk)}).status_code == 302

        found = Delegation.objects.get()
        assert (found.delegate, found.approval) == (aide, approval)

    def test_takes_a_bounded_number_of_queries(
        self, page: Client, entity: Entity, django_assert_max_num_queries: Any
    ) -> None:
        for document in range(30):
            ask(entity, document_id=document)
        page.get("/governance/approvals/")

        with django_assert_max_num_queries(28):
            page.get("/governance/approvals/")


class TestStandingIn:
    AT = "/governance/approvals/standing-in/"

    def test_hands_over_and_takes_back(self, page: Client, entity: Entity, clerk: User) -> None:
        grant(clerk, permissions.DELEGATE, entity)
        aide = person("aide", entity, "buyer")
        until = timezone.now() + timedelta(days=3)
        asked = {
            "hand-entity": str(entity.pk),
            "hand-to": str(aide.pk),
            "hand-role": "",
            "hand-starts_at": f"{timezone.now():%Y-%m-%dT%H:%M}",
            "hand-ends_at": f"{until:%Y-%m-%dT%H:%M}",
        }

        assert page.get(self.AT).status_code == 200
        assert page.post(f"{self.AT}add/", asked | {"hand-to": ""}).status_code == 422
        assert page.post(f"{self.AT}add/", asked).status_code == 302
        found = Delegation.objects.get()
        assert (found.delegator, found.delegate, found.entity) == (clerk, aide, entity)
        assert "Aide" in page.get(self.AT).content.decode()
        assert page.post(f"{self.AT}{found.pk}/end/").status_code == 302
        assert Delegation.objects.get().revoked_by == clerk

    def test_of_others_is_not_there(self, page: Client, entity: Entity, clerk: User) -> None:
        grant(clerk, permissions.DELEGATE, entity)
        boss, aide = person("boss", entity, "controller"), person("aide", entity, "buyer")
        found = stand_in(boss, aide, entity)

        assert page.post(f"{self.AT}{found.pk}/end/").status_code == 404
        assert Delegation.objects.get().revoked_at is None

    def test_is_away_and_back(self, page: Client, entity: Entity, clerk: User) -> None:
        grant(clerk, permissions.DELEGATE, entity)
        now = timezone.now()
        asked = {
            "away-starts_at": f"{now:%Y-%m-%dT%H:%M}",
            "away-ends_at": f"{now + timedelta(days=3):%Y-%m-%dT%H:%M}",
        }
        at = "/governance/approvals/absence"

        assert page.post(f"{at}/add/", {}).status_code == 422
        assert page.post(f"{at}/add/", asked).status_code == 302
        absence = Absence.objects.get()
        assert page.post(f"{at}/{absence.pk}/end/").status_code == 302
        assert page.post(f"{at}/{absence.pk}/end/").status_code == 404
        assert Absence.objects.get().cancelled_at is not None


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


class TestEditor:
    AT = "/governance/policies/orders.release.credit"

    @pytest.fixture
    def writer(self, page: Client, clerk: User, entity: Entity) -> Client:
        grant(clerk, permissions.WRITE_POLICY, entity)
        return page

    def start(self, writer: Client) -> dict[str, str]:
        """Copy the version in force into a draft, and fill the form as a browser does."""
        made = writer.post(f"{self.AT}/new/", {"version": "1", "entity": "US01"})
        assert made.url == f"{self.AT}/2/edit/"
        shown = writer.get(made.url)
        assert shown.status_code == 200
        form: dict[str, str] = {"hit": "first", "rows": str(len(shown.context["rows"]))}
        for r, fields in enumerate(shown.context["rows"]):
            form[f"r{r}n"] = str(len(fields.conditions))
            for c, field in enumerate(fields.conditions):
                form |= {f"r{r}c{c}f": field.fact, f"r{r}c{c}o": field.operator}
                name = "x" if field.shape == "fact" else "v"
                form |= {f"r{r}c{c}{name}": field.value, f"r{r}c{c}t": field.times}
            form |= {f"r{r}t-{o.name}": o.value for o in fields.outcomes}
        return form

    def test_saves_what_was_not_touched_as_it_was(self, writer: Client) -> None:
        form = self.start(writer)

        assert writer.post(f"{self.AT}/2/save/", form | {"note": "same"}).status_code == 302

        one, two = PolicyVersion.objects.filter(policy__code="orders.release.credit").order_by(
            "number"
        )
        assert (two.table, two.note, two.state) == (one.table, "same", "draft")

    def test_complains_as_one_types_and_refuses_to_submit(self, writer: Client) -> None:
        form = self.start(writer)
        last = int(form["rows"]) - 1
        form |= {f"r{last}n": "1", f"r{last}c0f": "total", f"r{last}c0o": ">", f"r{last}c0v": "5"}

        linted = writer.post(f"{self.AT}/2/lint/", form).content.decode()
        moved = writer.post(f"{self.AT}/2/rows/", form | {"op": f"up:{last}"}).content.decode()
        refused = writer.post(f"{self.AT}/2/save/", form | {"then": "submit"})

        assert "No row answers every other case" in linted
        assert f'name="r{last}n"' in moved
        assert refused.status_code == 409
        assert PolicyVersion.objects.get(number=2, policy__code="orders.release.credit").state == (
            "draft"
        )

    def test_shows_drift_replay_and_differences(self, writer: Client, clerk: User) -> None:
        form = self.start(writer)
        writer.post(f"{self.AT}/2/save/", form | {"then": "submit"})
        boss = User.objects.create_user("boss")
        activate_version(
            version_id=PolicyVersion.objects.get(number=2, policy__code="orders.release.credit").pk,
            actor=boss,
            now=NOW,
        )

        assert "US01" in writer.get("/governance/policies/drift/").content.decode()
        assert writer.post(f"{self.AT}/2/replay/", {"days": "30"}).status_code == 302
        shown = writer.get(f"{self.AT}/?version=2&against=1").content.decode()
        assert "What would this version have held in the last 30 days?" in " ".join(shown.split())
        assert "No row differs." in shown
        assert writer.get(f"{self.AT}/2/results/").status_code == 200

    def test_exports_and_imports_the_same(self, writer: Client) -> None:
        self.start(writer)
        text = writer.get(f"{self.AT}/2/export/").content

        sent = SimpleUploadedFile("policy.yaml", text)
        made = writer.post(f"{self.AT}/import/", {"file": sent})

        assert made.url == f"{self.AT}/3/edit/"
        assert writer.get(f"{self.AT}/3/export/").content == text

    def test_of_all_entities_is_for_who_may_write_in_all(self, writer: Client) -> None:
        Entity.objects.create(code="DE01", name="DE", currency="EUR", country="DE")

        assert writer.post(f"{self.AT}/new/", {"version": "1", "entity": ""}).status_code == 404
        assert writer.post(f"{self.AT}/new/", {"version": "1", "entity": "DE01"}).status_code == 404
        assert PolicyVersion.objects.filter(policy__code="orders.release.credit").count() == 1
