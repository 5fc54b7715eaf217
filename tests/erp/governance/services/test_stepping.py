"""The matrix and its steps: who is asked for what, in which order, and who must not decide."""

from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from erp.accounts.models import Entity, User
from erp.governance.models import Approval, ApprovalStep, AuditEntry, DecisionRecord
from erp.governance.services import (
    AlreadyDecided,
    ApprovalFacts,
    DecidedBefore,
    NotYours,
    OwnRequest,
    ReasonMissing,
    Verdict,
    decide_requests,
    reject,
)
from erp.outbox.models import Message
from tests.conftest import NOW
from tests.erp.governance.factories import MAY, agree, ask, matrix, person, row, states

pytestmark = pytest.mark.django_db


def told(name: str) -> list[dict[str, object]]:
    return [m.payload for m in Message.objects.filter(name=name).order_by("pk")]


class TestMatrix:
    @pytest.mark.parametrize(
        ("amount", "roles"),
        [
            ("99.9999", []),
            ("100", ["controller"]),
            ("999.99", ["controller"]),
            ("1000", ["controller"]),
            ("1000.0001", ["controller", "executive"]),
        ],
    )
    def test_decides_by_the_amount_exactly_at_its_bounds(
        self, entity: Entity, amount: str, roles: list[str]
    ) -> None:
        version = matrix(
            row(0, "", ["amount", "<", 100]),
            row(1, "controller", ["amount", ">=", 100]),
            row(2, "executive", ["amount", ">", 1000]),
        )

        approval = ask(entity, amount=Decimal(amount))

        steps = ApprovalStep.objects.filter(approval=approval).order_by("number")
        assert [step.role for step in steps] == roles
        assert approval.matrix_version == version
        assert approval.state == ("pending" if roles else "approved")
        decided = DecisionRecord.objects.get(subject_kind="test.document")
        assert decided.inputs["amount"] == amount

    def test_what_needs_nobody_is_approved_and_recorded(self, entity: Entity, clerk: User) -> None:
        version = matrix(row(0))

        approval = ask(entity, by=clerk)
        again = ask(entity, by=clerk)

        assert again.pk == approval.pk
        assert (approval.state, approval.is_automatic, approval.decided_by) == (
            "approved", True, None,
        )  # fmt: skip
        (said,) = told("governance.approval_decided")
        assert (said["state"], said["cause"], said["decided_by_id"]) == ("approved", "automatic", 0)
        entry = AuditEntry.objects.get(action="governance.approve")
        assert (entry.actor, entry.policy_version) == (None, version)

    def test_what_needs_nobody_is_asked_anew_once_it_changed(self, entity: Entity) -> None:
        matrix(row(0))

        assert ask(entity).pk != ask(entity, fingerprint="f2").pk

    def test_what_no_row_covers_is_asked_of_whom_the_caller_says(self, entity: Entity) -> None:
        matrix(row(1, "executive", ["document_type", "=", "other"]))

        step = ApprovalStep.objects.get(approval=ask(entity))

        assert (step.permission, step.role, step.hours) == (MAY, "operations_lead", 0)

    @pytest.mark.parametrize(
        ("facts", "role"),
        [
            (ApprovalFacts(), "operations_lead"),
            (ApprovalFacts(category="hazmat"), "warehouse"),
            (ApprovalFacts(margin=Decimal("0.05")), "operations_lead"),
            (ApprovalFacts(margin=Decimal("0.0499")), "pricing"),
            (ApprovalFacts(losers_value=Decimal(4_999)), "operations_lead"),
            (ApprovalFacts(losers_value=Decimal(5_000)), "executive"),
            (ApprovalFacts(amount=Decimal(70_000)), "controller"),
        ],
    )
    def test_asks_by_category_margin_and_what_others_lose(
        self, entity: Entity, facts: ApprovalFacts, role: str
    ) -> None:
        matrix(
            row(1, "warehouse", ["category", "=", "hazmat"]),
            row(1, "pricing", ["margin", "<", "0.05"]),
            row(1, "executive", ["losers_value", ">=", 5_000]),
            row(1, "controller", ["amount", ">", 50_000]),
        )

        assert ApprovalStep.objects.get(approval=ask(entity, facts=facts)).role == role

    def test_an_amount_in_a_currency_nobody_converted_meets_no_bound(self, entity: Entity) -> None:
        matrix(row(0, "", ["amount", "<", 1000]), row(1, "controller", ["amount", ">=", 1000]))

        unknown = ask(entity, currency="JPY", amount=Decimal(50))
        known = ask(
            entity, document_id=2, currency="JPY", amount=Decimal(200_000),
            facts=ApprovalFacts(amount=Decimal(1000)),
        )  # fmt: skip

        assert ApprovalStep.objects.get(approval=unknown).permission == MAY
        assert ApprovalStep.objects.get(approval=known).role == "controller"

    def test_an_entity_s_own_matrix_decides_there_alone(self, entity: Entity) -> None:
        far = Entity.objects.create(code="DE01", name="DE", currency="EUR", country="DE")
        matrix(row(1, "executive"), entity=far)
        matrix(row(1, "controller", ["entity", "=", "US01"]))

        assert ApprovalStep.objects.get(approval=ask(far)).role == "executive"
        assert ApprovalStep.objects.get(approval=ask(entity, document_id=2)).role == "controller"


