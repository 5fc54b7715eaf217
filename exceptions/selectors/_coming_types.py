"""Types of cases about what is to come: supply that moved or came short, shelves running empty."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from erp.accounts.models import Entity
from erp.governance.services import Question, decide
from erp.kernel.sql import rows
from exceptions.rules.exposure import Exposure, hold_probability, miss_probability
from exceptions.selectors._order_types import DATED, SHORTAGE_PLAYS
from exceptions.selectors._supply_types import BEHIND, COUNT_LOSES
from exceptions.selectors._types import CaseType, Pace, Row, statement

USAGE_DAYS = 28  # what left in these days says what will leave
LOOK_AHEAD_DAYS = 14
TIERS = ("", "A", "B", "C")
WAITING_STATES = "'partly_allocated', 'backordered', 'fulfilling', 'partly_shipped'"

# What is free lasts so many days at the pace of the last weeks, and nothing comes before it is
# gone: neither what is ordered nor, if it were ordered today, what the supplier would bring.
STOCKOUT = statement(
    """
    SELECT r.id AS subject_id, p.code || ' @ ' || n.code AS subject_label, r.entity_id, e.currency,
           NULL::bigint AS order_id, n.name AS party, p.code AS product, n.code AS node,
           trim_scale(free.quantity) AS free, round(used.daily, 1) AS daily, left_.days AS due_in,
           supply.days AS supply_in, {today} + left_.days AS runs_out,
           {today} + supply.days AS comes,
           coalesce(elsewhere.quantity, 0) AS elsewhere,
           used.daily * least(supply.days - left_.days, {ahead})
               * coalesce(sold.price, pc.value / nullif(pc.quantity, 0), 0) AS revenue
    FROM procurement_replenishmentrule r
    JOIN accounts_entity e ON e.id = r.entity_id AND e.is_active
    JOIN inventory_node n ON n.id = r.node_id AND n.is_active
    JOIN inventory_product p ON p.id = r.product_id AND NOT p.is_discontinued
    LEFT JOIN inventory_productcost pc ON pc.product_id = r.product_id
        AND pc.entity_id = r.entity_id
    JOIN LATERAL (
        SELECT sum(-m.quantity) / {usage} AS daily FROM inventory_stockmove m
        WHERE m.product_id = r.product_id AND m.node_id = r.node_id AND m.entity_id = r.entity_id
          AND m.at > %(now)s::timestamptz - interval '{usage} days' AND m.kind = 'shipment'
    ) used ON used.daily > 0
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(s.on_hand - s.reserved) FILTER (WHERE s.node_id = r.node_id), 0)
                   AS quantity
        FROM inventory_stock s
        WHERE s.product_id = r.product_id AND s.entity_id = r.entity_id
          AND s.node_id = r.node_id AND s.status = 'available' AND NOT s.is_barred
    ) free
    LEFT JOIN LATERAL (
        SELECT sum(s.on_hand - s.reserved) AS quantity FROM inventory_stock s
        WHERE s.product_id = r.product_id AND s.entity_id = r.entity_id AND s.node_id <> r.node_id
          AND s.status = 'available' AND NOT s.is_barred AND s.on_hand > s.reserved
    ) elsewhere ON true
    CROSS JOIN LATERAL (SELECT least(floor(free.quantity / used.daily), 9999)::int AS days) left_
    CROSS JOIN LATERAL (
        SELECT coalesce(
            (SELECT greatest(min(i.expected_date) - {today}, 1) FROM inventory_inbound i
             WHERE i.product_id = r.product_id AND i.entity_id = r.entity_id
               AND i.node_id = r.node_id AND i.quantity > 0
             HAVING count(*) > 0),
            (SELECT s.lead_time_days::int FROM procurement_supplierproduct s
             WHERE s.product_id = r.product_id AND s.entity_id = r.entity_id
             ORDER BY s.rank, s.id LIMIT 1),
            {ahead} + 1
        ) AS days
    ) supply
    LEFT JOIN LATERAL (
        SELECT avg(one.price) AS price FROM (
            SELECT l.unit_price * (1 - l.discount) AS price
            FROM orders_orderline l
            JOIN orders_order o ON o.id = l.order_id AND o.currency = e.currency
                AND o.entity_id = r.entity_id
            WHERE l.product_id = r.product_id
            ORDER BY l.id DESC LIMIT 20
        ) one
    ) sold ON true
    WHERE left_.days <= {ahead} AND left_.days < supply.days AND {within}
