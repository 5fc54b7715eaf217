"""Erasing personal data: asked by one, agreed to by another; the chain of the trail stays whole."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import ClassVar

from django.db import transaction

from erp.accounts.models import User
from erp.governance.erasers import person_kind
from erp.governance.models import Approval
from erp.governance.permissions import BE_SECOND_PERSON
from erp.governance.services._approving import request_approval
from erp.governance.services._recording import Change, record
from erp.kernel.errors import DomainError
from erp.kernel.sql import run

SUFFIX = ".erasure"
EMPTY = """
    UPDATE governance_personaldatum SET salt = '', value = '', erased_at = %(now)s
    WHERE subject = %(subject)s AND erased_at IS NULL
"""


class NobodyToErase(DomainError):
    """There is no such record with personal data."""

    code: ClassVar[str] = "nobody_to_erase"


class ErasureReasonMissing(DomainError):
    """Whoever has personal data erased says why."""

    code: ClassVar[str] = "reason_missing"


@transaction.atomic
def ask_erasure(
    *, kind: str, code: str, entity_id: int, reason: str, actor: User, now: datetime
) -> Approval:
    """Ask a second person to agree that a record's personal data is erased; then it is.

    `kind` is the record's ("orders.customer"), `code` its code. Asking again returns what waits.

    Raises:
        ErasureReasonMissing: no reason is given.
        NobodyToErase: there is no such record.
    """
    if not reason.strip():
        raise ErasureReasonMissing("Say why it is erased: a request, the end of a term.")
    owner = person_kind(kind)
    found = owner.find(code) if owner else None
    if found is None:
        raise NobodyToErase(f"There is no {code} whose personal data could be erased.")
    subject_id, label = found
    return request_approval(
        entity_id=entity_id,
        document_kind=f"{kind}{SUFFIX}",
        document_id=subject_id,
        label=label[:120],
        permission=BE_SECOND_PERSON,
        role="controller",
        amount=Decimal(0),
        currency="",
        consequence=f"Contact, e-mail, phone and address are erased for good. {reason}"[:300],
        fingerprint=hashlib.sha256(f"{kind}:{subject_id}".encode()).hexdigest(),
        requested_by=actor,
        threads=[f"{kind}:{subject_id}"],
        now=now,
    )


@transaction.atomic
def erase_person(*, approval_id: int, now: datetime) -> Mapping[str, int]:
    """Erase what an approved request is about: the record, its copies, and the trail's values.

    The trail keeps its commitments, so that its chain stays whole. Returns how many rows of what.
    Erasing again finds nothing and changes nothing.

    Raises:
        Approval.DoesNotExist: no such request was approved.
    """
    approval = Approval.objects.select_for_update(of=["self"]).get(
        pk=approval_id, state=Approval.State.APPROVED, document_kind__endswith=SUFFIX
    )
    kind = approval.document_kind.removesuffix(SUFFIX)
    owner = person_kind(kind)
    subject = f"{kind}:{approval.document_id}"
    erased = dict(owner.erase(approval.document_id)) if owner else {}
    erased["audit values"] = run(EMPTY, {"subject": subject, "now": now})
    if not any(erased.values()):
        return erased
    change = Change(
        entity_id=approval.entity_id,
        action="governance.erase_person",
        subject_kind=kind,
        subject_id=approval.document_id,
        thread=subject,
        after=erased,
        reason=f"Asked by {approval.requested_by}, agreed to by {approval.decided_by}"[:300],
    )
    record(changes=[change], actor=approval.decided_by, now=now)
    return erased
