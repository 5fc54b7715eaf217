"""Changes of sensitive master data: asked for by one, agreed to by another."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from django.db import transaction

from erp.accounts.models import User
from erp.governance.models import ChangeRequest
from erp.governance.rules.approving import ApprovalFacts, Effect
from erp.governance.services._approving import request_approval, withdraw
from erp.governance.services._recording import Change, as_json, record
from erp.kernel.errors import DomainError

KIND = "governance.change"
Applier = Callable[[ChangeRequest, User, datetime], None]


class ValueMoved(DomainError):
    """The value is no longer what the change was asked about."""

    code: ClassVar[str] = "value_moved"


class NothingChanges(DomainError):
    """The value is already so."""

    code: ClassVar[str] = "nothing_changes"


class Appliers:
    """Who writes an agreed change down, by the kind of its document; filled while apps load."""

    def __init__(self) -> None:
        self.by_kind: dict[str, Applier] = {}

    def __call__(self, kind: str) -> Callable[[Applier], Applier]:
        """Let the decorated function apply agreed changes of documents of `kind`.

        It compares the stored value with the change's `before` under a lock, raises ValueMoved
        where they differ, and calls the owner's service.

        Raises:
            ValueError: somebody else applies them already.
        """

        def register(applier: Applier) -> Applier:
            if kind in self.by_kind:
                raise ValueError(f"two apply changes of {kind}")
            self.by_kind[kind] = applier
            return applier

        return register


applies_changes = Appliers()


@transaction.atomic
def request_change(
    *,
    entity_id: int,
    document_kind: str,
    document_id: int,
    label: str,
    thread: str,
    field: str,
    before: Any,
    after: Any,
    reason: str,
    permission: str,
    role: str,
    requested_by: User | None,
    now: datetime,
    payload: Mapping[str, Any] | None = None,
    amount: Decimal = Decimal(0),
    currency: str = "",
    consequence: str = "",
    policy_version: str = "",
    effects: Sequence[Effect] = (),
) -> ChangeRequest:
    """Ask that `field` of a record becomes `after`; somebody else with `permission` must agree.

    Asking for the same again returns what waits; asking for another value replaces it. Values are
    plain: text, numbers as text, or lists and maps of them. `effects` are shown to who decides.

    Raises:
        NothingChanges: `after` is what it is already.
    """
    if before == after:
        raise NothingChanges(f"{label}: that is what it is already.")
    asked = {"document_kind": document_kind, "document_id": document_id, "field": field}
    open_ones = ChangeRequest.objects.select_for_update().filter(
        **asked, entity_id=entity_id, state="pending"
    )
    waiting = open_ones.first()
    if waiting is not None:
        if (waiting.before, waiting.after) == (before, after):
            return waiting
        _void(waiting, "Another value was asked for.", now)
    change = ChangeRequest(
        **asked,
        entity_id=entity_id,
        label=label[:120],
        thread=thread,
        before=before,
        after=after,
        payload=dict(payload or {}),
        reason=reason.strip()[:300],
        permission=permission,
        role=role,
        requested_by=requested_by,
        requested_at=now,
    )
    change.save(force_insert=True)
    _note(change, "request_change", requested_by, now)
    request_approval(
        entity_id=entity_id,
        document_kind=KIND,
        document_id=change.pk,
        label=change.label,
        permission=permission,
        role=role,
        amount=amount,
        currency=currency,
        consequence=consequence or _consequence(change),
        fingerprint=fingerprint_of(change),
        requested_by=requested_by,
        policy_version=policy_version,
        facts=ApprovalFacts(effects=effects),
        now=now,
    )
    return change


@transaction.atomic
def settle_change(
    *, change_id: int, state: str, decided_by: User | None, reason: str, now: datetime
) -> ChangeRequest:
    """Do what was decided about a change: apply it through its owner, or drop it.

    Settled already, it changes nothing. A change whose value has moved meanwhile is void.

    Raises:
        ChangeRequest.DoesNotExist: there is no such change.
    """
    change = ChangeRequest.objects.lock(change_id)
    if change.state != ChangeRequest.State.PENDING:
        return change
    if state == "approved" and decided_by is not None:
        try:
            with transaction.atomic():
                applies_changes.by_kind[change.document_kind](change, decided_by, now)
        except DomainError as moved:
            change.void(at=now, note=str(moved)[:300])
        else:
            change.apply(by_id=decided_by.pk, at=now)
    elif state == "rejected" and decided_by is not None:
        change.reject(by_id=decided_by.pk, at=now, note=reason[:300])
    else:
        change.void(at=now, note=reason[:300])
    change.save(update_fields=["state", "settled_by", "settled_at", "note"])
    verb = {"applied": "apply_change", "rejected": "reject_change"}.get(change.state, "void_change")
    _note(change, verb, decided_by, now)
    return change


def fingerprint_of(change: ChangeRequest) -> str:
    """Return what an approver agrees to, in short."""
    said = {"before": change.before, "after": change.after, "payload": change.payload}
    return hashlib.blake2b((as_json(said) or "").encode(), digest_size=16).hexdigest()


def _void(change: ChangeRequest, why: str, now: datetime) -> None:
    change.void(at=now, note=why)
    change.save(update_fields=["state", "settled_at", "note"])
    _note(change, "void_change", None, now)
    withdraw(document_kind=KIND, document_id=change.pk, reason=why, now=now)


def _consequence(change: ChangeRequest) -> str:
    said = f"{change.field.replace('_', ' ').capitalize()}: {change.before} → {change.after}."
    return f"{said} {change.reason}".strip()[:300]


def _note(change: ChangeRequest, verb: str, actor: User | None, now: datetime) -> None:
    entry = Change(
        entity_id=change.entity_id,
        action=f"governance.{verb}",
        subject_kind=KIND,
        subject_id=change.pk,
        thread=change.thread,
        before={change.field: change.before},
        after={change.field: change.after, "state": str(change.state)},
        reason=change.note or change.reason,
    )
    record(changes=[entry], actor=actor, now=now)
