"""Types of cases about goods on their way: to us, between our nodes, to the customer."""

from exceptions.rules.exposure import Exposure, days_late, miss_probability, penalty
from exceptions.selectors._order_types import SHORTAGE_PLAYS
from exceptions.selectors._supply_types import COUNT_LOSES, SHIPMENT, expose_shipment
from exceptions.selectors._types import CaseType, Pace, Row, statement

# Received, and nobody has said yet what became of what did not come.
TRANSFER_SHORT = statement(
    """
    SELECT t.id AS subject_id, t.number AS subject_label, t.to_entity_id AS entity_id, e.currency,
           NULL::bigint AS order_id, there.name AS party, here.code AS origin, there.code AS node,
           trim_scale(missing.quantity) AS missing, round(missing.worth, 2) AS revenue
    FROM inventory_transfer t
    JOIN accounts_entity e ON e.id = t.to_entity_id
    JOIN inventory_node here ON here.id = t.origin_id
    JOIN inventory_node there ON there.id = t.destination_id
    CROSS JOIN LATERAL (
        SELECT sum(gone.quantity) AS quantity,
               sum(coalesce(p.landed, 0) * gone.quantity / p.quantity) AS worth
        FROM inventory_transferline l
        JOIN inventory_transferpiece p ON p.line_id = l.id
        CROSS JOIN LATERAL (
            SELECT p.quantity - p.received - p.damaged - p.returned - p.lost AS quantity
        ) gone
        WHERE l.transfer_id = t.id
    ) missing
    WHERE t.state = 'received' AND missing.quantity > 0 AND {within}
""",
    subject="t.id",
)

SHIPMENT_FAILED = statement(
    SHIPMENT,
    subject="sh.id",
    order="o.id",
    since="coalesce(sh.promised_date, o.requested_date)",
    which="sh.state = 'failed'",
)
DELIVERY_OVERDUE = statement(
    SHIPMENT,
    subject="sh.id",
    order="o.id",
    since="coalesce(sh.promised_date, o.requested_date)",
    which="sh.state = 'shipped' AND coalesce(sh.promised_date, o.requested_date) < {today}",
)
# A line that is short has its own case, until a way out has given it a day: this one says that the
# supply behind that day comes later than it.
PROMISE_AT_RISK = statement(
    """
    SELECT l.id AS subject_id, o.number || ' · line ' || l.position AS subject_label,
           o.entity_id, o.currency, o.id AS order_id, c.name AS party, c.tier,
           p.code AS product, trim_scale(l.waiting) AS missing, l.promised_date,
           supply.expected AS supply_date, supply.label AS supply, supply.cause_id,
           l.promised_date - {today} AS due_in, supply.expected - {today} AS supply_in,
           l.waiting * l.unit_price * (1 - l.discount) AS revenue, a.penalty_rate
    FROM orders_orderline l
    JOIN orders_order o ON o.id = l.order_id
    JOIN orders_customer c ON c.id = o.customer_id
    JOIN orders_creditaccount a ON a.id = o.account_id
    JOIN accounts_entity e ON e.id = o.entity_id
    JOIN inventory_product p ON p.id = l.product_id
    JOIN LATERAL (
        SELECT i.expected_date AS expected, i.source_label AS label, pl.order_id AS cause_id
        FROM inventory_peg g
        JOIN inventory_inbound i ON i.id = g.inbound_id
        LEFT JOIN procurement_purchaseorderline pl ON pl.id = i.source_id
            AND i.source_kind = 'procurement.line'
        WHERE g.demand_kind = 'orders.line' AND g.demand_id = l.id
        ORDER BY i.expected_date DESC, i.id
        LIMIT 1
    ) supply ON supply.expected > l.promised_date
    WHERE l.waiting > 0 AND {within}
      AND o.state IN ('partly_allocated', 'backordered', 'fulfilling', 'partly_shipped')
      AND NOT EXISTS (
          SELECT FROM exceptions_exceptioncase short
          WHERE short.type = 'orders.shortage' AND short.subject_kind = 'orders.line'
            AND short.subject_id = l.id AND short.state NOT IN ('resolved', 'dismissed')
      )
""",
    subject="l.id",
    order="o.id",
)


def expose_promise(row: Row) -> Exposure:
    late = days_late(due_in=row["due_in"], supply_in=row["supply_in"], unknown=0)
    return Exposure(
        p_miss=miss_probability(due_in=row["due_in"], supply_in=row["supply_in"], elsewhere=False),
        revenue=row["revenue"],
        currency=row["currency"],
        penalty=penalty(rate=row["penalty_rate"], amount=row["revenue"], days=late),
        tier=row["tier"],
        days_late=late,
    )


MOVING_TYPES = [
    CaseType(
        code="inventory.transfer_short",
        label="Short transfer",
        subject_kind="inventory.transfer",
        statement=TRANSFER_SHORT,
        expose=lambda row: Exposure(
            p_miss=COUNT_LOSES, revenue=row["revenue"], currency=row["currency"]
        ),
        describe=lambda row: (
            f"{row['missing']:f} of what left {row['origin']} did not come to {row['node']};"
            " nobody has said what became of it"
        ),
        facts=("missing", "origin", "node"),
        plays=("accept_loss", "came_late", "came_back", "count_there", "chase"),
    ),
    CaseType(
        code="inventory.shipment_failed",
        label="Shipment failed",
        subject_kind="inventory.shipment",
        statement=SHIPMENT_FAILED,
        expose=expose_shipment,
        describe=lambda row: (
            f"left {row['node']} and did not arrive ({row['failure'] or 'no reason given'});"
            f" wanted {row['due_date']:%-d %b}"
        ),
        facts=("node", "failure", "due_date"),
        plays=("redeliver", "reroute", "expedite", "note_arrival"),
    ),
    CaseType(
        code="inventory.delivery_overdue",
        label="Delivery overdue",
        subject_kind="inventory.shipment",
        statement=DELIVERY_OVERDUE,
        expose=expose_shipment,
        describe=lambda row: (
            f"left {row['node']}, was to be there on {row['due_date']:%-d %b};"
            " nobody has said that it arrived"
        ),
        facts=("node", "due_date"),
        plays=("note_arrival", "chase", "note_failure"),
        pace=Pace.CLOCK,
    ),
    CaseType(
        code="orders.promise_at_risk",
        label="Promise at risk",
        subject_kind="orders.line",
        statement=PROMISE_AT_RISK,
        expose=expose_promise,
        describe=lambda row: (
            f"{row['missing']:f} {row['product']} promised for {row['promised_date']:%-d %b};"
            f" {row['supply']} comes {row['supply_date']:%-d %b}"
        ),
        facts=("product", "missing", "promised_date", "supply", "supply_date"),
        plays=SHORTAGE_PLAYS,
        pace=Pace.CLOCK,
        cause_kind="procurement.order",
    ),
]
