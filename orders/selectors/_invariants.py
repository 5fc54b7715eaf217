"""What must hold of orders at every commit."""

from erp.kernel.invariants import Invariant
from orders.rules import PART_OF

COMMITTING = (
    "'released', 'allocated', 'partly_allocated', 'backordered', 'fulfilling', 'partly_shipped',"
    " 'shipped', 'invoiced', 'closed'"
)


def _part(done: str) -> str:
    return PART_OF.format(amount="l.amount", done=done, quantity="l.quantity")


INVARIANTS = [
    Invariant(
        "orders.reserved",
        "A line's reserved quantity is the sum of its open reservations.",
        """
        SELECT l.id, l.reserved, coalesce(r.quantity, 0)
        FROM orders_orderline l
        FULL JOIN (
            SELECT demand_id, sum(quantity) AS quantity FROM inventory_reservation
            WHERE demand_kind = 'orders.line' AND closed_at IS NULL GROUP BY demand_id
        ) AS r ON r.demand_id = l.id
        WHERE coalesce(l.reserved, 0) <> coalesce(r.quantity, 0)
        """,
    ),
    Invariant(
        "orders.shipped",
        "A line's shipped quantity is what left on its shipments.",
        """
        SELECT l.id, l.shipped, coalesce(s.quantity, 0)
        FROM orders_orderline l
        FULL JOIN (
            SELECT sl.demand_id, sum(coalesce(sl.picked, sl.quantity)) AS quantity
            FROM inventory_shipmentline sl JOIN inventory_shipment s ON s.id = sl.shipment_id
            WHERE sl.demand_kind = 'orders.line' AND s.state IN ('shipped', 'delivered', 'failed')
            GROUP BY sl.demand_id
        ) AS s ON s.demand_id = l.id
        WHERE coalesce(l.shipped, 0) <> coalesce(s.quantity, 0)
        """,
    ),
    Invariant(
        "orders.amounts",
        "A line's amount is quantity x price x (1 - discount), half up to a hundredth of a cent.",
        """
        SELECT id, amount, round(quantity * unit_price * (1 - discount), 4)
        FROM orders_orderline
        WHERE kit_id IS NULL AND amount <> round(quantity * unit_price * (1 - discount), 4)
        """,
    ),
    Invariant(
        "orders.totals",
        "An order's subtotal is the sum of its lines, its total that and freight in whole cents.",
        """
        SELECT o.number, o.subtotal, o.total, coalesce(l.amount, 0)
        FROM orders_order o
        LEFT JOIN (SELECT order_id, sum(amount) AS amount FROM orders_orderline GROUP BY order_id)
            AS l ON l.order_id = o.id
        WHERE o.subtotal <> coalesce(l.amount, 0) OR o.total <> round(o.subtotal + o.freight, 2)
        """,
    ),
    Invariant(
        "orders.committed",
        "An account's commitments are what its released orders have not shipped, with freight"
        " until the first invoice.",
        f"""
        SELECT a.id, a.committed, coalesce(d.amount, 0)
        FROM orders_creditaccount a
        LEFT JOIN (
            SELECT o.account_id,
                   sum(l.amount + CASE WHEN l.is_billed OR l.is_gone THEN 0 ELSE o.freight END)
                       AS amount
            FROM orders_order o
            JOIN (SELECT order_id,
                         sum(l.amount - {_part("l.cancelled + l.shipped")}) AS amount,
                         bool_or(l.invoiced > 0) AS is_billed,
                         bool_and(l.cancelled = l.quantity) AS is_gone
                  FROM orders_orderline l GROUP BY order_id) AS l ON l.order_id = o.id
            WHERE o.state IN ({COMMITTING})
            GROUP BY o.account_id
        ) AS d ON d.account_id = a.id
        WHERE a.committed <> coalesce(d.amount, 0)
        """,  # noqa: S608  the parts are our own
    ),
    Invariant(
        "orders.unbilled",
        "An account's unbilled sales are what its orders shipped and nobody invoiced; where an"
        " order is invoiced in part, to the cent of each part.",
        f"""
        SELECT a.id, a.unbilled, coalesce(d.amount, 0)
        FROM orders_creditaccount a
        LEFT JOIN (
            SELECT o.account_id, sum(round(l.shipped, 2) - round(l.invoiced, 2)) AS amount,
                   count(*) FILTER (WHERE l.invoiced > 0 AND l.invoiced < l.shipped) AS parts
            FROM orders_order o
            JOIN (SELECT order_id, sum({_part("l.shipped")}) AS shipped,
                         sum({_part("l.invoiced")}) AS invoiced
                  FROM orders_orderline l GROUP BY order_id) AS l ON l.order_id = o.id
            GROUP BY o.account_id
        ) AS d ON d.account_id = a.id
        WHERE abs(a.unbilled - coalesce(d.amount, 0)) > 0.01 * coalesce(d.parts, 0)
        """,  # noqa: S608  the parts are our own
    ),
    Invariant(
        "orders.states",
        "An order's state is the one its lines say.",
        """
        SELECT o.number, o.state
        FROM orders_order o
        JOIN (SELECT order_id, sum(quantity - cancelled) AS ordered, sum(reserved) AS reserved,
                     sum(shipped) AS shipped, sum(waiting) AS waiting, sum(invoiced) AS invoiced
              FROM orders_orderline GROUP BY order_id) AS l ON l.order_id = o.id
        WHERE NOT CASE
            WHEN o.state IN ('draft', 'submitted', 'held', 'released')
                THEN l.reserved = 0 AND l.shipped = 0 AND l.ordered > 0
            WHEN o.state = 'backordered' THEN l.reserved = 0 AND l.shipped = 0 AND l.waiting > 0
            WHEN o.state = 'partly_allocated'
                THEN l.reserved > 0 AND l.waiting > 0 AND l.shipped = 0
            WHEN o.state = 'allocated'
                THEN l.waiting = 0 AND l.reserved > 0 AND l.shipped = 0
            WHEN o.state = 'fulfilling' THEN l.reserved > 0 AND l.shipped < l.ordered
            WHEN o.state = 'partly_shipped' THEN l.shipped > 0 AND l.shipped < l.ordered
            WHEN o.state = 'shipped' THEN l.shipped = l.ordered AND l.shipped > 0
            WHEN o.state IN ('invoiced', 'closed')
                THEN l.shipped = l.ordered AND l.invoiced = l.shipped
            ELSE l.ordered = 0 AND l.reserved = 0 AND l.shipped = 0
        END
        """,
    ),
    Invariant(
        "orders.holds",
        "A held order has an active hold; no order that went on or was cancelled has one, but for"
        " those of compliance that keep goods here while they are picked.",
        """
        SELECT o.number, o.state
        FROM orders_order o
        WHERE (o.state = 'held') <> EXISTS (
            SELECT FROM orders_hold h WHERE h.order_id = o.id AND h.state = 'active'
              AND NOT (h.kind = 'compliance' AND o.state = ANY(ARRAY['fulfilling', 'partly_shipped',
                                                    'partly_allocated', 'backordered']))
        ) AND o.state <> 'draft'
        """,
    ),
    Invariant(
        "orders.kits",
        "A kit's amount is quantity x price x (1 - discount) and what its components sum to, and"
        " they count as many whole kits as it does.",
        """
        SELECT k.id, k.amount, l.amount
        FROM orders_kitline k
        LEFT JOIN (SELECT kit_id, sum(amount) AS amount, min(quantity / per_kit) AS fewest,
                          max(quantity / per_kit) AS most, floor(min(cancelled / per_kit)) AS gone
                   FROM orders_orderline WHERE kit_id IS NOT NULL GROUP BY kit_id) AS l
            ON l.kit_id = k.id
        WHERE l.kit_id IS NULL OR k.amount <> l.amount OR k.cancelled <> l.gone
           OR k.amount <> round(k.quantity * k.unit_price * (1 - k.discount), 4)
           OR l.fewest <> k.quantity OR l.most <> k.quantity
        """,
    ),
    Invariant(
        "orders.agreed",
        "What a line of a quote or blanket order says was ordered is what orders took of it.",
        """
        SELECT 'quote', q.id, q.ordered, coalesce(l.taken, 0)
        FROM orders_quoteline q
        LEFT JOIN (
            SELECT quote_line_id, sum(taken) AS taken FROM (
                SELECT quote_line_id, quantity - cancelled AS taken FROM orders_orderline
                UNION ALL SELECT quote_line_id, quantity - cancelled FROM orders_kitline
            ) AS each WHERE quote_line_id IS NOT NULL GROUP BY quote_line_id
        ) AS l ON l.quote_line_id = q.id
        WHERE q.ordered <> coalesce(l.taken, 0)
        UNION ALL
        SELECT 'blanket', b.id, b.called, coalesce(l.taken, 0)
        FROM orders_blanketline b
        LEFT JOIN (
            SELECT blanket_line_id, sum(taken) AS taken FROM (
                SELECT blanket_line_id, quantity - cancelled AS taken FROM orders_orderline
                UNION ALL SELECT blanket_line_id, quantity - cancelled FROM orders_kitline
            ) AS each WHERE blanket_line_id IS NOT NULL GROUP BY blanket_line_id
        ) AS l ON l.blanket_line_id = b.id
        WHERE b.called <> coalesce(l.taken, 0)
        """,
    ),
    Invariant(
        "orders.pegs_stand_on_what_waits",
        "Nothing is pegged for more than waits, once all facts are delivered",
        """
        SELECT o.number, l.position, l.waiting, sum(p.quantity)
        FROM inventory_peg p
        JOIN orders_orderline l ON l.id = p.demand_id
        JOIN orders_order o ON o.id = l.order_id
        WHERE p.demand_kind = 'orders.line'
            AND NOT EXISTS (SELECT FROM outbox_delivery WHERE status = 'pending')
        GROUP BY o.number, l.id HAVING sum(p.quantity) > l.waiting
        """,
    ),
    Invariant(
        "orders.ledger_ends_with_the_promise",
        "The last entry of the ledger of promises is what the line says",
        """
        SELECT o.number, l.position, l.promised_date, last.promised_date
        FROM orders_orderline l
        JOIN orders_order o ON o.id = l.order_id
        JOIN LATERAL (
            SELECT c.promised_date, c.p90_date FROM orders_promisechange c
            WHERE c.line_id = l.id ORDER BY c.id DESC LIMIT 1
        ) AS last ON true
        WHERE (l.promised_date, l.promised_p90_date)
            IS DISTINCT FROM (last.promised_date, last.p90_date)
        """,
    ),
]
