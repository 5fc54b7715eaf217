"""Types of cases about supply, stock and shipments."""

from collections.abc import Sequence
from decimal import Decimal

from erp.kernel.sql import rows
from exceptions.rules.exposure import (
    CERTAIN,
    NOTHING,
    Exposure,
    expiry_probability,
    hold_probability,
    miss_probability,
)
from exceptions.selectors._types import CaseType, Pace, Row, statement

COUNT_LOSES = Decimal("0.5")  # of what a picker did not find, this share is usually gone
APPROVAL_HOURS = 24
EXPIRY_DAYS = 30

# What customers wait for behind a purchase order: lines nobody has reserved stock for yet; behind
# one that the supplier sends straight to a customer only what it is for.
BEHIND = """
    LEFT JOIN LATERAL (
        SELECT sum(l.waiting * l.unit_price * (1 - l.discount)) AS revenue,
               count(DISTINCT l.order_id) AS orders, min(c.tier) AS tier,
               min(coalesce(l.first_promised_date, o.requested_date)) AS due_date
        FROM procurement_purchaseorderline pl
        JOIN orders_orderline l ON l.product_id = pl.product_id AND l.waiting > 0
            AND coalesce(pl.demand_id = l.id, l.waiting > l.direct)
        JOIN orders_order o ON o.id = l.order_id AND o.entity_id = po.entity_id
            AND o.state IN ('partly_allocated', 'backordered', 'fulfilling', 'partly_shipped')
        JOIN orders_customer c ON c.id = o.customer_id
        WHERE pl.order_id = po.id AND pl.quantity > pl.received
    ) behind ON true
"""

LATE_SUPPLY = statement(
    """
    SELECT po.id AS subject_id, po.number AS subject_label, po.entity_id, po.currency,
           NULL::bigint AS order_id, s.name AS party, coalesce(behind.tier, '') AS tier,
           coalesce(behind.revenue, 0) AS revenue, coalesce(behind.orders, 0) AS orders,
           po.expected_date, {today} - po.expected_date AS days_late
    FROM procurement_purchaseorder po
    JOIN procurement_supplier s ON s.id = po.supplier_id
    JOIN accounts_entity e ON e.id = po.entity_id
    {behind}
    WHERE po.state IN ('sent', 'acknowledged', 'partly_received')
      AND po.expected_date < {today} AND {within}
""",
    subject="po.id",
    behind=BEHIND,
)

APPROVAL_OVERDUE = statement(
    """
    SELECT po.id AS subject_id, po.number AS subject_label, po.entity_id, po.currency,
           NULL::bigint AS order_id, s.name AS party, coalesce(behind.tier, '') AS tier,
           coalesce(behind.revenue, 0) AS revenue, coalesce(behind.orders, 0) AS orders,
           po.total, po.submitted_at,
           coalesce(behind.due_date, po.expected_date) - {today} AS due_in
    FROM procurement_purchaseorder po
    JOIN procurement_supplier s ON s.id = po.supplier_id
    JOIN accounts_entity e ON e.id = po.entity_id
    {behind}
    WHERE po.state = 'pending' AND {within}
      AND po.submitted_at <= %(now)s::timestamptz - interval '{hours} hours'
""",
    subject="po.id",
    behind=BEHIND,
    hours=str(APPROVAL_HOURS),
)

SHORT_PICK = statement(
    """
    SELECT sl.id AS subject_id, sh.number || ' · ' || p.code AS subject_label, sh.entity_id,
           e.currency, CASE WHEN sh.source_kind = 'orders.order' THEN sh.source_id END AS order_id,
           n.name AS party, p.code AS product, n.code AS node, sl.short_reason AS reason,
           st.status, trim_scale(least(sl.quantity - sl.picked, st.on_hand)) AS missing,
           least(sl.quantity - sl.picked, st.on_hand)
               * coalesce(pc.value / nullif(pc.quantity, 0), 0) AS revenue
    FROM inventory_shipmentline sl
    JOIN inventory_shipment sh ON sh.id = sl.shipment_id
    JOIN accounts_entity e ON e.id = sh.entity_id
    JOIN inventory_node n ON n.id = sh.node_id
    JOIN inventory_product p ON p.id = sl.product_id
    JOIN inventory_stock shelf ON shelf.id = sl.stock_id
    JOIN inventory_stock st ON st.product_id = sl.product_id AND st.node_id = sh.node_id
        AND st.entity_id = sh.entity_id AND st.on_hand > 0
        AND coalesce(st.lot_id, 0) = coalesce(shelf.lot_id, 0)
        AND st.status = CASE sl.short_reason WHEN 'damaged' THEN 'damaged'
                        WHEN 'expired' THEN 'quarantine' ELSE 'inspection' END
    LEFT JOIN inventory_productcost pc ON pc.product_id = sl.product_id
        AND pc.entity_id = sh.entity_id
    WHERE sl.picked < sl.quantity AND {within}
""",
    subject="sl.id",
    order="sh.source_id",
)

