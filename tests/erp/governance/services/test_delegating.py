"""erp/governance/services/_delegating.py: standing in for somebody, and being away."""

from datetime import timedelta
from typing import Any

import pytest

from erp.accounts.models import Entity, User
from erp.governance.models import Absence, ApprovalStep, AuditEntry, Delegation
from erp.governance.selectors import waiting_for
from erp.governance.services import (
    BadDelegation,
    DecidedBefore,
    NotYours,
    OwnRequest,
    delegate_request,
    end_absence,
    look_after_approvals,
    report_absence,
    revoke_delegation,
)
from erp.outbox.models import Message
from tests.conftest import NOW, grant
from tests.erp.governance.factories import agree, ask, matrix, person, row, stand_in, states

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)


@pytest.fixture
def boss(entity: Entity) -> User:
    matrix(row(1, "controller"))
    return person("boss", entity, "controller", "operations_lead")


@pytest.fixture
def aide(entity: Entity) -> User:
    return person("aide", entity, "buyer")


class TestDelegate:
    def test_lets_another_decide_on_behalf_with_both_names_kept(
        self, entity: Entity, boss: User, aide: User
    ) -> None:
        approval = ask(entity)
        with pytest.raises(NotYours):
            agree(approval, aide)
        stand_in(boss, aide, entity)

        done = agree(approval, aide)

        step = ApprovalStep.objects.get(approval=approval)
        assert (done.state, step.decided_by, step.on_behalf_of) == ("approved", aide, boss)
        entry = AuditEntry.objects.get(action="governance.approve")
        assert (entry.actor, entry.on_behalf_of, entry.after["on_behalf_of"]) == (
            aide,
            boss,
            "boss",
        )
        entry = AuditEntry.objects.get(action="governance.delegate")
        assert (entry.actor, entry.after["from"], entry.after["to"]) == (boss, "boss", "aide")

    def test_decides_by_their_own_right_first(self, entity: Entity, boss: User) -> None:
        other = person("other", entity, "controller")
        stand_in(boss, other, entity)
        approval = ask(entity)

        agree(approval, other)

        assert ApprovalStep.objects.get(approval=approval).on_behalf_of is None

    @pytest.mark.parametrize(
        ("after", "may"),
        [(-SECOND, False), (timedelta(0), True), (DAY - SECOND, True), (DAY, False)],
    )
    def test_holds_from_its_first_second_until_just_before_its_last(
        self, entity: Entity, boss: User, aide: User, after: timedelta, *, may: bool
    ) -> None:
        begins = NOW + timedelta(hours=3)
        stand_in(boss, aide, entity, starts_at=begins, ends_at=begins + DAY)
        approval = ask(entity)

        if may:
            assert agree(approval, aide, now=begins + after).state == "approved"
        else:
            with pytest.raises(NotYours):
                agree(approval, aide, now=begins + after)

    def test_is_only_of_the_role_it_names(self, entity: Entity, boss: User, aide: User) -> None:
        approval = ask(entity)
        stand_in(boss, aide, entity, role="operations_lead")

        with pytest.raises(NotYours):
            agree(approval, aide)
        stand_in(boss, aide, entity, role="controller")

        assert agree(approval, aide).state == "approved"

    def test_is_not_passed_on_further(self, entity: Entity, boss: User, aide: User) -> None:
        last = person("last", entity, "buyer")
        stand_in(boss, aide, entity)
        stand_in(aide, last, entity)

        with pytest.raises(NotYours):
            agree(ask(entity), last)

    def test_is_of_one_entity(self, entity: Entity, boss: User, aide: User) -> None:
        far = Entity.objects.create(code="DE01", name="DE", currency="EUR", country="DE")
        person("boss", far, "controller")
        person("aide", far, "buyer")
        stand_in(boss, aide, far)

        with pytest.raises(NotYours):
            agree(ask(entity), aide)

    def test_ends_when_the_one_behind_it_leaves(
        self, entity: Entity, boss: User, aide: User
    ) -> None:
        stand_in(boss, aide, entity)
        User.objects.filter(pk=boss.pk).update(is_active=False)

        with pytest.raises(NotYours):
            agree(ask(entity), aide)

    def test_ends_when_it_is_taken_back(self, entity: Entity, boss: User, aide: User) -> None:
        found = stand_in(boss, aide, entity)

        revoke_delegation(delegation_id=found.pk, actor=boss, now=NOW)
        revoke_delegation(delegation_id=found.pk, actor=boss, now=NOW + DAY)

        with pytest.raises(NotYours):
            agree(ask(entity), aide)
        assert Delegation.objects.get().revoked_at == NOW
        told = Message.objects.filter(name="governance.approvals_delegated").order_by("pk")
        assert [m.payload["is_revoked"] for m in told] == [0, 1]

    def test_done_twice_is_done_once(self, entity: Entity, boss: User, aide: User) -> None:
        assert stand_in(boss, aide, entity).pk == stand_in(boss, aide, entity).pk

    @pytest.mark.parametrize(
        ("values", "field"),
        [
            ({"ends_at": NOW}, "until"),
            ({"starts_at": NOW - 2 * DAY, "ends_at": NOW - DAY}, "until"),
            ({"ends_at": NOW + 367 * DAY}, "until"),
            ({"role": "executive"}, "role"),
        ],
    )
    def test_refuses_nonsense_by_field(
        self, entity: Entity, boss: User, aide: User, values: dict[str, Any], field: str
    ) -> None:
        with pytest.raises(BadDelegation) as refused:
            stand_in(boss, aide, entity, **values)

        assert refused.value.errors[0]["field"] == field
        assert not Delegation.objects.exists()

    def test_refuses_oneself_by_whatever_account(self, entity: Entity, boss: User) -> None:
        User.objects.filter(pk=boss.pk).update(employee_ref="E1")
        twin = person("twin", entity, "buyer", employee_ref="E1")

        for stands in (boss, twin):
            with pytest.raises(BadDelegation, match="themselves"):
                stand_in(User.objects.get(pk=boss.pk), stands, entity)

    def test_refuses_somebody_from_elsewhere(self, entity: Entity, boss: User) -> None:
        far = Entity.objects.create(code="DE01", name="DE", currency="EUR", country="DE")

        with pytest.raises(BadDelegation, match="no role in US01"):
            stand_in(boss, person("far", far, "controller"), entity)

    def test_a_role_that_has_ended_is_no_place_in_the_entity(
        self, entity: Entity, boss: User, aide: User
    ) -> None:
        stand_in(boss, aide, entity)
        aide.roles.update(valid_until=NOW)

        with pytest.raises(NotYours):
            agree(ask(entity), aide)

    def test_is_for_oneself_unless_one_may_do_it_for_others(
        self, entity: Entity, boss: User, aide: User, clerk: User
    ) -> None:
        with pytest.raises(NotYours):
            stand_in(boss, aide, entity, actor=clerk)
        grant(clerk, "governance.delegate_for_others", entity)

        assert stand_in(boss, aide, entity, actor=clerk).created_by == clerk


