"""What waits on order lines, as inventory reads it when it promises."""

from inventory.selectors import DemandSource
from orders.rules import TRANSIT_DAYS

OPEN = (
    "'{submitted,held,released,allocated,partly_allocated,backordered,fulfilling,partly_shipped}'"
)

# It must leave so many days before it is wanted; days off are seen to when it is promised.
NEEDS_ON = f"(o.requested_date - coalesce(c.transit_days, {TRANSIT_DAYS}))"

ORDER_LINES = DemandSource(
    kind="orders.line",
    waiting=f"""
        SELECT o.entity_id, l.product_id, l.node_id, l.id AS demand_id,
            l.waiting - l.direct AS quantity,
            {NEEDS_ON} AS needs_on, o.priority::int AS priority, o.requested_date AS wanted_on
        FROM asked k
        JOIN orders_orderline l ON l.product_id = k.product_id AND l.waiting > 0
            AND l.waiting > l.direct
        JOIN orders_order o ON o.id = l.order_id AND o.entity_id = k.entity_id
            AND o.state = ANY({OPEN})
        LEFT JOIN inventory_carrier c ON c.id = o.carrier_id
    """,  # noqa: S608  the parts are our own
    about=f"""
        SELECT l.id, o.number AS label, 'line ' || l.position AS detail, c2.name AS party,
            round(l.amount * (l.quantity - l.cancelled - l.shipped) / l.quantity, 2) AS value,
            o.currency, o.requested_date AS wanted_on, {NEEDS_ON} AS needs_on,
            l.promised_date AS promised_on
        FROM orders_orderline l
        JOIN orders_order o ON o.id = l.order_id
        JOIN orders_customer c2 ON c2.id = o.customer_id
        LEFT JOIN inventory_carrier c ON c.id = o.carrier_id
        WHERE l.id = ANY(%(ids)s)
    """,  # noqa: S608  the parts are our own
    page="orders:page",
    weighing=f"""
        SELECT l.id, o.number AS label, 'orders.order:' || o.id AS thread,
            l.unit_price * (1 - l.discount) AS price, o.currency, a.penalty_rate, c2.tier,
            coalesce(l.first_promised_date, o.requested_date)
                - coalesce(c.transit_days, {TRANSIT_DAYS}) AS needs_on,
            coalesce(c.transit_days, {TRANSIT_DAYS}) AS transit_days,
            c.calendar_id AS carrier_week, c2.calendar_id AS customer_week
        FROM orders_orderline l
        JOIN orders_order o ON o.id = l.order_id
        JOIN orders_customer c2 ON c2.id = o.customer_id
        JOIN orders_creditaccount a ON a.id = o.account_id
        LEFT JOIN inventory_carrier c ON c.id = o.carrier_id
        WHERE l.id = ANY(%(ids)s::bigint[])
    """,  # noqa: S608  the parts are our own
)
