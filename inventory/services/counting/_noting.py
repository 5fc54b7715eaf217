"""Words what happened to counts."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from erp.governance.services import Change, record
from inventory.models import Count

if TYPE_CHECKING:
    from erp.accounts.models import User

KIND = "inventory.count"


def note(
    count: Count,
    verb: str,
    before: str,
    actor: "User | None",
    now: datetime,
    *,
    reason: str = "",
    version: str = "",
    **after: Any,
) -> None:
    """Write one step of a count into the audit trail."""
    change = Change(
        entity_id=count.entity_id,
        action=f"inventory.{verb}",
        subject_kind=KIND,
        subject_id=count.pk,
        thread=f"{KIND}:{count.pk}",
        before={"state": before} if before else None,
        after={"number": count.number, "state": count.state, **after},
        reason=reason[:300],
        policy_version=version,
    )
    record(changes=[change], actor=actor, now=now)


def facts(count: Count) -> dict[str, Any]:
    """Return what every fact about a count says."""
    return {
        "count_id": count.pk,
        "number": count.number,
        "entity_id": count.entity_id,
        "node_id": count.node_id,
    }