class TestSegregation:
    def test_who_stands_in_for_the_one_who_asked_does_not_decide(
        self, entity: Entity, boss: User
    ) -> None:
        """Neither by the power passed on nor by a role of their own."""
        other, third = person("other", entity, "controller"), person("third", entity, "controller")
        approval = ask(entity, by=boss)
        stand_in(boss, other, entity)

        with pytest.raises(OwnRequest, match="stand in"):
            agree(approval, other)

        assert states(approval) == ["pending", "open"]
        assert agree(approval, third).state == "approved"

    def test_nobody_decides_on_behalf_of_who_took_part(
        self, entity: Entity, boss: User, aide: User
    ) -> None:
        stand_in(boss, aide, entity)

        with pytest.raises(OwnRequest):
            agree(ask(entity, barred=[boss.pk]), aide)

    def test_who_asked_decides_on_nobody_s_behalf(
        self, entity: Entity, boss: User, aide: User
    ) -> None:
        stand_in(boss, aide, entity)

        with pytest.raises(OwnRequest):
            agree(ask(entity, by=aide), aide)

    def test_a_power_is_used_once_a_request(self, entity: Entity, boss: User, aide: User) -> None:
        matrix(row(1, "controller"), row(2, "operations_lead"))
        stand_in(boss, aide, entity)
        approval = ask(entity)
        agree(approval, aide)

        with pytest.raises(DecidedBefore):
            agree(approval, boss)

        assert states(approval) == ["pending", "approved", "open"]