SHIPMENT = """
    SELECT sh.id AS subject_id, sh.number AS subject_label, sh.entity_id, o.currency,
           o.id AS order_id, c.name AS party, c.tier, n.code AS node, sh.state,
           sh.planned_date, sh.failure, greatest({today} - {since}, 0) AS days_late,
           coalesce(sh.promised_date, o.requested_date) AS due_date,
           coalesce(sh.promised_date, o.requested_date) - {today} AS due_in,
           a.penalty_rate, worth.revenue
    FROM inventory_shipment sh
    JOIN orders_order o ON o.id = sh.source_id AND sh.source_kind = 'orders.order'
    JOIN orders_customer c ON c.id = o.customer_id
    JOIN orders_creditaccount a ON a.id = o.account_id
    JOIN accounts_entity e ON e.id = sh.entity_id
    JOIN inventory_node n ON n.id = sh.node_id
    JOIN LATERAL (
        SELECT coalesce(sum(coalesce(sl.picked, sl.quantity) * l.unit_price * (1 - l.discount)), 0)
            AS revenue
        FROM inventory_shipmentline sl JOIN orders_orderline l ON l.id = sl.demand_id
        WHERE sl.shipment_id = sh.id AND sl.demand_kind = 'orders.line'
    ) worth ON true
    WHERE {which} AND {within}
"""
SHIPMENT_OVERDUE = statement(
    SHIPMENT,
    subject="sh.id",
    order="o.id",
    since="sh.planned_date",
    which="sh.state IN ('planned', 'picked', 'packed') AND sh.planned_date < {today}",
)

DRIFT = statement(
    """
    SELECT s.id AS subject_id, p.code || ' @ ' || n.code AS subject_label, s.entity_id,
           e.currency, NULL::bigint AS order_id, n.name AS party, s.status,
           trim_scale(s.on_hand) AS on_hand, trim_scale(coalesce(m.quantity, 0)) AS moved,
           abs(s.on_hand - coalesce(m.quantity, 0))
               * coalesce(pc.value / nullif(pc.quantity, 0), 0) AS revenue
    FROM inventory_stock s
    JOIN accounts_entity e ON e.id = s.entity_id
    JOIN inventory_node n ON n.id = s.node_id
    JOIN inventory_product p ON p.id = s.product_id
    LEFT JOIN inventory_productcost pc ON pc.product_id = s.product_id
        AND pc.entity_id = s.entity_id
    LEFT JOIN (
        SELECT product_id, node_id, entity_id, lot_id, status, sum(quantity) AS quantity
        FROM inventory_stockmove GROUP BY product_id, node_id, entity_id, lot_id, status
    ) m ON m.product_id = s.product_id AND m.node_id = s.node_id AND m.entity_id = s.entity_id
        AND m.status = s.status AND coalesce(m.lot_id, 0) = coalesce(s.lot_id, 0)
    WHERE s.on_hand <> coalesce(m.quantity, 0) AND {within}
""",
    subject="s.id",
)

# What is kept for somebody leaves before it expires; once it has expired, nothing of it leaves.
LOT_EXPIRING = statement(
    """
    SELECT s.id AS subject_id, p.code || ' ' || lot.code || ' @ ' || n.code AS subject_label,
           s.entity_id, e.currency, NULL::bigint AS order_id, n.name AS party,
           p.code AS product, lot.code AS lot, n.code AS node, s.expires_on,
           s.expires_on - {today} AS days_left, trim_scale(due.quantity) AS quantity,
           due.quantity * coalesce(pc.value / nullif(pc.quantity, 0), 0) AS revenue
    FROM inventory_stock s
    JOIN inventory_lot lot ON lot.id = s.lot_id
    JOIN accounts_entity e ON e.id = s.entity_id
    JOIN inventory_node n ON n.id = s.node_id
    JOIN inventory_product p ON p.id = s.product_id
    LEFT JOIN inventory_productcost pc ON pc.product_id = s.product_id
        AND pc.entity_id = s.entity_id
    CROSS JOIN LATERAL (
        SELECT s.on_hand - CASE WHEN s.expires_on < {today} THEN 0 ELSE s.reserved END AS quantity
    ) due
    WHERE s.lot_id IS NOT NULL AND s.expires_on <= {today} + {days} AND due.quantity > 0
      AND s.status NOT IN ('in_transit', 'damaged') AND {within}
""",
    subject="s.id",
    days=str(EXPIRY_DAYS),
)

LINES_BEHIND = """
    SELECT DISTINCT l.id
    FROM procurement_purchaseorderline pl
    JOIN procurement_purchaseorder po ON po.id = pl.order_id
    JOIN orders_orderline l ON l.product_id = pl.product_id AND l.waiting > 0
            AND coalesce(pl.demand_id = l.id, l.waiting > l.direct)
    JOIN orders_order o ON o.id = l.order_id AND o.entity_id = po.entity_id
    WHERE po.id = ANY(%(purchases)s::bigint[])
    ORDER BY l.id
"""


