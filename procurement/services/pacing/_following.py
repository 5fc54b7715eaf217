"""When suppliers work: which calendar they follow."""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from erp.accounts.models import User
from inventory.services.promising import record_following
from procurement.models import Supplier


@transaction.atomic(savepoint=False)  # a step of `follow_calendar`: it refuses nothing
def set_supplier_calendar(
    *,
    rows: Mapping[int, str],
    calendar_id: int | None,
    code: str,
    actor: User | None,
    now: datetime,
) -> None:
    """Let suppliers (id -> code) follow a calendar, or none; their lead times count its days."""
    Supplier.objects.filter(pk__in=list(rows)).update(calendar_id=calendar_id)
    record_following(rows=rows, kind="procurement.supplier", code=code, actor=actor, now=now)
