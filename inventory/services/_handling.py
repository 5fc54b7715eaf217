"""How many more lines each node has the hands to pick for its next day."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from erp.kernel.prepared import Prepared
from erp.kernel.sql import rows
from inventory.rules import leaves_on
from inventory.selectors import calendars

# Who is just filling a node's day has it alone; nobody who knows no such bound waits for anybody.
BOUND = """
    SELECT n.id, n.lines_per_day, n.time_zone, coalesce(w.cutoff, n.cutoff), n.handling_days,
        n.calendar_id
    FROM inventory_node n LEFT JOIN inventory_calendar w ON w.id = n.calendar_id
    WHERE n.lines_per_day IS NOT NULL AND n.is_active
    ORDER BY n.id
"""
SEEN, LOCKED = Prepared(BOUND), Prepared(BOUND + " FOR NO KEY UPDATE OF n")
PLANNED = """
    SELECT d.node_id, count(DISTINCT (l.demand_kind, l.demand_id))
    FROM unnest(%(nodes)s::bigint[], %(days)s::date[]) AS d (node_id, day)
    JOIN inventory_shipment s ON s.node_id = d.node_id AND s.planned_date = d.day
        AND s.state IN ('planned', 'picked', 'packed', 'shipped', 'delivered')
    JOIN inventory_shipmentline l ON l.shipment_id = s.id
    GROUP BY d.node_id
"""


def hands(now: datetime, *, is_locked: bool) -> list[tuple[int, int]]:
    """Return each bound node with how many more lines it can pick of what leaves next.

    What is reserved now leaves a node on one day; the lines that are planned to leave it on that
    day count, one for each demand. One query, three where a node is bound. Locks the nodes in id
    order, after any stock.
    """
    found = rows(LOCKED if is_locked else SEEN, {})
    if not found:
        return []
    weeks = calendars(ids=[row[5] for row in found], on=now.date())
    days: dict[int, date] = {
        node: leaves_on(
            now,
            zone=ZoneInfo(zone),
            cutoff=cutoff,
            handling_days=handling,
            calendar=weeks.get(calendar or 0),
        )
        for node, _, zone, cutoff, handling, calendar in found
    }
    planned = dict(rows(PLANNED, {"nodes": list(days), "days": list(days.values())}))
    return [(row[0], max(row[1] - planned.get(row[0], 0), 0)) for row in found]
