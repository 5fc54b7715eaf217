"""Notes that orders reached a milestone, for whoever wants to be told: once each."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from erp.governance.services import Change, record
from erp.kernel.prepared import Prepared
from erp.kernel.sql import records, rows
from erp.outbox.publishing import publish_all
from orders.events import MilestoneReached
from orders.models import Milestone, MilestoneNotice, Order

SHORT = {Order.State.BACKORDERED, Order.State.PARTLY_ALLOCATED}

# Who is told in the house is told by the row itself.
NOTE = Prepared("""
    INSERT INTO orders_milestonenotice (
        subscription_id, order_id, kind, subject, reason, at, state, told_at
    )
    SELECT s.id, o.id, f.kind, f.subject, f.reason, %(now)s::timestamptz,
           CASE s.channel WHEN 'in_app' THEN 'told' ELSE 'due' END,
           CASE s.channel WHEN 'in_app' THEN %(now)s::timestamptz END
    FROM unnest(%(orders)s::bigint[], %(kinds)s::text[], %(subjects)s::text[], %(reasons)s::text[])
        WITH ORDINALITY AS f (order_id, kind, subject, reason, place)
    JOIN orders_order o ON o.id = f.order_id
    JOIN orders_milestonesubscription s
      ON s.customer_id = o.customer_id AND s.entity_id = o.entity_id AND s.is_active
     AND (s.order_id IS NULL OR s.order_id = o.id)
     AND (s.kinds = '{}' OR f.kind = ANY(s.kinds))
    ORDER BY f.place, s.id
    ON CONFLICT DO NOTHING
    RETURNING id
""")

NOTED = """
    SELECT n.id, n.order_id, o.number, o.entity_id, n.kind, n.subject, n.reason, n.state,
           s.channel, s.address
    FROM orders_milestonenotice n
    JOIN orders_order o ON o.id = n.order_id
    JOIN orders_milestonesubscription s ON s.id = n.subscription_id
    WHERE n.id = ANY(%(ids)s) ORDER BY n.id
"""

# The later of what was wanted and first promised is what the customer counts on.
DELAYS = """
    SELECT o.id, o.state, o.promised_date,
           greatest(o.requested_date, (SELECT max(l.first_promised_date) FROM orders_orderline l
                                       WHERE l.order_id = o.id)) AS expected
    FROM orders_order o WHERE o.id = ANY(%(ids)s)
"""

OF_ORDERS = """
    SELECT id, number, source_id FROM inventory_shipment
    WHERE id = ANY(%(ids)s) AND source_kind = 'orders.order' ORDER BY id
"""

FOLLOWED = """
    SELECT EXISTS (
        SELECT FROM orders_order o JOIN orders_milestonesubscription s
          ON s.customer_id = o.customer_id AND s.entity_id = o.entity_id AND s.is_active
        WHERE o.id = ANY(%(ids)s))
"""


@dataclass(frozen=True, slots=True)
class Reached:
    """An order reached a milestone: itself, or by the shipment, invoice or day `subject`."""

    order_id: int
    kind: str
    subject: str = ""
    reason: str = ""


@transaction.atomic
def note_milestones(*, reached: Sequence[Reached], now: datetime) -> list[int]:
    """Note for every subscriber what these orders reached; return the new notices.

    The same state is noted once, however often its fact arrives: a constraint sees to it. What
    was allocated to be later than wanted, or not at all, is noted as delayed. One query where
    nobody follows.

    Publishes:
        MilestoneReached
    """
    ids = sorted({each.order_id for each in reached})
    if not ids or not rows(FOLLOWED, {"ids": ids})[0][0]:
        return []
    found = [*reached, *_delays({e.order_id for e in reached if e.kind == Milestone.ALLOCATED})]
    short = set(Order.objects.filter(pk__in=ids, state__in=SHORT).values_list("pk", flat=True))
    told = [e for e in found if not (e.kind == Milestone.ALLOCATED and e.order_id in short)]
    columns = {
        "now": now,
        "orders": [each.order_id for each in told],
        "kinds": [str(each.kind) for each in told],
        "subjects": [each.subject[:40] for each in told],
        "reasons": [each.reason[:200] for each in told],
    }
    noted = records(NOTED, {"ids": [row[0] for row in rows(NOTE, columns)]})
    changes = [
        Change(
            entity_id=row["entity_id"],
            action="orders.tell_milestone",
            subject_kind="orders.milestonenotice",
            subject_id=row["id"],
            thread=f"orders.order:{row['order_id']}",
            after={n: row[n] for n in ("kind", "subject", "channel", "address") if row[n]},
            reason=row["reason"],
        )
        for row in noted
    ]
    record(changes=changes, actor=None, now=now)
    publish_all(
        [
            MilestoneReached(
                notice_id=row["id"],
                order_id=row["order_id"],
                number=row["number"],
                entity_id=row["entity_id"],
                kind=row["kind"],
                subject=row["subject"],
                reason=row["reason"],
                channel=row["channel"],
            )
            for row in noted
            if row["state"] == MilestoneNotice.State.DUE
        ]
    )
    return [row["id"] for row in noted]


@transaction.atomic
def note_shipments(
    *, kind: str, shipment_ids: Collection[int], now: datetime, reason: str = ""
) -> list[int]:
    """Note that shipments of orders reached a milestone; others are left out. See above.

    Publishes:
        MilestoneReached
    """
    found = rows(OF_ORDERS, {"ids": sorted(shipment_ids)})
    reached = [Reached(order_id, kind, number, reason) for _id, number, order_id in found]
    return note_milestones(reached=reached, now=now)


@transaction.atomic
def mark_told(*, notice_id: int, now: datetime) -> bool:
    """Note that a notice went out; false if it had before.

    Raises:
        MilestoneNotice.DoesNotExist: there is no such notice.
    """
    notice = MilestoneNotice.objects.select_for_update().get(pk=notice_id)
    if notice.state == MilestoneNotice.State.TOLD:
        return False
    notice.tell(at=now)
    notice.save(update_fields=["state", "told_at"])
    return True


def _delays(order_ids: Collection[int]) -> list[Reached]:
    """Return the delays of orders about which allocation decided."""
    found = []
    for order_id, state, promised, expected in rows(DELAYS, {"ids": sorted(order_ids)}):
        if promised is not None and promised > expected:
            said = f"Now promised for {promised}, not {expected}."
            found.append(Reached(order_id, Milestone.DELAYED, promised.isoformat(), said))
        elif state in SHORT:
            said = "Not all of it is in stock."
            found.append(Reached(order_id, Milestone.DELAYED, "", said))
    return found
