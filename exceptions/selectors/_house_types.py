"""Types of cases about the house itself: who may do what, what keeps the books open, odd prices."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from erp.accounts.models import Entity
from erp.governance.selectors import duty_conflicts, role_conflicts
from exceptions.rules.exposure import NOTHING, Exposure
from exceptions.rules.yardstick import about_local
from exceptions.selectors._types import CaseType, Pace, Row, statement

MISUSE: Mapping[str, Decimal] = {  # how likely a conflict is misused before somebody looks
    "high": Decimal("0.25"),
    "medium": Decimal("0.1"),
    "low": Decimal("0.02"),
}
AT_STAKE = Decimal(10_000)  # about US dollars: what one misuse usually takes
STAYS_OPEN = Decimal("0.2")  # of what is not in the books when its month closes, this is misstated
SAMPLES = 8  # sales of a product before its price says anything
FAR_OFF = "3.5"  # robust standard deviations from the median
LEAST_OFF = "0.1"  # a tenth of the median, however narrow the prices are
SALES_DAYS = 180
MISPRICED = Decimal("0.5")  # of prices so far off, this share was a slip of the finger

# The role that came last is the one that brought the conflict about; where it ends, so does that.
DUTY_CONFLICT = statement(
    """
    SELECT r.id AS subject_id, u.username || ' @ ' || e.code AS subject_label, e.id AS entity_id,
           e.currency, NULL::bigint AS order_id,
           coalesce(nullif(trim(u.first_name || ' ' || u.last_name), ''), u.username) AS party,
           r.role, held.said, held.risk, held.pairs
    FROM (
        SELECT c.entity_id, c.accounts, count(*) AS pairs, string_agg(c.said, '; ' ORDER BY c.said)
                   AS said,
               CASE WHEN bool_or(c.risk = 'high') THEN 'high'
                    WHEN bool_or(c.risk = 'medium') THEN 'medium' ELSE 'low' END AS risk
        FROM unnest(%(entities)s::bigint[], %(accounts)s::text[], %(risks)s::text[],
            %(said)s::text[]) AS c (entity_id, accounts, risk, said)
        GROUP BY c.entity_id, c.accounts
    ) held
    JOIN accounts_entity e ON e.id = held.entity_id AND e.is_active
    CROSS JOIN LATERAL (
        SELECT a.* FROM accounts_roleassignment a
        WHERE a.entity_id = held.entity_id
          AND a.user_id = ANY (string_to_array(held.accounts, ',')::bigint[])
          AND (a.valid_until IS NULL OR a.valid_until > %(now)s)
        ORDER BY a.id DESC LIMIT 1
    ) r
    JOIN accounts_user u ON u.id = r.user_id
    WHERE {within}
""",
    subject="r.id",
)

# What `finance.services.close_period` would refuse, said from the first day after the month.
PERIOD_BLOCKER = statement(
    """
    SELECT pe.id AS subject_id, e.code || ' ' || to_char(pe.starts, 'YYYY-MM') AS subject_label,
           pe.entity_id, e.currency, NULL::bigint AS order_id, e.name AS party, pe.starts,
           open.shipments, open.revenue, {today} - pe.ends AS days_late
    FROM finance_period pe
    JOIN accounts_entity e ON e.id = pe.entity_id AND e.is_active
    CROSS JOIN LATERAL (
        SELECT count(*) AS shipments, coalesce(sum(i.net), 0) AS revenue
        FROM finance_invoice i
        WHERE i.entity_id = pe.entity_id AND i.state = 'draft'
          AND i.invoice_date >= pe.starts AND i.invoice_date < pe.ends
    ) open
    WHERE pe.state <> 'closed' AND pe.ends <= {today} AND open.shipments > 0 AND {within}