def lines_behind(*, purchase_ids: Sequence[int]) -> list[int]:
    """Return the order lines that wait for what these purchase orders are to bring. One query."""
    return [one for (one,) in rows(LINES_BEHIND, {"purchases": list(purchase_ids)})]


def expose_supply(row: Row) -> Exposure:
    return Exposure(
        p_miss=miss_probability(due_in=0, supply_in=max(1, row["days_late"]), elsewhere=False),
        revenue=row["revenue"],
        currency=row["currency"],
        tier=row["tier"],
        days_late=row["days_late"],
    )


def expose_approval(row: Row) -> Exposure:
    return Exposure(
        p_miss=hold_probability(row["due_in"]),
        revenue=row["revenue"],
        currency=row["currency"],
        tier=row["tier"],
    )


def expose_shipment(row: Row) -> Exposure:
    return Exposure(
        p_miss=hold_probability(row["due_in"] - 1),
        revenue=row["revenue"],
        currency=row["currency"],
        penalty=row["penalty_rate"] * row["revenue"] * max(0, 1 - row["due_in"]),
        tier=row["tier"],
        days_late=row["days_late"],
    )


SUPPLY_TYPES = [
    CaseType(
        code="procurement.late_supply",
        label="Supplier late",
        subject_kind="procurement.order",
        statement=LATE_SUPPLY,
        expose=expose_supply,
        describe=lambda row: (
            f"{row['days_late']} days past {row['expected_date']:%-d %b};"
            f" {row['orders']} orders wait behind it"
        ),
        facts=("orders", "expected_date"),
        plays=("accept_late", "resource", "split_purchase", "close_rest"),
        pace=Pace.CLOCK,
        gathers=True,
    ),
    CaseType(
        code="procurement.approval_overdue",
        label="Approval overdue",
        subject_kind="procurement.order",
        statement=APPROVAL_OVERDUE,
        expose=expose_approval,
        describe=lambda row: (
            f"{row['total']:,.2f} {row['currency']} waits for approval since"
            f" {row['submitted_at']:%-d %b}; {row['orders']} orders wait behind it"
        ),
        facts=("orders", "submitted_at"),
        plays=("approve", "send_back"),
        pace=Pace.CLOCK,
    ),
    CaseType(
        code="inventory.short_pick",
        label="Short pick",
        subject_kind="inventory.shipment_line",
        statement=SHORT_PICK,
        expose=lambda row: Exposure(
            p_miss=COUNT_LOSES, revenue=row["revenue"], currency=row["currency"]
        ),
        describe=lambda row: (
            f"{row['missing']:f} {row['product']} at {row['node']} not picked"
            f" ({row['reason'].replace('_', ' ')}); they stand in {row['status']}"
        ),
        facts=("missing", "product", "node", "status", "reason"),
        plays=("put_back", "write_off", "repick"),
    ),
    CaseType(
        code="inventory.shipment_overdue",
        label="Shipment overdue",
        subject_kind="inventory.shipment",
        statement=SHIPMENT_OVERDUE,
        expose=expose_shipment,
        describe=lambda row: (
            f"was to leave {row['node']} on {row['planned_date']:%-d %b}; still {row['state']}"
        ),
        facts=("node", "planned_date"),
        plays=("replan", "redeliver", "reroute", "expedite"),
        pace=Pace.CLOCK,
    ),
    CaseType(
        code="inventory.lot_expiring",
        label="Lot expiring",
        subject_kind="inventory.stock",
        statement=LOT_EXPIRING,
        expose=lambda row: Exposure(
            p_miss=expiry_probability(row["days_left"]),
            revenue=row["revenue"],
            currency=row["currency"],
        ),
        describe=lambda row: (
            f"{row['quantity']:f} {row['product']} of lot {row['lot']} at {row['node']}"
            f" {'expired' if row['days_left'] < 0 else 'expire'} on {row['expires_on']:%-d %b %Y};"
            " nobody has them"
        ),
        facts=("product", "lot", "node", "expires_on", "quantity"),
        plays=("write_off", "block_lot", "move_lot"),
        pace=Pace.CLOCK,
    ),
    CaseType(
        code="inventory.drift",
        label="Inventory drift",
        subject_kind="inventory.stock",
        statement=DRIFT,
        expose=lambda row: Exposure(
            p_miss=CERTAIN, revenue=max(NOTHING, row["revenue"]), currency=row["currency"]
        ),
        describe=lambda row: (
            f"balance says {row['on_hand']:f}, its moves say {row['moved']:f} ({row['status']})"
        ),
        facts=("on_hand", "moved"),
        pace=Pace.NIGHTLY,
    ),
]