""",
    subject="r.id",
    usage=str(USAGE_DAYS),
    ahead=str(LOOK_AHEAD_DAYS),
)

# Counted from when it could have been served, or from when somebody last agreed on another day.
AGED_BACKLOG = statement(
    """
    SELECT l.id AS subject_id, o.number || ' · line ' || l.position AS subject_label,
           o.entity_id, o.currency, o.id AS order_id, c.name AS party, c.tier, p.code AS product,
           trim_scale(l.waiting) AS missing, {today} - since.day AS age, bound.days AS at_most,
           coalesce(l.promised_date, l.first_promised_date, o.requested_date) - {today} AS due_in,
           l.waiting * l.unit_price * (1 - l.discount) AS revenue, a.penalty_rate
    FROM orders_orderline l
    JOIN orders_order o ON o.id = l.order_id AND o.state IN ({waiting})
    JOIN orders_customer c ON c.id = o.customer_id
    JOIN orders_creditaccount a ON a.id = o.account_id
    JOIN accounts_entity e ON e.id = o.entity_id
    JOIN inventory_product p ON p.id = l.product_id
    JOIN unnest(%(entities)s::bigint[], %(tiers)s::text[], %(days)s::int[])
        AS bound (entity_id, tier, days) ON bound.entity_id = o.entity_id AND bound.tier = c.tier
    CROSS JOIN LATERAL (
        SELECT greatest(
            least(o.requested_date, (o.released_at AT TIME ZONE e.time_zone)::date + 1),
            (SELECT (max(run.run_at) AT TIME ZONE e.time_zone)::date
             FROM exceptions_exceptioncase kept
             JOIN exceptions_playrun run ON run.case_id = kept.id
             WHERE kept.subject_kind = 'orders.line' AND kept.subject_id = l.id
               AND run.undone_at IS NULL AND run.key = ANY (ARRAY[{dated}]))
        ) AS day
    ) since
    WHERE l.waiting > 0 AND o.released_at IS NOT NULL AND {today} - since.day > bound.days
      AND {within}
      AND NOT EXISTS (
          SELECT FROM exceptions_exceptioncase short
          WHERE short.type IN ('orders.shortage', 'orders.promise_at_risk')
            AND short.subject_kind = 'orders.line' AND short.subject_id = l.id
            AND short.state NOT IN ('resolved', 'dismissed')
      )
""",
    subject="l.id",
    order="o.id",
    waiting=WAITING_STATES,
    dated=", ".join(f"'{key}'" for key in DATED),
)

# The supplier moved the day, somebody waits for it, and nobody has decided on it since.
SUPPLIER_CHANGE = statement(
    """
    SELECT po.id AS subject_id, po.number AS subject_label, po.entity_id, po.currency,
           NULL::bigint AS order_id, s.name AS party, coalesce(behind.tier, '') AS tier,
           behind.revenue, behind.orders, moved.was, po.expected_date,
           po.expected_date - moved.was AS days_late,
           behind.due_date - {today} AS due_in, po.expected_date - {today} AS supply_in
    FROM procurement_purchaseorder po
    JOIN procurement_supplier s ON s.id = po.supplier_id
    JOIN accounts_entity e ON e.id = po.entity_id
    {behind}
    JOIN LATERAL (
        SELECT (a.after ->> 'previous_date')::date AS was, a.at
        FROM governance_auditentry a
        WHERE a.thread = 'procurement.order:' || po.id AND a.action = 'procurement.reschedule'
        ORDER BY a.id DESC LIMIT 1
    ) moved ON moved.was < po.expected_date
    WHERE po.state IN ('sent', 'acknowledged', 'partly_received') AND behind.orders > 0
      AND po.expected_date >= {today} AND {within}
      AND NOT EXISTS (
          SELECT FROM exceptions_exceptioncase kept
          JOIN exceptions_playrun run ON run.case_id = kept.id
          WHERE kept.subject_kind = 'procurement.order' AND kept.subject_id = po.id
            AND run.run_at >= moved.at AND run.undone_at IS NULL
      )
