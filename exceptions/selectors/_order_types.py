"""Types of cases about orders: lines that are short, orders that are held."""

from decimal import Decimal

from exceptions.rules.exposure import (
    Exposure,
    days_late,
    hold_probability,
    miss_probability,
    penalty,
)
from exceptions.selectors._types import CaseType, Row, statement

UNKNOWN_SUPPLY_DAYS = 14
HOLD_TAKES_DAYS = 1
# Plays that leave a line waiting, for a day that was promised: until then nothing is amiss.
DATED = (
    "backorder", "partial", "pegged_inbound", "redate", "transfer", "transfer_group", "buy",
    "buy_expedited", "drop_ship",
)  # fmt: skip
SHORTAGE_PLAYS = (
    "other_node", "split", "partial", "backorder", "pegged_inbound", "redate", "transfer",
    "transfer_group", "buy", "buy_expedited", "drop_ship", "substitute", "cancel_line",
)  # fmt: skip
CREDIT_PLAYS = ("release", "raise_limit", "prepayment", "keep_held", "cancel")
PRICE_PLAYS = ("release", "honour_contract", "honour_quote", "reprice", "cancel")

SHORTAGE = statement(
    """
    SELECT l.id AS subject_id, o.number || ' · line ' || l.position AS subject_label,
           o.entity_id, o.currency, o.id AS order_id, c.name AS party, c.tier,
           p.code AS product, trim_scale(l.waiting - l.direct) AS missing,
           trim_scale(l.quantity) AS ordered,
           (l.waiting - l.direct) * l.unit_price * (1 - l.discount) AS revenue, a.penalty_rate,
           coalesce(l.first_promised_date, o.requested_date) AS due_date,
           coalesce(l.first_promised_date, o.requested_date) - {today} AS due_in,
           coalesce(incoming.number, '') AS supply,
           coalesce(incoming.expected, {today} + offer.lead_time_days) AS supply_date,
           coalesce(incoming.expected, {today} + offer.lead_time_days) - {today} AS supply_in,
           trim_scale(coalesce(free.quantity, 0)) AS elsewhere,
           CASE WHEN incoming.expected > coalesce(l.first_promised_date, o.requested_date)
               THEN incoming.id END AS cause_id
    FROM orders_orderline l
    JOIN orders_order o ON o.id = l.order_id
    JOIN orders_customer c ON c.id = o.customer_id
    JOIN orders_creditaccount a ON a.id = o.account_id
    JOIN accounts_entity e ON e.id = o.entity_id
    JOIN inventory_product p ON p.id = l.product_id
    LEFT JOIN LATERAL (
        SELECT po.id, po.number, greatest(pl.expected_date, {today} + 1) AS expected
        FROM procurement_purchaseorderline pl
        JOIN procurement_purchaseorder po ON po.id = pl.order_id
        WHERE pl.product_id = l.product_id AND po.entity_id = o.entity_id
          AND po.state IN ('sent', 'acknowledged', 'partly_received') AND po.for_id IS NULL
          AND pl.quantity > pl.received
        ORDER BY pl.expected_date, pl.id
        LIMIT 1
    ) incoming ON true
    LEFT JOIN LATERAL (
        SELECT s.lead_time_days FROM procurement_supplierproduct s
        WHERE s.product_id = l.product_id AND s.entity_id = o.entity_id
        ORDER BY s.rank, s.id
        LIMIT 1
    ) offer ON true
    LEFT JOIN LATERAL (
        SELECT sum(s.on_hand - s.reserved) AS quantity FROM inventory_stock s
        WHERE s.product_id = l.product_id AND s.entity_id = o.entity_id
          AND s.status = 'available' AND NOT s.is_barred AND s.on_hand > s.reserved
    ) free ON true
    WHERE l.waiting > 0 AND l.waiting > l.direct
      AND o.state IN ('partly_allocated', 'backordered', 'fulfilling', 'partly_shipped')
      AND {within}
      AND NOT EXISTS (
          SELECT FROM exceptions_exceptioncase kept
          JOIN exceptions_playrun run ON run.case_id = kept.id AND run.key = ANY (ARRAY[{dated}])
          WHERE kept.subject_kind = 'orders.line' AND kept.subject_id = l.id
            AND run.undone_at IS NULL
            AND (run.chosen ->> 'new_date')::date >= {today}
            AND (run.chosen -> 'facts' ->> 'missing')::numeric >= l.waiting
      )
""",
    subject="l.id",
    order="o.id",
    dated=", ".join(f"'{key}'" for key in DATED),
)

