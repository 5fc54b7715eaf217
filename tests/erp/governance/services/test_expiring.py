"""erp/governance/services/_expiring.py: clocks, people who leave, documents that change."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from erp.accounts.models import Entity, RoleAssignment, User
from erp.governance import documents
from erp.governance.documents import DocumentKind, register_document
from erp.governance.models import Approval, ApprovalStep, ApprovalTimer, AuditEntry
from erp.governance.services import (
    AlreadyDecided,
    DocumentChanged,
    fire_due_approvals,
    look_after_approvals,
    reject,
)
from erp.governance.tasks import fire_approval_clocks, look_after_open_approvals
from erp.kernel.errors import DomainError
from erp.outbox.models import Message
from tests.conftest import NOW
from tests.erp.governance.factories import (
    KIND,
    MONDAY,
    agree,
    ask,
    matrix,
    person,
    row,
    run_out,
    states,
)

HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)


@pytest.fixture
def entity(entity: Entity) -> Entity:
    Entity.objects.filter(pk=entity.pk).update(time_zone="America/New_York")
    return Entity.objects.get(pk=entity.pk)


def told(name: str) -> list[dict[str, Any]]:
    return [m.payload for m in Message.objects.filter(name=name).order_by("pk")]


@pytest.mark.django_db
class TestExpiry:
    def test_counts_the_entity_s_working_hours(self, entity: Entity) -> None:
        """Friday at five in New York, four hours: Monday at eleven, over a weekend."""
        matrix(row(1, "controller", hours=4))
        person("boss", entity, "controller")
        friday = datetime(2026, 11, 20, 22, tzinfo=UTC)

        ask(entity, now=friday)

        assert ApprovalTimer.objects.get().due_at == datetime(2026, 11, 23, 16, tzinfo=UTC)

    def test_ends_the_request_with_a_sentence_and_not_a_second_early(
        self, entity: Entity, clerk: User
    ) -> None:
        matrix(row(1, "controller", hours=2))
        person("boss", entity, "controller")
        approval = ask(entity, by=clerk, now=MONDAY)

        assert run_out(MONDAY + 2 * HOUR - SECOND) == []
        assert run_out(MONDAY + 2 * HOUR) == [(approval.pk, MONDAY + 2 * HOUR, False)]

        assert states(approval) == ["void", "skipped"]
        (said,) = told("governance.approval_decided")
        assert (said["state"], said["cause"]) == ("void", "expired")
        assert said["reason"] == (
            "It expired: Controller did not decide within 2 working hours, by"
            " 23 November 2026, 11:00. Ask again if it is still needed."
        )
        with pytest.raises(AlreadyDecided, match="expired"):
            agree(approval, person("boss", entity))

    def test_hands_on_first_where_the_table_says_so_then_ends(self, entity: Entity) -> None:
        matrix(row(1, "controller", hours=2, on_expiry="escalate", escalate_to="executive"))
        boss, chief = person("boss", entity, "controller"), person("chief", entity, "executive")
        for document in range(3):
            ask(entity, document_id=document, now=MONDAY)
        by_chief, by_boss, by_nobody = Approval.objects.order_by("pk")

        fired = run_out(MONDAY + 2 * HOUR)

        assert fired == [
            (each.pk, MONDAY + 2 * HOUR, True) for each in (by_chief, by_boss, by_nobody)
        ]
        assert {said["due_at"] for said in told("governance.approval_escalated")} == {
            (MONDAY + 2 * HOUR).isoformat()
        }
        assert agree(by_chief, chief, now=MONDAY + 3 * HOUR).state == "approved"
        assert agree(by_boss, boss, now=MONDAY + 3 * HOUR).state == "approved"
        assert run_out(MONDAY + 4 * HOUR) == [(by_nobody.pk, MONDAY + 4 * HOUR, False)]
        assert states(by_nobody) == ["void", "skipped"]

    def test_what_was_decided_no_longer_runs(self, entity: Entity) -> None:
        matrix(row(1, "controller", hours=2), row(2, "executive", hours=2))
        boss = person("boss", entity, "controller")
        approval, refused = ask(entity, now=MONDAY), ask(entity, document_id=2, now=MONDAY)
        agree(approval, boss, now=MONDAY + HOUR)
        reject(approval_id=refused.pk, actor=boss, reason="No.", now=MONDAY + HOUR)

        assert run_out(MONDAY + 3 * HOUR - SECOND) == []  # the second step's own two hours
        assert run_out(MONDAY + 3 * HOUR) == [(approval.pk, MONDAY + 3 * HOUR, False)]

    def test_after_an_outage_each_fires_once_in_order_with_its_own_due_time(
        self, entity: Entity
    ) -> None:
        """Workers stand still for six minutes while three clocks run out, then two of them go."""
        matrix(
            row(1, "controller", ["amount", "<=", 100], hours=2),
            row(1, "controller", ["amount", ">", 100], hours=2, on_expiry="escalate",
                escalate_to="executive"),
        )  # fmt: skip
        person("boss", entity, "controller")
        person("chief", entity, "executive")
        asked = [
            ask(entity, document_id=n, amount=99 + n, now=MONDAY + (4 - 2 * n) * MINUTE)
            for n in range(3)
        ]
        due = {each.pk: each.requested_at + 2 * HOUR for each in asked}
        back = MONDAY + 2 * HOUR + 10 * MINUTE

        fired = run_out(back)

        order = sorted(due, key=lambda pk: due[pk])
        assert [pk for pk, _due, _on in fired] == order == [each.pk for each in reversed(asked)]
        assert [at for _pk, at, _on in fired] == [due[pk] for pk in order]
        assert run_out(back) == []
        told_of = AuditEntry.objects.filter(
            action__in=["governance.void_approval", "governance.escalate_approval"]
        ).order_by("pk")
        assert [entry.subject_id for entry in told_of] == order
        assert set(ApprovalTimer.objects.exclude(fired_at=None).values_list("fired_at")) == {
            (back,)
        }
        renewed = ApprovalTimer.objects.get(fired_at=None, cancelled_at=None)
        assert renewed.due_at == back + 2 * HOUR  # whoever got it has the full time

    def test_two_clocks_of_one_request_end_it_once(self, entity: Entity) -> None:
        matrix(row(1, "controller", hours=2), row(1, "pricing", hours=2))
        approval = ask(entity, now=MONDAY)

        assert len(run_out(MONDAY + 3 * HOUR)) == 1
        assert len(told("governance.approval_decided")) == 1
        assert states(approval) == ["void", "skipped", "skipped"]

    def test_no_hours_is_no_clock(self, entity: Entity) -> None:
        matrix(row(1, "controller"))
        ask(entity, now=MONDAY)

        assert not ApprovalTimer.objects.exists()

    def test_the_database_lets_a_step_have_one_clock(self, entity: Entity) -> None:
        matrix(row(1, "controller", hours=2))
        step = ApprovalStep.objects.get(approval=ask(entity, now=MONDAY))

        with pytest.raises(IntegrityError), transaction.atomic():
            ApprovalTimer.objects.create(step=step, due_at=MONDAY)

    def test_the_timetable_s_tasks_do_it(self, entity: Entity) -> None:
        matrix(row(1, "controller", hours=2))
        approval = ask(entity, now=MONDAY - timedelta(days=30))

        fire_approval_clocks()
        look_after_open_approvals()

        assert states(approval) == ["void", "skipped"]


@pytest.mark.django_db
class TestSomebodyLeaves:
    def test_the_only_holder_asked_is_reported_at_once(self, entity: Entity) -> None:
        matrix(row(1, "controller"))
        boss = person("boss", entity, "controller")

        approval = ask(entity, by=boss)

        (said,) = told("governance.approval_stranded")
        assert said["reason"] == "Only those who took part could decide: Controller."
        step = ApprovalStep.objects.get(approval=approval)
        assert (step.stranded_at, step.stranded_why) == (NOW, said["reason"])

    def test_it_is_handed_on_where_the_table_names_somebody(self, entity: Entity) -> None:
        matrix(row(1, "controller", escalate_to="executive"))
        boss, chief = person("boss", entity, "controller"), person("chief", entity, "executive")

        approval = ask(entity, by=boss)

        assert told("governance.approval_stranded") == []
        assert agree(approval, chief).state == "approved"

    def test_the_last_holder_who_leaves_is_noticed_and_a_new_one_too(self, entity: Entity) -> None:
        matrix(row(1, "controller"))
        boss = person("boss", entity, "controller")
        approval = ask(entity)
        assert told("governance.approval_stranded") == []

        RoleAssignment.objects.filter(user=boss).delete()
        for _twice in range(2):
            look_after_approvals(now=NOW + HOUR)
        assert [said["reason"] for said in told("governance.approval_stranded")] == [
            "Nobody holds what it asks for: Controller."
        ]
        person("new", entity, "controller")
        look_after_approvals(now=NOW + 2 * HOUR)

        step = ApprovalStep.objects.get(approval=approval)
        assert (step.stranded_at, step.stranded_why) == (None, "")

    def test_the_next_step_is_looked_at_when_it_opens(self, entity: Entity) -> None:
        matrix(row(1, "controller"), row(2, "controller", permission="governance.view_auditentry"))
        approval = ask(entity)
        RoleAssignment.objects.exclude(role="controller").delete()

        agree(approval, person("boss", entity, "controller"))

        assert told("governance.approval_stranded")[-1]["step"] == 2


@pytest.fixture
def document() -> Iterator[dict[int, str]]:
    """Documents of a kind whose owner tells what they are now."""
    present: dict[int, str] = {1: "f1", 2: "f1"}
    register_document(
        KIND, DocumentKind(lambda ids: {pk: present[pk] for pk in ids if pk in present}, "Document")
    )
    yield present
    documents._kinds.pop(KIND)


@pytest.mark.django_db
class TestDocumentChanged:
    def test_is_refused_to_who_decides_and_the_request_becomes_void(
        self, entity: Entity, document: dict[int, str]
    ) -> None:
        boss, approval = person("boss", entity, "operations_lead"), ask(entity)
        document[1] = "f2"

        with pytest.raises(DocumentChanged, match="changed after the request") as refused:
            agree(approval, boss)
        assert states(approval) == ["pending", "open"]
        refused.value.follow_up(NOW)
        refused.value.follow_up(NOW)

        assert states(approval) == ["void", "skipped"]
        assert [said["cause"] for said in told("governance.approval_decided")] == ["changed"]

    def test_is_found_before_anybody_decides(
        self, entity: Entity, document: dict[int, str]
    ) -> None:
        first, second = ask(entity), ask(entity, document_id=2)
        del document[1]

        assert look_after_approvals(now=NOW) == second.pk

        assert [states(first)[0], states(second)[0]] == ["void", "pending"]
        assert look_after_approvals(now=NOW, after=second.pk) == 0


@pytest.mark.django_db(transaction=True)
class TestTogether:
    def race(self, *steps: Callable[[], object]) -> list[str]:
        ready = Barrier(len(steps))

        def run(step: Callable[[], object]) -> str:
            try:
                ready.wait()
                step()
            except DomainError as refusal:
                return refusal.code
            else:
                return "done"
            finally:
                connection.close()

        with ThreadPoolExecutor(len(steps)) as pool:
            return sorted(pool.map(run, steps))

    def test_of_two_at_once_one_wins_fifty_times(self, entity: Entity) -> None:
        matrix(row(1, "controller"))
        one, two = person("one", entity, "controller"), person("two", entity, "controller")
        for turn in range(50):
            approval = ask(entity, document_id=turn)
            outcomes = self.race(
                lambda a=approval: agree(a, one),
                lambda a=approval: reject(approval_id=a.pk, actor=two, reason="No.", now=NOW),
            )
            assert outcomes == ["already_decided", "done"]
        decided = AuditEntry.objects.filter(action__in=["governance.approve", "governance.reject"])
        assert decided.count() == 50
        assert Message.objects.filter(name="governance.approval_decided").count() == 50

    def test_two_steps_side_by_side_agreed_at_once_approve_once(self, entity: Entity) -> None:
        matrix(row(1, "controller"), row(1, "pricing"), row(2, "executive"))
        one, two = person("one", entity, "controller"), person("two", entity, "pricing")
        for turn in range(10):
            approval = ask(entity, document_id=turn)
            outcomes = self.race(lambda a=approval: agree(a, one), lambda a=approval: agree(a, two))
            assert outcomes == ["done", "done"]
            assert states(approval) == ["pending", "approved", "approved", "open"]

    def test_a_decision_and_the_clock_leave_one_end(self, entity: Entity) -> None:
        matrix(row(1, "controller", hours=2))
        boss, late = person("boss", entity, "controller"), MONDAY + 3 * HOUR
        for turn in range(10):
            approval = ask(entity, document_id=turn, now=MONDAY)
            self.race(
                lambda a=approval: agree(a, boss, now=late), lambda: fire_due_approvals(now=late)
            )
            fire_due_approvals(now=late)
            ended = Approval.objects.get(pk=approval.pk)
            told_of = Message.objects.filter(
                name="governance.approval_decided", payload__approval_id=approval.pk
            )
            assert ended.state in {"approved", "void"}
            assert [m.payload["state"] for m in told_of] == [ended.state]

    def test_several_sweepers_fire_each_clock_once(self, entity: Entity) -> None:
        matrix(row(1, "controller", hours=2))
        for document in range(20):
            ask(entity, document_id=document, now=MONDAY)

        self.race(*[lambda: fire_due_approvals(now=MONDAY + 3 * HOUR)] * 4)

        assert ApprovalTimer.objects.filter(fired_at=None).count() == 0
        assert Message.objects.filter(name="governance.approval_decided").count() == 20
