"""erp/governance/services/_changing.py: sensitive values change with two people."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest

from erp.accounts.models import Entity, User
from erp.governance.models import Approval, AuditEntry, ChangeRequest
from erp.governance.selectors import pending_changes
from erp.governance.services import (
    NothingChanges,
    OwnRequest,
    ValueMoved,
    applies_changes,
    approve,
    reject,
    request_change,
    settle_change,
)
from tests.conftest import NOW, grant

pytestmark = pytest.mark.django_db
MAY = "procurement.approve_purchase_order"
THREAD = "test.record:1"


@pytest.fixture
def stored() -> Iterator[dict[str, Any]]:
    """A record of an owner of its own: what stands in it."""
    record: dict[str, Any] = {"iban": "OLD", "tax_id": "T1"}

    def write(change: ChangeRequest, actor: User, at: datetime) -> None:
        if record[change.field] != change.before:
            raise ValueMoved(f"It is {record[change.field]} now.")
        record[change.field] = change.after

    applies_changes.by_kind["test.record"] = write
    yield record
    del applies_changes.by_kind["test.record"]


def ask(entity: Entity, by: User | None, **values: Any) -> ChangeRequest:
    asked = {
        "entity_id": entity.pk,
        "document_kind": "test.record",
        "document_id": 1,
        "label": "Bank account of ARVO",
        "thread": THREAD,
        "field": "iban",
        "before": "OLD",
        "after": "NEW",
        "reason": "letter of 3 May",
        "permission": MAY,
        "role": "controller",
        "requested_by": by,
        "now": NOW,
    }
    return request_change(**asked | values)


def agree(change: ChangeRequest, by: User) -> None:
    waiting = Approval.objects.get(document_id=change.pk, state="pending")
    approve(approval_id=waiting.pk, actor=by, fingerprint=waiting.fingerprint, now=NOW)


@pytest.fixture
def controller(entity: Entity) -> User:
    user = User.objects.create_user("controller")
    grant(user, MAY, entity)
    return user


class TestRequestChange:
    def test_changes_nothing_until_somebody_else_agrees(
        self, entity, clerk, controller, stored, deliver_all: Callable[[], int]
    ) -> None:
        grant(clerk, MAY, entity)
        change = ask(entity, clerk)
        assert stored["iban"] == "OLD"
        with pytest.raises(OwnRequest):
            agree(change, clerk)

        agree(change, controller)
        deliver_all()

        assert stored["iban"] == "NEW"
        change = ChangeRequest.objects.get()
        assert (change.state, change.settled_by, change.settled_at) == (
            "applied", controller, change.settled_at,
        )  # fmt: skip
        story = AuditEntry.objects.filter(thread=THREAD).order_by("id")
        assert [each.action for each in story] == [
            "governance.request_change",
            "governance.apply_change",
        ]

    def test_is_void_when_the_value_moved_meanwhile(
        self, entity, clerk, controller, stored, deliver_all
    ) -> None:
        change = ask(entity, clerk)
        stored["iban"] = "OTHER"

        agree(change, controller)
        deliver_all()

        change = ChangeRequest.objects.get()
        assert (change.state, change.note) == ("void", "It is OTHER now.")
        assert stored["iban"] == "OTHER"

    def test_is_dropped_when_it_is_rejected(
        self, entity, clerk, controller, stored, deliver_all
    ) -> None:
        ask(entity, clerk)
        waiting = Approval.objects.get()

        reject(approval_id=waiting.pk, actor=controller, reason="Call them first.", now=NOW)
        deliver_all()

        change = ChangeRequest.objects.get()
        assert (change.state, change.note) == ("rejected", "Call them first.")
        assert stored["iban"] == "OLD"

    def test_asked_again_it_is_the_same_request(self, entity, clerk, stored) -> None:
        assert ask(entity, clerk).pk == ask(entity, clerk).pk
        assert Approval.objects.count() == 1

    def test_asked_for_another_value_the_first_is_void(
        self, entity, clerk, controller, stored, deliver_all
    ) -> None:
        first = ask(entity, clerk)
        second = ask(entity, clerk, after="THIRD")
        deliver_all()

        states = dict(ChangeRequest.objects.values_list("pk", "state"))
        assert states == {first.pk: "void", second.pk: "pending"}
        assert set(Approval.objects.values_list("state", flat=True)) == {"void", "pending"}
        (shown,) = pending_changes(thread=THREAD, entity_ids=[entity.pk])
        assert (shown.after, shown.role, shown.requested_by) == ("THIRD", "controller", str(clerk))
        assert pending_changes(thread=THREAD, entity_ids=[]) == []

    def test_other_fields_wait_beside_it(self, entity, clerk, stored) -> None:
        ask(entity, clerk)
        ask(entity, clerk, field="tax_id", before="T1", after="T2")

        assert ChangeRequest.objects.filter(state="pending").count() == 2

    def test_refuses_what_changes_nothing(self, entity, clerk, stored) -> None:
        with pytest.raises(NothingChanges):
            ask(entity, clerk, after="OLD")

        assert not ChangeRequest.objects.exists()


class TestSettleChange:
    def test_done_again_changes_nothing(self, entity, clerk, controller, stored) -> None:
        change = ask(entity, clerk)
        said = {"change_id": change.pk, "decided_by": controller, "now": NOW}
        settle_change(state="approved", reason="", **said)

        again = settle_change(state="rejected", reason="no", **said)

        assert again.state == "applied"
        assert stored["iban"] == "NEW"