HOLD = statement(
    """
    SELECT h.id AS subject_id, o.number AS subject_label, o.entity_id, o.currency,
           o.id AS order_id, c.name AS party, c.tier, o.total AS revenue, a.penalty_rate,
           o.requested_date AS due_date, o.requested_date - {today} AS due_in, h.reason,
           h.owner_role
    FROM orders_hold h
    JOIN orders_order o ON o.id = h.order_id
    JOIN orders_customer c ON c.id = o.customer_id
    JOIN orders_creditaccount a ON a.id = o.account_id
    JOIN accounts_entity e ON e.id = o.entity_id
    WHERE h.state = 'active' AND h.kind = '{kind}' AND o.state NOT IN ('draft', 'cancelled')
      AND {within}
""",
    subject="h.id",
    order="o.id",
)

# It stands in the story of the order: the law was found against goods that had left by then.
TOO_LATE = statement(
    """
    SELECT o.id AS subject_id, o.number AS subject_label, o.entity_id, o.currency,
           o.id AS order_id, c.name AS party, c.tier, o.total AS revenue, found.reason, found.at
    FROM orders_order o
    JOIN orders_customer c ON c.id = o.customer_id
    JOIN LATERAL (
        SELECT a.reason, a.at FROM governance_auditentry a
        WHERE a.thread = 'orders.order:' || o.id AND a.action = 'orders.law_found_too_late'
        ORDER BY a.id DESC LIMIT 1
    ) found ON true
    WHERE o.state IN ('partly_shipped', 'shipped', 'invoiced') AND {within}
""",
    subject="o.id",
    order="o.id",
)


def expose_shortage(row: Row) -> Exposure:
    late = days_late(due_in=row["due_in"], supply_in=row["supply_in"], unknown=UNKNOWN_SUPPLY_DAYS)
    return Exposure(
        p_miss=miss_probability(
            due_in=row["due_in"], supply_in=row["supply_in"], elsewhere=row["elsewhere"] > 0
        ),
        revenue=row["revenue"],
        currency=row["currency"],
        penalty=penalty(rate=row["penalty_rate"], amount=row["revenue"], days=late),
        tier=row["tier"],
        days_late=late,
    )


def describe_shortage(row: Row) -> str:
    wanted = f"{row['ordered']:f} {row['product']}"
    said = f"{row['missing']:f} of {wanted} short for {row['due_date']:%-d %b}"
    if row["supply"]:
        said += f"; {row['supply']} is due {row['supply_date']:%-d %b}"
    elif row["supply_date"]:
        said += f"; a supplier needs until {row['supply_date']:%-d %b}"
    else:
        said += "; no supply known"
    if row["penalty_rate"]:
        said += f"; penalty {row['penalty_rate'] * 100:.2f} % a day"
    return said


def expose_hold(row: Row) -> Exposure:
    late = days_late(due_in=row["due_in"], supply_in=HOLD_TAKES_DAYS, unknown=HOLD_TAKES_DAYS)
    return Exposure(
        p_miss=hold_probability(row["due_in"]),
        revenue=row["revenue"],
        currency=row["currency"],
        penalty=penalty(rate=row["penalty_rate"], amount=row["revenue"], days=late),
        tier=row["tier"],
        days_late=late,
    )


def describe_hold(row: Row) -> str:
    return f"{row['reason'].rstrip('.')}; wanted {row['due_date']:%-d %b}"


def expose_too_late(row: Row) -> Exposure:
    return Exposure(
        p_miss=Decimal(1), revenue=row["revenue"], currency=row["currency"], tier=row["tier"]
    )


def hold(
    code: str, label: str, kind: str, plays: tuple[str, ...] = ("release", "cancel")
) -> CaseType:
    return CaseType(
        code=code,
        label=label,
        subject_kind="orders.hold",
        statement=HOLD.replace("{kind}", kind),
        expose=expose_hold,
        describe=describe_hold,
        facts=("due_date", "owner_role"),
        plays=plays,
    )


ORDER_TYPES = [
    CaseType(
        code="orders.shortage",
        label="Shortage",
        subject_kind="orders.line",
        statement=SHORTAGE,
        expose=expose_shortage,
        describe=describe_shortage,
        facts=("missing", "ordered", "product", "due_date", "supply", "supply_date", "elsewhere"),
        plays=SHORTAGE_PLAYS,
        cause_kind="procurement.order",
    ),
    hold("orders.credit_hold", "Credit hold", "credit", CREDIT_PLAYS),
    hold("orders.price_hold", "Price hold", "price", PRICE_PLAYS),
    hold("orders.margin_hold", "Margin hold", "margin", PRICE_PLAYS),
    hold("orders.completeness_hold", "Incomplete order", "completeness"),
    hold("orders.promise_hold", "Promise hold", "promise"),
    hold("orders.compliance_hold", "Compliance hold", "compliance"),
    hold("orders.duplicate_hold", "Duplicate order", "duplicate"),
    hold("orders.manual_hold", "Order stopped by hand", "manual"),
    CaseType(
        code="orders.law_found_too_late",
        label="Left against the law",
        subject_kind="orders.order",
        statement=TOO_LATE,
        expose=expose_too_late,
        describe=lambda row: f"goods have left; {row['reason'].rstrip('.')}",
        facts=("reason",),
        self_clearing=False,
    ),
]
