"""What each KPI counts: one statement of its rows, from which every figure of it is summed.

A statement takes `entities`, `since` and `until` (business dates, both included) and `as_of` (a
moment), and returns for each row: `id`, `entity` (code), `day`, `bucket`, `label`, `page` and `ref`
(where it opens), `party`, `detail`, `hits` and `parts` (numerator and denominator), `amount`,
`currency`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class Unit(Enum):
    """How a figure reads: a share of the rows, their number, their money, or their median."""

    SHARE = "share"
    COUNT = "count"
    MONEY = "money"
    HOURS = "hours"


@dataclass(frozen=True, slots=True)
class Kpi:
    """One figure. `is_daily`: its rows belong to days, so it has a series; else it is of now."""

    code: str
    label: str
    definition: str
    unit: Unit
    statement: str
    is_daily: bool = False
    target: str = ""  # a share, or hours


ASKED = """
    o.entity_id = ANY(%(entities)s::bigint[])
    AND o.state NOT IN ('draft', 'submitted', 'held', 'cancelled')
    AND l.quantity > l.cancelled
"""
LINE = """
    l.id, e.code AS entity, o.number || ' · line ' || l.position AS label,
    'orders:order' AS page, o.number AS ref, c.name AS party,
    round(l.amount * (l.quantity - l.cancelled) / l.quantity, 2) AS amount, o.currency
"""
FROM_LINES = """
    FROM orders_order o
    JOIN orders_orderline l ON l.order_id = o.id
    JOIN orders_customer c ON c.id = o.customer_id
    JOIN accounts_entity e ON e.id = o.entity_id
    JOIN inventory_product p ON p.id = l.product_id
"""

OPEN_VALUE = "round(l.amount * (l.quantity - l.cancelled - l.shipped) / l.quantity, 2)"


def filled(text: str) -> str:
    """Return a statement with the parts that several share put in."""
    parts = {"LINE": LINE, "FROM_LINES": FROM_LINES, "ASKED": ASKED, "OPEN_VALUE": OPEN_VALUE}
    for name, part in parts.items():
        text = text.replace(f"{{{name}}}", part)
    return text


LINE_FILL = filled("""
    SELECT {LINE}, o.requested_date AS day,
           CASE WHEN coalesce(first.quantity, 0) >= l.quantity - l.cancelled THEN 'filled'
                WHEN first.quantity IS NULL THEN 'not shipped' ELSE 'short' END AS bucket,
           p.code || ': ' || trim_scale(coalesce(first.quantity, 0)) || ' of '
               || trim_scale(l.quantity - l.cancelled) || ' at first' AS detail,
           (coalesce(first.quantity, 0) >= l.quantity - l.cancelled)::int AS hits, 1 AS parts
    {FROM_LINES}
    LEFT JOIN LATERAL (
        SELECT sum(sl.picked) AS quantity
        FROM inventory_shipmentline sl JOIN inventory_shipment sh ON sh.id = sl.shipment_id
        WHERE sl.demand_id = l.id AND sl.demand_kind = 'orders.line'
          AND sh.shipped_at <= %(as_of)s
        GROUP BY sh.id
        ORDER BY sh.shipped_at, sh.id
        LIMIT 1
    ) first ON true
    WHERE {ASKED} AND o.requested_date BETWEEN %(since)s AND %(until)s
      AND o.requested_date < (%(as_of)s::timestamptz AT TIME ZONE e.time_zone)::date
""")

OTIF = filled("""
    SELECT {LINE}, l.first_promised_date AS day,
           CASE WHEN coalesce(arrived.in_time, 0) >= l.quantity - l.cancelled THEN 'on time'
                WHEN coalesce(arrived.at_all, 0) >= l.quantity - l.cancelled THEN 'late'
                ELSE 'not in full' END AS bucket,
           p.code || ': ' || trim_scale(coalesce(arrived.in_time, 0)) || ' of '
               || trim_scale(l.quantity - l.cancelled) || ' in time' AS detail,
           (coalesce(arrived.in_time, 0) >= l.quantity - l.cancelled)::int AS hits, 1 AS parts
    {FROM_LINES}
    LEFT JOIN LATERAL (
        SELECT sum(sl.picked) AS at_all,
               sum(sl.picked) FILTER (
                   WHERE (coalesce(sh.delivered_at,
                                   sh.shipped_at
                                       + make_interval(days => coalesce(k.transit_days, 2)))
                          AT TIME ZONE e.time_zone)::date <= l.first_promised_date
               ) AS in_time
        FROM inventory_shipmentline sl
        JOIN inventory_shipment sh ON sh.id = sl.shipment_id
        LEFT JOIN inventory_carrier k ON k.id = sh.carrier_id
        WHERE sl.demand_id = l.id AND sl.demand_kind = 'orders.line'
          AND sh.shipped_at <= %(as_of)s
    ) arrived ON true
    WHERE {ASKED} AND l.first_promised_date BETWEEN %(since)s AND %(until)s
      AND l.first_promised_date < (%(as_of)s::timestamptz AT TIME ZONE e.time_zone)::date
