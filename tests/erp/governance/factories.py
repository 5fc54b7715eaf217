"""The smallest worlds in which something is to be approved."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from erp.accounts.models import Entity, RoleAssignment, User
from erp.governance.models import Approval, ApprovalStep, Delegation
from erp.governance.services import (
    activate_version,
    approve,
    delegate,
    fire_due_approvals,
    request_approval,
    write_version,
)
from tests.conftest import NOW

MAY = "procurement.approve_purchase_order"
MONDAY = datetime.fromisoformat("2026-11-23T14:00:00+00:00")  # 9 a.m. in New York
KIND = "test.document"


def person(name: str, entity: Entity, *roles: str, employee_ref: str = "") -> User:
    user = User.objects.get_or_create(
        username=name, defaults={"first_name": name.title(), "employee_ref": employee_ref}
    )[0]
    for role in roles:
        RoleAssignment.objects.get_or_create(user=user, entity=entity, role=role)
    user.__dict__.pop("granted", None)
    return user


def row(step: int, role: str = "", *when: list[Any], **then: Any) -> dict[str, Any]:
    """Return one row of a matrix."""
    answers = {
        "step": step, "permission": "", "role": role, "rule": "all", "hours": 0,
        "on_expiry": "void", "escalate_to": "",
    }  # fmt: skip
    return {"when": list(when) or [["document_type", "=", KIND]], "then": answers | then}


def matrix(*rows: dict[str, Any], entity: Entity | None = None) -> str:
    """Put a matrix into force; return its label."""
    author = User.objects.get_or_create(username="author")[0]
    activator = User.objects.get_or_create(username="activator")[0]
    version = write_version(
        policy="governance.approvals",
        entity_id=entity.pk if entity else None,
        table={"hit": "collect", "rows": list(rows)},
        author=author,
        now=NOW,
    )
    activate_version(version_id=version.pk, actor=activator, now=NOW)
    return f"governance.approvals v{version.number}"


def ask(entity: Entity, by: User | None = None, **values: Any) -> Approval:
    asked: dict[str, Any] = {
        "entity_id": entity.pk,
        "document_kind": KIND,
        "document_id": 1,
        "label": "DOC-1",
        "permission": MAY,
        "role": "operations_lead",
        "amount": Decimal(100),
        "currency": entity.currency,
        "consequence": "It is sent.",
        "fingerprint": "f1",
        "requested_by": by,
        "now": NOW,
    }
    return request_approval(**asked | values)


def agree(
    approval: Approval, actor: User, now: datetime = NOW, fingerprint: str = "f1"
) -> Approval:
    return approve(approval_id=approval.pk, actor=actor, fingerprint=fingerprint, now=now)


def stand_in(
    delegator: User, stands: User, entity: Entity, now: datetime = NOW, **values: Any
) -> Delegation:
    asked = {
        "delegator": delegator,
        "delegate": stands,
        "entity_id": entity.pk,
        "starts_at": now,
        "ends_at": now + timedelta(days=7),
        "actor": delegator,
        "now": now,
    }
    return delegate(**asked | values)


def states(approval: Approval) -> list[str]:
    """Return the states of a request and of its steps."""
    found = ApprovalStep.objects.filter(approval=approval).order_by("number", "pk")
    now = Approval.objects.get(pk=approval.pk)
    return [str(now.state), *(str(step.state) for step in found)]


def run_out(now: datetime) -> Sequence[tuple[int, datetime, bool]]:
    """Let the clocks run out that are due; return request, original due time, handed on."""
    return [(one.approval_id, one.due_at, one.is_escalated) for one in fire_due_approvals(now=now)]
