"""Words what happened to corrections."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from erp.governance.services import Change, record
from inventory.models import Correction

if TYPE_CHECKING:
    from erp.accounts.models import User

KIND = "inventory.correction"


def note(
    correction: Correction,
    verb: str,
    before: str,
    actor: "User | None",
    now: datetime,
    *,
    reason: str = "",
    version: str = "",
    **after: Any,
) -> None:
    """Write one step of a correction into the audit trail."""
    change = Change(
        entity_id=correction.entity_id,
        action=f"inventory.{verb}",
        subject_kind=KIND,
        subject_id=correction.pk,
        thread=f"{KIND}:{correction.pk}",
        before={"state": before} if before else None,
        after={"number": correction.number, "state": correction.state, **after},
        reason=reason[:300],
        policy_version=version,
    )
    record(changes=[change], actor=actor, now=now)
