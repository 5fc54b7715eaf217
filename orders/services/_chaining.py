"""The chain of documents that an order, or a customer's limit, belongs to."""

from collections.abc import Collection

from erp.governance.services import Act
from erp.kernel.sql import rows

ORDERS = """
    SELECT o.entity_id, 'orders.order', o.id, o.number,
           ARRAY['orders.order:' || o.id, 'orders.customer:' || o.customer_id] || ARRAY(
               SELECT DISTINCT 'inventory.product:' || l.product_id
               FROM orders_orderline l WHERE l.order_id = o.id
           ),
           o.total, o.currency
    FROM orders_order o WHERE o.id = ANY(%(ids)s) ORDER BY o.id
"""
# With the orders that a higher limit would let go on.
LIMITS = """
    SELECT w.entity_id, 'orders.customer', c.id, c.code,
           ARRAY['orders.customer:' || c.id] || ARRAY(
               SELECT 'orders.order:' || o.id
               FROM orders_order o
               WHERE o.account_id = a.id AND o.state = 'held' ORDER BY o.id DESC LIMIT 1000
           ),
           w.credit_limit, a.currency
    FROM unnest(%(entities)s::bigint[], %(customers)s::bigint[], %(limits)s::numeric[])
        AS w (entity_id, customer_id, credit_limit)
    JOIN orders_creditaccount a
        ON a.entity_id = w.entity_id AND a.customer_id = w.customer_id
       AND a.credit_limit < w.credit_limit
    JOIN orders_customer c ON c.id = w.customer_id
    ORDER BY c.id
"""


def order_acts(order_ids: Collection[int]) -> list[Act]:
    """Return each order with its customer's and its products' stories, by id. One query."""
    return [_act(row) for row in rows(ORDERS, {"ids": list(order_ids)})]


def limit_acts(wanted: Collection[tuple[int, int, object]]) -> list[Act]:
    """Return the accounts whose limit goes up, with the stories of their held orders. One query.

    `wanted` are (entity, customer, limit in the account's currency).
    """
    asked = {
        "entities": [entity for entity, _, _ in wanted],
        "customers": [customer for _, customer, _ in wanted],
        "limits": [limit for _, _, limit in wanted],
    }
    return [_act(row) for row in rows(LIMITS, asked)]


def _act(row: tuple[object, ...]) -> Act:
    names = ("entity_id", "kind", "id", "label", "threads", "amount", "currency")
    return Act(**dict(zip(names, row, strict=True)))  # type: ignore[arg-type]
