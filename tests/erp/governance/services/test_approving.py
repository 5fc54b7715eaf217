"""erp/governance/services/_approving.py: a second pair of eyes."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from threading import Barrier
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from erp.accounts.models import Entity, User
from erp.governance.models import Approval, AuditEntry
from erp.governance.selectors import pending_approvals, waiting_count
from erp.governance.services import (
    AlreadyDecided,
    DocumentChanged,
    NotYours,
    OwnRequest,
    ReasonMissing,
    approve,
    reject,
    request_approval,
    withdraw,
)
from erp.kernel.errors import DomainError
from erp.outbox.models import Message
from tests.conftest import NOW, grant

MAY = "procurement.approve_purchase_order"


def ask(entity: Entity, by: User | None = None, **values: Any) -> Approval:
    asked = {
        "entity_id": entity.pk,
        "document_kind": "test.document",
        "document_id": 1,
        "label": "DOC-1",
        "permission": MAY,
        "role": "operations_lead",
        "amount": Decimal(10),
        "currency": "USD",
        "consequence": "It is sent.",
        "fingerprint": "f1",
        "requested_by": by,
        "now": NOW,
    }
    return request_approval(**asked | values)


def person(name: str, entity: Entity, employee_ref: str = "") -> User:
    user = User.objects.create_user(name, employee_ref=employee_ref)
    grant(user, MAY, entity)
    return user


def agree(approval: Approval, actor: User, fingerprint: str = "f1") -> Approval:
    return approve(approval_id=approval.pk, actor=actor, fingerprint=fingerprint, now=NOW)


def states() -> list[str]:
    return list(Approval.objects.order_by("pk").values_list("state", flat=True))


@pytest.mark.django_db
class TestRequestApproval:
    def test_asks_once_about_an_unchanged_document(self, entity: Entity) -> None:
        assert ask(entity).pk == ask(entity).pk
        assert states() == ["pending"]
        assert Message.objects.filter(name="governance.approval_requested").count() == 1

    def test_asks_anew_about_a_changed_one(self, entity: Entity) -> None:
        ask(entity)
        ask(entity, fingerprint="f2")

        assert states() == ["void", "pending"]

    def test_asks_apart_for_each_permission(self, entity: Entity) -> None:
        ask(entity)
        ask(entity, permission="finance.close_period")

        assert states() == ["pending", "pending"]


@pytest.mark.django_db
class TestApprove:
    def test_is_written_down_and_told(self, entity: Entity) -> None:
        boss = person("boss", entity)
        approval = ask(entity)

        agree(approval, boss)
        agree(approval, boss)

        assert states() == ["approved"]
        told = Message.objects.get(name="governance.approval_decided")
        assert (told.payload["state"], told.payload["decided_by_id"]) == ("approved", boss.pk)
        entry = AuditEntry.objects.get(action="governance.approve")
        assert (entry.thread, entry.actor) == ("test.document:1", boss)

    def test_refuses_the_one_who_asked_even_as_superuser(self, entity: Entity) -> None:
        asker = person("asker", entity)
        asker.is_superuser = True
        asker.save()
        approval = ask(entity, by=asker)

        with pytest.raises(OwnRequest):
            agree(approval, asker)
        with pytest.raises(OwnRequest):
            reject(approval_id=approval.pk, actor=asker, reason="no", now=NOW)

        assert states() == ["pending"]

    def test_refuses_the_same_employee_under_another_account(self, entity: Entity) -> None:
        approval = ask(entity, by=person("one", entity, "E1"))
        twin, other = person("two", entity, "E1"), person("three", entity, "E2")

        with pytest.raises(OwnRequest):
            agree(approval, twin)

        assert agree(approval, other).state == "approved"

    def test_people_without_a_reference_are_not_the_same(self, entity: Entity) -> None:
        approval = ask(entity, by=person("one", entity))

        assert agree(approval, person("two", entity)).state == "approved"

    def test_refuses_whoever_took_part(self, entity: Entity) -> None:
        author = person("author", entity, "E1")
        approval = ask(entity, barred=[author.pk])

        for actor in (author, person("twin", entity, "E1")):
            with pytest.raises(OwnRequest):
                agree(approval, actor)

    def test_refuses_who_may_not_there(self, entity: Entity) -> None:
        far = Entity.objects.create(code="DE01", name="DE", currency="EUR", country="DE")

        with pytest.raises(NotYours):
            agree(ask(entity), person("far", far))

        assert states() == ["pending"]

    def test_refuses_what_has_changed(self, entity: Entity) -> None:
        with pytest.raises(DocumentChanged):
            agree(ask(entity), person("boss", entity), fingerprint="f2")

        assert states() == ["pending"]

    def test_refuses_what_was_decided(self, entity: Entity) -> None:
        approval = ask(entity)
        agree(approval, person("boss", entity))
        other = person("other", entity)

        with pytest.raises(AlreadyDecided):
            agree(approval, other)
        with pytest.raises(AlreadyDecided):
            reject(approval_id=approval.pk, actor=other, reason="no", now=NOW)

        assert states() == ["approved"]

    def test_the_database_refuses_the_one_who_asked(self, entity: Entity) -> None:
        asker = person("asker", entity)
        ask(entity, by=asker)

        with pytest.raises(IntegrityError), transaction.atomic():
            Approval.objects.update(state="approved", decided_by=asker, decided_at=NOW)


@pytest.mark.django_db
class TestReject:
    def test_wants_a_reason(self, entity: Entity) -> None:
        boss, approval = person("boss", entity), ask(entity)

        with pytest.raises(ReasonMissing):
            reject(approval_id=approval.pk, actor=boss, reason=" ", now=NOW)
        reject(approval_id=approval.pk, actor=boss, reason="too dear", now=NOW)
        reject(approval_id=approval.pk, actor=boss, reason="again", now=NOW)

        assert Approval.objects.get().decision_reason == "too dear"
        assert states() == ["rejected"]


@pytest.mark.django_db
class TestWithdraw:
    def test_makes_what_waits_void(self, entity: Entity) -> None:
        approval = ask(entity)
        ask(entity, document_id=2)

        count = withdraw(
            document_kind="test.document", document_id=1, reason="It changed.", now=NOW
        )

        assert (count, states()) == (1, ["void", "pending"])
        with pytest.raises(AlreadyDecided):
            agree(approval, person("boss", entity))


@pytest.mark.django_db
class TestWaiting:
    def test_counts_only_what_the_person_may_decide(self, entity: Entity) -> None:
        boss = person("boss", entity)
        ask(entity)
        ask(entity, document_id=2, by=boss)
        ask(entity, document_id=3, permission="finance.close_period")

        listed = pending_approvals(entity_ids=[entity.pk], permissions=[MAY], user=boss)

        assert [row.is_own for row in listed] == [False, True]
        assert waiting_count(entity_ids=[entity.pk], user=boss) == 1


@pytest.mark.django_db(transaction=True)
class TestTogether:
    def race(self, *steps: Any) -> list[str]:
        ready = Barrier(len(steps))

        def run(step: Any) -> str:
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

    def test_of_two_at_once_one_wins(self, entity: Entity) -> None:
        for turn in range(5):
            approval = ask(entity, document_id=turn)
            one, two = person(f"one{turn}", entity), person(f"two{turn}", entity)

            outcomes = self.race(
                lambda a=approval, u=one: agree(a, u),
                lambda a=approval, u=two: reject(approval_id=a.pk, actor=u, reason="no", now=NOW),
            )

            assert outcomes == ["already_decided", "done"]
        assert (
            AuditEntry.objects.filter(
                action__in=["governance.approve", "governance.reject"]
            ).count()
            == 5
        )

    def test_two_requests_at_once_are_one(self, entity: Entity) -> None:
        assert self.race(lambda: ask(entity), lambda: ask(entity)) == ["done", "done"]
        assert states() == ["pending"]