class TestOrder:
    def test_the_second_step_opens_when_the_first_is_agreed(self, entity: Entity) -> None:
        matrix(row(1, "controller"), row(2, "executive"))
        controller = person("con", entity, "controller")
        executive = person("exe", entity, "executive")
        approval = ask(entity)

        with pytest.raises(NotYours):
            agree(approval, executive)
        assert states(approval) == ["pending", "open", "waiting"]
        assert agree(approval, controller).state == "pending"
        assert states(approval) == ["pending", "approved", "open"]
        assert told("governance.approval_decided") == []
        assert [said["step"] for said in told("governance.approval_advanced")] == [1]
        done = agree(approval, executive)

        assert (done.state, done.decided_by) == ("approved", executive)
        assert [said["state"] for said in told("governance.approval_decided")] == ["approved"]
        agreed = AuditEntry.objects.filter(action="governance.approve").order_by("pk")
        assert [(entry.actor, entry.after["step"]) for entry in agreed] == [
            (controller, 1), (executive, 2),
        ]  # fmt: skip

    def test_side_by_side_all_must_agree_in_any_order(self, entity: Entity) -> None:
        matrix(row(1, "controller"), row(1, "pricing"))
        people = [person("con", entity, "controller"), person("pri", entity, "pricing")]
        for document, order in enumerate((people, people[::-1])):
            approval = ask(entity, document_id=document)
            assert states(approval) == ["pending", "open", "open"]
            assert agree(approval, order[0]).state == "pending"
            assert agree(approval, order[1]).state == "approved"

    def test_one_of_them_is_enough_where_the_table_says_so(self, entity: Entity) -> None:
        matrix(row(1, "controller", rule="any"), row(1, "pricing", rule="any"))
        approval = ask(entity)

        assert agree(approval, person("pri", entity, "pricing")).state == "approved"
        assert states(approval) == ["approved", "skipped", "approved"]
        with pytest.raises(AlreadyDecided):
            agree(approval, person("con", entity, "controller"))

    def test_one_refusal_ends_it_whoever_else_agreed(self, entity: Entity) -> None:
        matrix(row(1, "controller"), row(1, "pricing"), row(2, "executive"))
        approval = ask(entity)
        agree(approval, person("con", entity, "controller"))

        reject(
            approval_id=approval.pk, actor=person("pri", entity, "pricing"), reason="No.", now=NOW
        )

        assert states(approval) == ["rejected", "approved", "rejected", "skipped"]
        assert Approval.objects.get().decision_reason == "No."

    def test_agreeing_twice_is_agreeing_once(self, entity: Entity) -> None:
        matrix(row(1, "controller"), row(2, "controller", permission=MAY))
        boss = person("boss", entity, "controller")
        approval = ask(entity)

        agree(approval, boss)
        agree(approval, boss)

        assert states(approval) == ["pending", "approved", "open"]
        with pytest.raises(DecidedBefore):
            reject(approval_id=approval.pk, actor=boss, reason="No.", now=NOW)

    def test_each_step_wants_another_employee(self, entity: Entity) -> None:
        matrix(row(1, "controller"), row(2, "controller", permission=MAY))
        approval = ask(entity)
        agree(approval, person("one", entity, "controller", employee_ref="E1"))

        with pytest.raises(DecidedBefore):
            agree(approval, person("two", entity, "controller", employee_ref="E1"))
        with pytest.raises(IntegrityError), transaction.atomic():
            first, second = ApprovalStep.objects.order_by("number")
            ApprovalStep.objects.filter(pk=second.pk).update(
                state="approved", decided_by=first.decided_by, decided_at=NOW
            )

        assert agree(approval, person("other", entity, "controller")).state == "approved"

    def test_a_role_elsewhere_is_no_role_here(self, entity: Entity) -> None:
        far = Entity.objects.create(code="DE01", name="DE", currency="EUR", country="DE")
        matrix(row(1, "controller"))

        with pytest.raises(NotYours):
            agree(ask(entity), person("far", far, "controller"))

    def test_nobody_without_a_login_any_more_decides(self, entity: Entity) -> None:
        matrix(row(1, "controller"))
        boss = person("boss", entity, "controller")
        User.objects.filter(pk=boss.pk).update(is_active=False)

        with pytest.raises(NotYours):
            agree(ask(entity), User.objects.get(pk=boss.pk))

    def test_a_key_decides_only_by_a_permission_among_its_scopes(self, entity: Entity) -> None:
        boss = person("boss", entity, "operations_lead", "controller")
        matrix(row(1, "controller", ["amount", ">", 100]))
        by_right, by_role = ask(entity), ask(entity, document_id=2, amount=Decimal(101))
        boss.scopes = frozenset({MAY})

        with pytest.raises(NotYours):
            agree(by_role, boss)
        assert agree(by_right, boss).state == "approved"