""",
    subject="po.id",
    behind=BEHIND,
)

# Some of a line came, and the rest was to come with it: nobody has said when, or that it does not.
SHORT_RECEIPT = statement(
    """
    SELECT po.id AS subject_id, po.number AS subject_label, po.entity_id, po.currency,
           NULL::bigint AS order_id, s.name AS party, coalesce(behind.tier, '') AS tier,
           greatest(coalesce(behind.revenue, 0), short.value) AS revenue,
           coalesce(behind.orders, 0) AS orders, short.lines, trim_scale(short.missing) AS missing,
           short.value, coalesce(behind.due_date, {today} + 7) - {today} AS due_in,
           po.id AS cause_id
    FROM procurement_purchaseorder po
    JOIN procurement_supplier s ON s.id = po.supplier_id
    JOIN accounts_entity e ON e.id = po.entity_id
    {behind}
    CROSS JOIN LATERAL (
        SELECT count(*) AS lines, sum(pl.quantity - pl.received) AS missing,
               sum((pl.quantity - pl.received) * pl.unit_price) AS value
        FROM procurement_purchaseorderline pl
        WHERE pl.order_id = po.id AND pl.received > 0 AND pl.received < pl.quantity
          AND pl.expected_date <= {today}
    ) short
    WHERE po.state = 'partly_received' AND short.lines > 0 AND {within}
""",
    subject="po.id",
    behind=BEHIND,
)

# Damaged goods of ours that no short pick speaks of: off the truck, or found so at the shelf.
GOODS_DAMAGED = statement(
    """
    SELECT s.id AS subject_id, p.code || ' @ ' || n.code AS subject_label, s.entity_id, e.currency,
           NULL::bigint AS order_id, n.name AS party, p.code AS product, n.code AS node,
           trim_scale(s.on_hand) AS quantity,
           round(s.on_hand * coalesce(pc.value / nullif(pc.quantity, 0), 0), 2) AS revenue
    FROM inventory_stock s
    JOIN accounts_entity e ON e.id = s.entity_id
    JOIN inventory_node n ON n.id = s.node_id
    JOIN inventory_product p ON p.id = s.product_id
    LEFT JOIN inventory_productcost pc ON pc.product_id = s.product_id
        AND pc.entity_id = s.entity_id
    WHERE s.status = 'damaged' AND s.on_hand > s.reserved AND {within}
      AND NOT EXISTS (
          SELECT FROM inventory_shipmentline sl
          JOIN inventory_shipment sh ON sh.id = sl.shipment_id
          JOIN inventory_stock shelf ON shelf.id = sl.stock_id
          WHERE sl.product_id = s.product_id AND sh.node_id = s.node_id
            AND sh.entity_id = s.entity_id AND sl.short_reason = 'damaged'
            AND sl.picked < sl.quantity
            AND coalesce(shelf.lot_id, 0) = coalesce(s.lot_id, 0)
      )
""",
    subject="s.id",
)


RULES = """
    SELECT DISTINCT r.id
    FROM unnest(%(entities)s::bigint[], %(nodes)s::bigint[], %(products)s::bigint[])
        AS k (entity_id, node_id, product_id)
    JOIN procurement_replenishmentrule r USING (entity_id, node_id, product_id)
    ORDER BY r.id