class TestDelegateRequest:
    def test_passes_on_one_request_alone(self, entity: Entity, boss: User, aide: User) -> None:
        one, other = ask(entity), ask(entity, document_id=2)

        for _twice in range(2):
            delegate_request(
                approval_id=one.pk, delegate=aide, ends_at=NOW + DAY, actor=boss, now=NOW
            )

        assert Delegation.objects.count() == 1
        with pytest.raises(NotYours):
            agree(other, aide)
        assert agree(one, aide).state == "approved"

    def test_refuses_what_is_not_the_person_s_own_to_decide(
        self, entity: Entity, boss: User, aide: User
    ) -> None:
        approval, last = ask(entity), person("last", entity, "buyer")
        stand_in(boss, aide, entity)

        with pytest.raises(NotYours):
            delegate_request(
                approval_id=approval.pk, delegate=last, ends_at=NOW + DAY, actor=aide, now=NOW
            )

    def test_refuses_who_took_part(self, entity: Entity, boss: User, aide: User) -> None:
        with pytest.raises(BadDelegation):
            delegate_request(
                approval_id=ask(entity, by=aide).pk,
                delegate=aide,
                ends_at=NOW + DAY,
                actor=boss,
                now=NOW,
            )


class TestAbsence:
    def away(self, user: User, **values: Any) -> Absence:
        asked = {"user": user, "starts_at": NOW, "ends_at": NOW + DAY, "actor": user, "now": NOW}
        return report_absence(**asked | values)

    def test_of_everybody_sends_a_request_to_the_role_of_escalation(
        self, entity: Entity, boss: User
    ) -> None:
        matrix(row(1, "controller", hours=8, on_expiry="escalate", escalate_to="executive"))
        chief = person("chief", entity, "executive")
        self.away(boss)

        approval = ask(entity)

        step = ApprovalStep.objects.get(approval=approval)
        assert (step.escalated_to, step.stranded_at) == ("executive", None)
        (told,) = Message.objects.filter(name="governance.approval_escalated")
        assert (told.payload["due_at"], "away" in told.payload["reason"]) == ("", True)
        assert agree(approval, chief).state == "approved"

    def test_leaves_it_with_the_delegate(self, entity: Entity, boss: User, aide: User) -> None:
        matrix(row(1, "controller", hours=8, on_expiry="escalate", escalate_to="executive"))
        stand_in(boss, aide, entity)
        self.away(boss)

        approval = ask(entity)

        assert ApprovalStep.objects.get(approval=approval).escalated_to == ""
        (row_,) = waiting_for(user=aide, entity_ids=[entity.pk])
        assert (row_.may_decide, row_.acting_for) == (True, "Boss")

    def test_that_begins_later_is_seen_when_it_begins(self, entity: Entity, boss: User) -> None:
        matrix(row(1, "controller", hours=8, on_expiry="escalate", escalate_to="executive"))
        person("chief", entity, "executive")
        self.away(boss, starts_at=NOW + DAY, ends_at=NOW + 2 * DAY)
        approval = ask(entity)

        look_after_approvals(now=NOW + DAY - SECOND)
        assert ApprovalStep.objects.get(approval=approval).escalated_to == ""
        look_after_approvals(now=NOW + DAY)
        assert ApprovalStep.objects.get(approval=approval).escalated_to == "executive"
        look_after_approvals(now=NOW + DAY)
        assert Message.objects.filter(name="governance.approval_escalated").count() == 1

    def test_with_nobody_to_hand_it_to_is_reported_and_ends_with_it(
        self, entity: Entity, boss: User
    ) -> None:
        absence = self.away(boss)
        approval = ask(entity)

        step = ApprovalStep.objects.get(approval=approval)
        assert step.stranded_why.startswith("Everybody who could decide is away")
        end_absence(absence_id=absence.pk, actor=boss, now=NOW)
        look_after_approvals(now=NOW)

        assert ApprovalStep.objects.get(approval=approval).stranded_at is None

    def test_is_told_once_by_oneself(self, entity: Entity, boss: User, aide: User) -> None:
        assert self.away(boss).pk == self.away(boss).pk
        with pytest.raises(NotYours):
            self.away(boss, actor=aide)
        with pytest.raises(BadDelegation):
            self.away(boss, ends_at=NOW)
        assert Absence.objects.count() == 1