""")

BACKLOG = filled("""
    SELECT late.*, CASE WHEN late.days <= 0 THEN 'not due' WHEN late.days <= 2 THEN '0-2 days'
               WHEN late.days <= 7 THEN '3-7 days' WHEN late.days <= 14 THEN '8-14 days'
               WHEN late.days <= 30 THEN '15-30 days' ELSE 'over 30 days' END AS bucket,
           CASE WHEN late.days > 0 THEN late.amount ELSE 0 END AS hits, late.amount AS parts
    FROM (
        SELECT l.id, e.code AS entity, o.number || ' · line ' || l.position AS label,
               'orders:order' AS page, o.number AS ref, c.name AS party,
               p.code || ': ' || trim_scale(l.quantity - l.cancelled - l.shipped)
                   || ' to go, ' || o.state AS detail,
               {OPEN_VALUE} AS amount, o.currency,
               coalesce(l.promised_date, o.requested_date) AS day,
               (%(as_of)s::timestamptz AT TIME ZONE e.time_zone)::date
                   - coalesce(l.promised_date, o.requested_date) AS days
        {FROM_LINES}
        WHERE o.entity_id = ANY(%(entities)s::bigint[])
          AND o.state NOT IN ('closed', 'cancelled', 'invoiced')
          AND o.state IN ('released', 'allocated', 'partly_allocated', 'backordered', 'fulfilling',
                          'partly_shipped')
          AND l.quantity > l.cancelled + l.shipped
    ) late
""")

STAGES = """
    SELECT o.id, e.code AS entity, o.created_at::date AS day, o.number AS label,
           'orders:order' AS page, o.number AS ref, c.name AS party,
           replace(o.state, '_', ' ') AS detail, o.total AS amount, o.currency,
           CASE o.state WHEN 'draft' THEN 'draft' WHEN 'submitted' THEN 'held'
                WHEN 'held' THEN 'held' WHEN 'released' THEN 'waiting'
                WHEN 'partly_allocated' THEN 'waiting' WHEN 'backordered' THEN 'waiting'
                WHEN 'partly_shipped' THEN 'fulfilling' ELSE o.state END AS bucket,
           1 AS hits, 1 AS parts
    FROM orders_order o
    JOIN orders_customer c ON c.id = o.customer_id
    JOIN accounts_entity e ON e.id = o.entity_id
    WHERE o.entity_id = ANY(%(entities)s::bigint[])
      AND o.state NOT IN ('closed', 'cancelled', 'invoiced')
"""

EXCEPTIONS = """
    SELECT x.id, e.code AS entity, x.opened_at::date AS day, x.subject_label AS label,
           'exceptions:case' AS page, x.id::text AS ref, x.party, x.summary AS detail,
           x.expected_loss AS amount, x.currency, 'S' || x.severity AS bucket,
           x.expected_loss AS hits, x.expected_loss AS parts
    FROM exceptions_exceptioncase x
    JOIN accounts_entity e ON e.id = x.entity_id
    WHERE x.entity_id = ANY(%(entities)s::bigint[]) AND x.state NOT IN ('resolved', 'dismissed')
"""

HELD = """
    SELECT o.id, e.code AS entity, h.placed_at::date AS day, o.number AS label,
           'orders:order' AS page, o.number AS ref, c.name AS party, h.reason AS detail,
           o.total AS amount, o.currency, h.kind AS bucket, o.total AS hits, o.total AS parts
    FROM orders_order o
    JOIN orders_customer c ON c.id = o.customer_id
    JOIN accounts_entity e ON e.id = o.entity_id
    JOIN LATERAL (
        SELECT h.placed_at, h.reason, h.kind FROM orders_hold h
        WHERE h.order_id = o.id AND h.state = 'active'
        ORDER BY h.id LIMIT 1
    ) h ON true
    WHERE o.entity_id = ANY(%(entities)s::bigint[]) AND o.state = 'held'
      AND o.state NOT IN ('closed', 'cancelled', 'invoiced')