""",
    subject="pe.id",
)

# Far from what the product is sold for: the distance from the median in median deviations, which a
# few odd prices do not move. What is stopped, or pricing has looked at, is left to them.
PRICE_ANOMALY = statement(
    """
    SELECT l.id AS subject_id, o.number || ' · line ' || l.position AS subject_label,
           o.entity_id, o.currency, o.id AS order_id, c.name AS party, c.tier, p.code AS product,
           round(asked.price, 2) AS price, round(usual.middle, 2) AS usual, usual.samples,
           abs(asked.price - usual.middle) * l.quantity AS revenue
    FROM orders_orderline l
    JOIN orders_order o ON o.id = l.order_id
        AND o.state IN ('released', 'partly_allocated', 'allocated', 'backordered')
    JOIN orders_customer c ON c.id = o.customer_id
    JOIN inventory_product p ON p.id = l.product_id
    CROSS JOIN LATERAL (SELECT l.unit_price * (1 - l.discount) AS price) asked
    CROSS JOIN LATERAL (
        SELECT middle.price AS middle, middle.samples,
               percentile_cont(0.5) WITHIN GROUP (ORDER BY abs(one.price - middle.price))::numeric
                   AS spread
        FROM (
            SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY s.price)::numeric AS price,
                   count(*) AS samples, array_agg(s.price) AS prices
            FROM (
                SELECT b.unit_price * (1 - b.discount) AS price
                FROM orders_orderline b
                JOIN orders_order bo ON bo.id = b.order_id AND bo.entity_id = o.entity_id
                    AND bo.currency = o.currency AND bo.state <> 'cancelled'
                    AND bo.submitted_at > %(now)s::timestamptz - interval '{days} days'
                WHERE b.product_id = l.product_id AND b.order_id <> l.order_id
                ORDER BY b.id DESC LIMIT 200
            ) s
        ) middle
        CROSS JOIN LATERAL unnest(middle.prices) AS one (price)
        GROUP BY middle.price, middle.samples
    ) usual
    WHERE usual.samples >= {samples} AND l.waiting + l.reserved > 0
      AND abs(asked.price - usual.middle)
          > greatest({far} * 1.4826 * usual.spread, {least} * usual.middle)
      AND NOT EXISTS (
          SELECT FROM orders_hold h
          WHERE h.order_id = o.id AND (h.state = 'active' OR h.owner_role = 'pricing')
      )
      AND {within}
""",
    subject="l.id",
    order="o.id",
    days=str(SALES_DAYS),
    samples=str(SAMPLES),
    far=FAR_OFF,
    least=LEAST_OFF,
)


def conflict_terms(now: datetime) -> Mapping[str, Any]:
    """Return who holds conflicting duties that nobody bears, as the page of duties has it.

    What one role brings by itself is a matter of the role, and told of on that page alone.
    """
    entities = list(Entity.objects.filter(is_active=True).values_list("pk", flat=True))
    by_role = {
        (one, conflict.role, conflict.pair)
        for one in entities
        for conflict in role_conflicts(entity_id=one, now=now)
    }
    found = [
        one
        for one in duty_conflicts(entity_ids=entities, now=now)
        if one.counts
        and not any(
            (one.entity_id, account.rpartition(" · ")[2], one.pair) in by_role
            for account in one.through
        )
    ]
    return {
        "entities": [one.entity_id for one in found],
        "accounts": [",".join(str(pk) for pk in one.account_ids) for one in found],
        "risks": [one.pair.risk for one in found],
        "said": [f"{one.pair.one_said} with {one.pair.other_said}" for one in found],
    }


def expose_conflict(row: Row) -> Exposure:
    return Exposure(
        p_miss=MISUSE.get(row["risk"], MISUSE["low"]),
        revenue=about_local(AT_STAKE, row["currency"]),
        currency=row["currency"],
    )


HOUSE_TYPES = [
    CaseType(
        code="governance.duty_conflict",
        label="Conflicting duties",
        subject_kind="accounts.role",
        statement=DUTY_CONFLICT,
        expose=expose_conflict,
        describe=lambda row: f"{row['party']} may {row['said']}, by {row['role']} last",
        facts=("role", "risk", "pairs"),
        plays=("end_role", "bear"),
        pace=Pace.CLOCK,
        terms=conflict_terms,
    ),
    CaseType(
        code="finance.period_blocker",
        label="Month cannot be closed",
        subject_kind="finance.period",
        statement=PERIOD_BLOCKER,
        expose=lambda row: Exposure(
            p_miss=STAYS_OPEN,
            revenue=row["revenue"],
            currency=row["currency"],
            days_late=max(0, row["days_late"]),
        ),
        describe=lambda row: (
            f"{row['shipments']} shipments of {row['starts']:%B %Y} worth {row['revenue']:,.2f}"
            f" {row['currency']} are not invoiced"
        ),
        facts=("starts", "shipments"),
        plays=("invoice_month",),
        pace=Pace.CLOCK,
    ),
    CaseType(
        code="orders.price_anomaly",
        label="Odd price",
        subject_kind="orders.line",
        statement=PRICE_ANOMALY,
        expose=lambda row: Exposure(
            p_miss=MISPRICED,
            revenue=max(NOTHING, row["revenue"]),
            currency=row["currency"],
            tier=row["tier"],
        ),
        describe=lambda row: (
            f"{row['product']} at {row['price']:,.2f} {row['currency']}; the middle of"
            f" {row['samples']} sales is {row['usual']:,.2f}"
        ),
        facts=("product", "price", "usual", "samples"),
        plays=("stop_order",),
        pace=Pace.NIGHTLY,
    ),
]
