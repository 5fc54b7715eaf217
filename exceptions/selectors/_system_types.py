"""Types of cases about money not yet billed and facts not delivered."""

from decimal import Decimal

from exceptions.rules.exposure import Exposure
from exceptions.selectors._types import CaseType, Pace, Row, statement

BILLING_HOURS = 1
FORGOTTEN_PER_DAY = Decimal("0.05")  # how likely a shipment is never billed, per day it waits
FORGOTTEN_AT_MOST = Decimal("0.5")
UNDELIVERED = Decimal("0.5")

NOT_BILLED = statement(
    """
    SELECT sh.id AS subject_id, sh.number AS subject_label, sh.entity_id, o.currency,
           o.id AS order_id, c.name AS party, c.tier, sh.shipped_at, worth.revenue,
           extract(day FROM %(now)s::timestamptz - sh.shipped_at)::int AS days
    FROM inventory_shipment sh
    JOIN orders_order o ON o.id = sh.source_id AND sh.source_kind = 'orders.order'
    JOIN orders_customer c ON c.id = o.customer_id
    JOIN LATERAL (
        SELECT coalesce(sum(sl.picked * l.unit_price * (1 - l.discount)), 0) AS revenue
        FROM inventory_shipmentline sl JOIN orders_orderline l ON l.id = sl.demand_id
        WHERE sl.shipment_id = sh.id AND sl.demand_kind = 'orders.line'
    ) worth ON true
    WHERE sh.state IN ('shipped', 'delivered', 'failed')
      AND sh.shipped_at <= %(now)s::timestamptz - interval '{hours} hours'
      AND NOT EXISTS (
          SELECT FROM finance_invoice i WHERE i.shipment_id = sh.id AND i.state <> 'draft'
      )
      AND {within}
""",
    subject="sh.id",
    order="o.id",
    hours=str(BILLING_HOURS),
)

DEAD_DELIVERY = statement(
    """
    SELECT d.id AS subject_id, m.name || ' → ' || d.handler AS subject_label,
           coalesce(told.id, home.id) AS entity_id,
           coalesce(o.currency, told.currency, home.currency) AS currency,
           o.id AS order_id, coalesce(c.name, '') AS party, coalesce(c.tier, '') AS tier,
           coalesce(o.total, 0) AS revenue, d.attempts,
           regexp_replace(rtrim(d.last_error, E' \\n'), '^.*\n', '') AS error
    FROM outbox_delivery d
    JOIN outbox_message m ON m.id = d.message_id
    LEFT JOIN accounts_entity told ON told.id = m.entity_id
    CROSS JOIN (SELECT id, currency FROM accounts_entity ORDER BY id LIMIT 1) home
    LEFT JOIN inventory_shipment sh ON sh.id = (m.payload ->> 'shipment_id')::bigint
        AND sh.source_kind = 'orders.order'
    LEFT JOIN orders_order o ON o.id
            = coalesce((m.payload ->> 'order_id')::bigint, sh.source_id)
        AND m.name LIKE ANY (ARRAY['orders.%%', 'inventory.%%', 'finance.%%'])
    LEFT JOIN orders_customer c ON c.id = o.customer_id
    WHERE d.status = 'dead' AND {within}
""",
    subject="d.id",
    order="o.id",
)


def expose_unbilled(row: Row) -> Exposure:
    return Exposure(
        p_miss=min(FORGOTTEN_AT_MOST, FORGOTTEN_PER_DAY * (1 + row["days"])),
        revenue=row["revenue"],
        currency=row["currency"],
        days_late=row["days"],
    )


SYSTEM_TYPES = [
    CaseType(
        code="finance.shipped_not_billed",
        label="Shipped, not billed",
        subject_kind="inventory.shipment",
        statement=NOT_BILLED,
        expose=expose_unbilled,
        describe=lambda row: (
            f"left on {row['shipped_at']:%-d %b %H:%M} UTC; {row['revenue']:,.2f} {row['currency']}"
            " stands on no invoice"
        ),
        facts=("shipped_at",),
        plays=("invoice",),
        pace=Pace.CLOCK,
    ),
    CaseType(
        code="outbox.dead_delivery",
        label="Message undelivered",
        subject_kind="outbox.delivery",
        statement=DEAD_DELIVERY,
        expose=lambda row: Exposure(
            p_miss=UNDELIVERED, revenue=row["revenue"], currency=row["currency"], tier=row["tier"]
        ),
        describe=lambda row: f"given up after {row['attempts']} tries: {row['error']}",
        facts=("attempts",),
        plays=("replay",),
    ),
]
