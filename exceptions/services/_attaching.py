"""Puts files on cases."""

import hashlib
import mimetypes
from datetime import datetime
from typing import ClassVar

from django.db import transaction

from erp.accounts.models import User
from erp.kernel.errors import DomainError
from erp.outbox.publishing import publish
from exceptions.events import CaseChanged
from exceptions.models import CaseAttachment, ExceptionCase
from exceptions.services._telling import tell_of

SIZE_MAX = 5_242_880
FILES_MAX = 50
NAME_MAX = 150


class BadFile(DomainError):
    """A file has a name and content, at most 5 MB, and a case at most fifty of them."""

    code: ClassVar[str] = "bad_file"


@transaction.atomic
def attach(
    *, case_id: int, name: str, content: bytes, actor: User, now: datetime
) -> CaseAttachment:
    """Keep a file on a case, closed or not. The same content again is the same attachment.

    Raises:
        ExceptionCase.DoesNotExist: there is no such case.
        BadFile: it is empty or nameless or too large, or the case has fifty files.

    Publishes:
        CaseChanged
    """
    called = name.replace("\\", "/").rpartition("/")[2].strip()[-NAME_MAX:]
    if not called or not content:
        raise BadFile("Choose a file that is not empty.")
    if len(content) > SIZE_MAX:
        raise BadFile("A file may have 5 MB at most.")
    case = ExceptionCase.objects.lock(case_id)
    digest = hashlib.sha256(content).hexdigest()
    known = CaseAttachment.objects.filter(case=case, digest=digest).first()
    if known is not None:
        return known
    if CaseAttachment.objects.filter(case=case).count() >= FILES_MAX:
        raise BadFile(f"A case keeps {FILES_MAX} files at most.")
    kept = CaseAttachment.objects.create(
        case=case,
        name=called,
        content_type=(mimetypes.guess_type(called)[0] or "application/octet-stream")[:100],
        size=len(content),
        digest=digest,
        content=content,
        added_at=now,
        added_by=actor,
    )
    after = {"name": called, "size": len(content), "sha256": digest}
    tell_of([case], "attach", actor=actor, now=now, after=after, reason=called)
    publish(CaseChanged(case_id=case.pk, entity_id=case.entity_id))
    return kept
