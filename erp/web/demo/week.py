"""Which days the nodes of the demo company work."""

from datetime import datetime

from erp.accounts.models import Entity
from inventory.models import Node
from inventory.services.promising import CalendarDraft, follow_calendar, save_calendar


def plan_the_week(entities: dict[str, Entity], now: datetime) -> None:
    """Give each entity's nodes the working days and public holidays of its country."""
    for entity in entities.values():
        code = f"WEEK-{entity.country}"
        save_calendar(
            draft=CalendarDraft(
                code=code, name=f"Working days, {entity.country}", country=entity.country
            ),
            actor=None,
            now=now,
        )
        nodes = Node.objects.filter(entity=entity).values_list("code", flat=True)
        follow_calendar(
            code=code,
            followers={"nodes": list(nodes)},
            entity_ids=[entity.pk],
            actor=None,
            now=now,
        )