"""

SHIPPED = """
    SELECT sh.id, e.code AS entity, (sh.shipped_at AT TIME ZONE e.time_zone)::date AS day,
           sh.number AS label, 'finance:shipment' AS page, sh.number AS ref,
           c.name AS party, o.number || ' from ' || n.name AS detail,
           worth.amount, o.currency, n.code AS bucket, 1 AS hits, 1 AS parts
    FROM inventory_shipment sh
    JOIN orders_order o ON o.id = sh.source_id AND sh.source_kind = 'orders.order'
    JOIN orders_customer c ON c.id = o.customer_id
    JOIN accounts_entity e ON e.id = sh.entity_id
    JOIN inventory_node n ON n.id = sh.node_id
    JOIN LATERAL (
        SELECT round(coalesce(sum(sl.picked * l.unit_price * (1 - l.discount)), 0), 2) AS amount
        FROM inventory_shipmentline sl JOIN orders_orderline l ON l.id = sl.demand_id
        WHERE sl.shipment_id = sh.id AND sl.demand_kind = 'orders.line'
    ) worth ON true
    WHERE sh.entity_id = ANY(%(entities)s::bigint[])
      AND sh.shipped_at <= %(as_of)s
      AND sh.shipped_at >= %(since)s::date - interval '1 day'
      AND (sh.shipped_at AT TIME ZONE e.time_zone)::date BETWEEN %(since)s AND %(until)s
"""

APPROVALS = """
    SELECT a.id, e.code AS entity, a.requested_at::date AS day, a.document_label AS label,
           'governance:approvals' AS page, '' AS ref, coalesce(u.username, '') AS party,
           a.consequence AS detail, a.amount, coalesce(nullif(a.currency, ''), e.currency)
               AS currency,
           a.document_kind AS bucket, 1 AS hits, 1 AS parts
    FROM governance_approval a
    JOIN accounts_entity e ON e.id = a.entity_id
    LEFT JOIN accounts_user u ON u.id = a.requested_by_id
    WHERE a.entity_id = ANY(%(entities)s::bigint[]) AND a.state = 'pending'
"""

CYCLE = """
    SELECT o.id, e.code AS entity, (o.shipped_at AT TIME ZONE e.time_zone)::date AS day,
           o.number AS label, 'orders:order' AS page, o.number AS ref, c.name AS party,
           'submitted ' || to_char(o.submitted_at AT TIME ZONE e.time_zone, 'DD Mon HH24:MI')
               AS detail,
           o.total AS amount, o.currency, '' AS bucket,
           extract(epoch FROM o.shipped_at - o.submitted_at) / 3600 AS hits, 1 AS parts
    FROM orders_order o
    JOIN orders_customer c ON c.id = o.customer_id
    JOIN accounts_entity e ON e.id = o.entity_id
    WHERE o.entity_id = ANY(%(entities)s::bigint[]) AND o.shipped_at <= %(as_of)s
      AND o.state IN ('shipped', 'invoiced', 'closed')
      AND (o.shipped_at AT TIME ZONE e.time_zone)::date BETWEEN %(since)s AND %(until)s
"""

KPIS: Mapping[str, Kpi] = {
    kpi.code: kpi
    for kpi in (
        Kpi(
            "line_fill_rate",
            "Line fill rate",
            "Lines asked for on a day in the period that has passed, whose first shipment carried"
            " all of them, without substitutes ÷ all lines asked for on those days.",
            Unit.SHARE,
            LINE_FILL,
            is_daily=True,
            target="0.97",
        ),
        Kpi(
            "otif",
            "OTIF vs first promise",
            "Lines that were with the customer in full by the day first promised ÷ lines promised"
            " for a day in the period that has passed. Without a proof of delivery the carrier's"
            " transit time counts.",
            Unit.SHARE,
            OTIF,
            is_daily=True,
            target="0.96",
        ),
        Kpi(
            "order_cycle_time",
            "Order cycle time",
            "Median hours from submission to the last shipment, of orders fully shipped in the"
            " period.",
            Unit.HOURS,
            CYCLE,
            is_daily=True,
        ),
        Kpi(
            "shipped",
            "Shipped",
            "Shipments that left in the period, by the entity's own days.",
            Unit.COUNT,
            SHIPPED,
            is_daily=True,
        ),
        Kpi(
            "backlog_past_promise",
            "Backlog past promise",
            "Value of what is released, not shipped, and past its promised (else requested) day ÷"
            " value of all that is released and not shipped.",
            Unit.MONEY,
            BACKLOG,
        ),
        Kpi(
            "orders_by_stage",
            "Orders by stage",
            "Orders that are not invoiced, closed or cancelled.",
            Unit.COUNT,
            STAGES,
        ),
        Kpi(
            "open_exceptions",
            "Open exceptions",
            "Expected loss of all live exception cases.",
            Unit.MONEY,
            EXCEPTIONS,
        ),
        Kpi(
            "held_cash",
            "Tied to holds",
            "Value of the orders that stand on hold.",
            Unit.MONEY,
            HELD,
        ),
        Kpi(
            "approvals_waiting",
            "Approvals waiting",
            "Requests for a second pair of eyes that nobody has decided.",
            Unit.COUNT,
            APPROVALS,
        ),
    )
}
