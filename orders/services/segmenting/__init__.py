"""Which orders are of which segment."""

from datetime import datetime
from typing import Any

from django.db import transaction

from erp.accounts.models import Entity, User
from erp.governance.services import Change, record
from inventory.models import Segment
from inventory.services import BadMasterData
from orders.models import Customer, CustomerGroup, SegmentMember

SOURCES: dict[str, Any] = {"customer": Customer, "group": CustomerGroup, "entity": Entity}


@transaction.atomic
def assign_segment(
    *, kind: str, code: str, segment: str, actor: User | None, now: datetime
) -> int | None:
    """Have orders of a customer, group, channel or company count for a segment; empty: no more.

    Return the membership's id. What was given out before stays with the segment it was given for.

    Raises:
        BadMasterData: there is no such kind, thing or segment.
    """
    named = _named(kind, code)
    found = Segment.objects.filter(code=segment).first() if segment else None
    if segment and found is None:
        raise BadMasterData(0, "segment", "There is no such segment.")
    kept = SegmentMember.objects.select_for_update().filter(**named).first()
    before = {} if kept is None else {"segment": kept.segment_id}
    after = {} if found is None else {"segment": found.pk}
    if before == after:
        return kept.pk if kept else None
    if found is None:
        SegmentMember.objects.filter(**named).delete()
    elif kept is None:
        kept = SegmentMember.objects.create(segment=found, **named)
    else:
        kept.segment = found
        kept.save(update_fields=["segment"])
    change = Change(
        entity_id=None,
        action="orders.assign_segment",
        subject_kind="inventory.segment",
        subject_id=(found.pk if found else before["segment"]),
        thread=f"inventory.segment:{found.pk if found else before['segment']}",
        before=before,
        after={**after, "kind": kind, "code": code},
    )
    record(changes=[change], actor=actor, now=now)
    return kept.pk if found and kept else None


def _named(kind: str, code: str) -> dict[str, Any]:
    """Return the column that names it, with its value."""
    if kind == "channel":
        if not 0 < len(code) <= 20 or "\0" in code:  # noqa: PLR2004  as long as an order's
            raise BadMasterData(0, "code", "Name a channel.")
        return {"channel": code}
    if kind not in SOURCES:
        raise BadMasterData(0, "kind", "One of customer, group, channel, entity.")
    found = None if "\0" in code else SOURCES[kind].objects.filter(code=code).first()
    if found is None:
        raise BadMasterData(0, "code", f"There is no {kind} {code[:40]!r}.")
    return {f"{kind}_id": found.pk}