class TestSegregation:
    def test_the_one_who_asked_decides_no_step_under_any_account(self, entity: Entity) -> None:
        matrix(row(1, "controller"), row(2, "controller", permission=MAY))
        asker = person("asker", entity, "controller", employee_ref="E1")
        approval = ask(entity, by=asker, barred=[person("writer", entity, "controller").pk])
        root = User.objects.create_superuser("root", employee_ref="E1")

        for actor in (asker, person("twin", entity, "controller", employee_ref="E1"), root):
            with pytest.raises(OwnRequest):
                agree(approval, actor)
        with pytest.raises(OwnRequest):
            agree(approval, person("writer", entity))

        assert states(approval) == ["pending", "open", "waiting"]

    def test_a_superuser_decides_one_step_like_anybody(self, entity: Entity) -> None:
        matrix(row(1, "controller"), row(2, "executive"))
        approval, root = ask(entity), User.objects.create_superuser("root")

        agree(approval, root)

        assert states(approval) == ["pending", "approved", "open"]
        with pytest.raises(DecidedBefore):
            reject(approval_id=approval.pk, actor=root, reason="No.", now=NOW)


class TestDecideRequests:
    def test_answers_each_for_itself_in_the_order_asked(self, entity: Entity) -> None:
        boss = person("boss", entity, "operations_lead")
        good, own, changed, bad = (
            ask(entity, document_id=n, by=boss if n == 1 else None) for n in range(4)
        )

        outcomes = decide_requests(
            verdicts=[
                Verdict(changed.pk, agrees=True, fingerprint="f2"),
                Verdict(own.pk, agrees=True),
                Verdict(bad.pk, agrees=False),
                Verdict(good.pk, agrees=True, fingerprint="f1"),
            ],
            actor=boss,
            now=NOW,
        )

        assert [str(one.approval.state) for one in outcomes] == [
            "void", "pending", "pending", "approved",
        ]  # fmt: skip
        codes = [one.refusal.code if one.refusal else "" for one in outcomes]
        assert codes == ["document_changed", "own_request", "reason_missing", ""]
        assert isinstance(outcomes[2].refusal, ReasonMissing)
        assert states(own)[0] == "pending"