"""


def rules_of(*, keys: Sequence[tuple[int, int, int]]) -> list[int]:
    """Return the replenishment rules of these (company, node, product). One query."""
    entities, nodes, products = zip(*keys, strict=True) if keys else ((), (), ())
    asked = {"entities": [*entities], "nodes": [*nodes], "products": [*products]}
    return [one for (one,) in rows(RULES, asked)]


def backlog_terms(now: datetime) -> Mapping[str, Any]:
    """Return for each company and tier of customer after how many days a line has waited too long.

    Asks the policy `exceptions.backlog_age` once for each of them; nothing of it is kept.
    """
    keys = [
        (entity, tier)
        for entity in Entity.objects.filter(is_active=True).order_by("pk")
        for tier in TIERS
    ]
    questions = [Question(one.pk, "accounts.entity", one.pk, {"tier": tier}) for one, tier in keys]
    answers = decide(policy="exceptions.backlog_age", questions=questions, now=now, keep=False)
    return {
        "entities": [one.pk for one, _ in keys],
        "tiers": [tier for _, tier in keys],
        "days": [int(answer.outcome["days"]) for answer in answers],
    }


def expose_stockout(row: Row) -> Exposure:
    return Exposure(
        p_miss=miss_probability(
            due_in=row["due_in"], supply_in=row["supply_in"], elsewhere=row["elsewhere"] > 0
        ),
        revenue=row["revenue"],
        currency=row["currency"],
        days_late=row["supply_in"] - row["due_in"],
    )


def expose_backlog(row: Row) -> Exposure:
    return Exposure(
        p_miss=hold_probability(row["due_in"]),
        revenue=row["revenue"],
        currency=row["currency"],
        penalty=(row["penalty_rate"] * row["revenue"] * max(0, -row["due_in"])).quantize(
            Decimal("0.01")
        ),
        tier=row["tier"],
        days_late=max(0, -row["due_in"]),
    )


def expose_change(row: Row) -> Exposure:
    return Exposure(
        p_miss=miss_probability(due_in=row["due_in"], supply_in=row["supply_in"], elsewhere=False),
        revenue=row["revenue"],
        currency=row["currency"],
        tier=row["tier"],
        days_late=row["days_late"],
    )


COMING_TYPES = [
    CaseType(
        code="inventory.predicted_stockout",
        label="Stockout predicted",
        subject_kind="procurement.rule",
        statement=STOCKOUT,
        expose=expose_stockout,
        describe=lambda row: (
            f"{row['free']:f} {row['product']} free at {row['node']}, {row['daily']} leave a day:"
            f" gone by {row['runs_out']:%-d %b}, the next come {row['comes']:%-d %b}"
        ),
        facts=("product", "node", "free", "daily", "runs_out", "comes"),
        plays=("stock_up", "move_in"),
        pace=Pace.NIGHTLY,
    ),
    CaseType(
        code="orders.aged_backlog",
        label="Aged backlog",
        subject_kind="orders.line",
        statement=AGED_BACKLOG,
        expose=expose_backlog,
        describe=lambda row: (
            f"{row['missing']:f} {row['product']} wait for {row['age']} days;"
            f" at most {row['at_most']} are agreed"
        ),
        facts=("product", "missing", "age", "at_most"),
        plays=SHORTAGE_PLAYS,
        pace=Pace.CLOCK,
        terms=backlog_terms,
    ),
    CaseType(
        code="procurement.supplier_change",
        label="Supplier moved the day",
        subject_kind="procurement.order",
        statement=SUPPLIER_CHANGE,
        expose=expose_change,
        describe=lambda row: (
            f"{row['expected_date']:%-d %b} instead of {row['was']:%-d %b};"
            f" {row['orders']} orders wait behind it"
        ),
        facts=("was", "expected_date", "orders"),
        plays=("accept_change", "resource", "split_purchase", "close_rest"),
        pace=Pace.CLOCK,
    ),
    CaseType(
        code="procurement.short_receipt",
        label="Received short",
        subject_kind="procurement.order",
        statement=SHORT_RECEIPT,
        expose=lambda row: Exposure(
            p_miss=hold_probability(row["due_in"]),
            revenue=row["revenue"],
            currency=row["currency"],
            tier=row["tier"],
        ),
        describe=lambda row: (
            f"{row['missing']:f} of {row['lines']} lines did not come with the rest,"
            f" worth {row['value']:,.2f} {row['currency']}; {row['orders']} orders wait behind it"
        ),
        facts=("lines", "missing", "orders"),
        plays=("accept_late", "resource", "split_purchase", "close_rest"),
        pace=Pace.CLOCK,
        cause_kind="procurement.order",
    ),
    CaseType(
        code="inventory.goods_damaged",
        label="Damaged goods",
        subject_kind="inventory.stock",
        statement=GOODS_DAMAGED,
        expose=lambda row: Exposure(
            p_miss=COUNT_LOSES, revenue=row["revenue"], currency=row["currency"]
        ),
        describe=lambda row: (
            f"{row['quantity']:f} {row['product']} stand damaged at {row['node']};"
            " nobody has said what becomes of them"
        ),
        facts=("product", "node", "quantity"),
        plays=("put_back", "write_off"),
        pace=Pace.CLOCK,
    ),
]
