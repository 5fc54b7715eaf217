"""What must hold of stock at every commit."""

from erp.kernel.invariants import Invariant
from inventory.selectors._bin_invariants import BINS
from inventory.selectors._corrections import CORRECTIONS
from inventory.selectors._costing import COSTING
from inventory.selectors._counts import COUNTS
from inventory.selectors._moving import TRANSFERS
from inventory.selectors._serial_invariants import SERIALS

INVARIANTS = [
    *TRANSFERS,
    *COUNTS,
    *CORRECTIONS,
    *COSTING,
    *BINS,
    *SERIALS,
    Invariant(
        "inventory.stock_is_the_sum_of_its_moves",
        "Every balance, lot by lot, is the sum of its moves",
        """
        SELECT coalesce(s.product_id, m.product_id), coalesce(s.node_id, m.node_id),
            coalesce(s.entity_id, m.entity_id), coalesce(s.status, m.status),
            coalesce(s.lot_id, m.lot_id), s.on_hand, m.quantity
        FROM inventory_stock s
        FULL JOIN (
            SELECT entity_id, node_id, product_id, lot_id, status, sum(quantity) AS quantity
            FROM inventory_stockmove GROUP BY entity_id, node_id, product_id, lot_id, status
        ) m ON m.product_id = s.product_id AND m.node_id = s.node_id AND m.entity_id = s.entity_id
            AND m.status = s.status AND coalesce(m.lot_id, 0) = coalesce(s.lot_id, 0)
        WHERE coalesce(s.on_hand, 0) <> coalesce(m.quantity, 0)
        """,
    ),
    Invariant(
        "inventory.reserved_is_the_sum_of_open_reservations",
        "What a balance has reserved is the sum of its open reservations",
        """
        SELECT s.id, s.reserved, coalesce(r.quantity, 0)
        FROM inventory_stock s
        LEFT JOIN (
            SELECT stock_id, sum(quantity) AS quantity FROM inventory_reservation
            WHERE closed_at IS NULL GROUP BY stock_id
        ) r ON r.stock_id = s.id
        WHERE s.reserved <> coalesce(r.quantity, 0)
        """,
    ),
    Invariant(
        "inventory.only_available_stock_is_reserved",
        "Open reservations stand on available stock only",
        """
        SELECT r.id, s.id, s.status
        FROM inventory_reservation r JOIN inventory_stock s ON s.id = r.stock_id
        WHERE r.closed_at IS NULL AND s.status <> 'available'
        """,
    ),
    Invariant(
        "inventory.cost_is_the_sum_of_moves",
        "What a company owns of a product, and its worth, are the sum of its moves",
        """
        SELECT coalesce(c.entity_id, m.entity_id), coalesce(c.product_id, m.product_id),
            c.quantity, m.quantity, c.value, m.value
        FROM inventory_productcost c
        FULL JOIN (
            SELECT entity_id, product_id, sum(quantity) AS quantity, sum(value) AS value
            FROM inventory_stockmove GROUP BY entity_id, product_id
        ) m ON m.product_id = c.product_id AND m.entity_id = c.entity_id
        WHERE (coalesce(c.quantity, 0), coalesce(c.value, 0))
            <> (coalesce(m.quantity, 0), coalesce(m.value, 0))
        """,
    ),
    Invariant(
        "inventory.cost_is_whole_cents",
        "Stock is worth whole cents",
        "SELECT id, value FROM inventory_productcost WHERE value <> round(value, 2)",
    ),
    Invariant(
        "inventory.shipments_hold_what_is_reserved",
        "What stands on a shipment that has not left is reserved",
        """
        SELECT l.demand_kind, l.demand_id, l.stock_id, l.quantity, r.quantity
        FROM (
            SELECT l.demand_kind, l.demand_id, l.stock_id,
                sum(coalesce(l.picked, l.quantity)) AS quantity
            FROM inventory_shipmentline l JOIN inventory_shipment sh ON sh.id = l.shipment_id
            WHERE sh.state IN ('planned', 'picked', 'packed')
            GROUP BY l.demand_kind, l.demand_id, l.stock_id
        ) l
        LEFT JOIN inventory_reservation r ON r.demand_id = l.demand_id
            AND r.demand_kind = l.demand_kind AND r.stock_id = l.stock_id AND r.closed_at IS NULL
        WHERE l.quantity > coalesce(r.quantity, 0)
        """,
    ),
    Invariant(
        "inventory.shipped_lines_have_one_move",
        "Every line that left has one move of its quantity and cost, and no other has any",
        """
        SELECT sh.number, l.id, l.picked, l.cost, m.quantity, m.value
        FROM inventory_shipmentline l
        JOIN inventory_shipment sh ON sh.id = l.shipment_id
        LEFT JOIN inventory_stockmove m ON m.cause_id = l.id
            AND m.cause_kind = 'inventory.shipmentline' AND m.kind = 'shipment'
        WHERE CASE
            WHEN sh.state IN ('shipped', 'delivered', 'failed') AND l.picked > 0
                THEN (m.quantity, m.value) IS DISTINCT FROM (-l.picked, -l.cost)
            ELSE m.id IS NOT NULL END
        """,
    ),
    Invariant(
        "inventory.receipt_lines_have_one_move",
        "Every receipt line has one move of its quantity and value",
        """
        SELECT l.id, l.quantity, l.value, m.quantity, m.value
        FROM inventory_receiptline l
        LEFT JOIN inventory_stockmove m ON m.cause_id = l.id
            AND m.cause_kind = 'inventory.receiptline' AND m.kind = 'receipt'
        WHERE (m.quantity, m.value) IS DISTINCT FROM (l.quantity, l.value)
        """,
    ),
    Invariant(
        "inventory.runs_add_up",
        "A run gave what its receipts say, never more than was asked",
        """
        SELECT r.id, r.asked, r.given, d.asked, d.given
        FROM inventory_allocationrun r
        LEFT JOIN (
            SELECT run_id, count(*) AS lines, sum(asked) AS asked, sum(given) AS given,
                bool_or(given > asked) AS gave_more
            FROM inventory_allocationdecision GROUP BY run_id
        ) d ON d.run_id = r.id
        WHERE (r.demands, r.asked, r.given) IS DISTINCT FROM (d.lines, d.asked, d.given)
            OR d.gave_more
        """,
    ),
    Invariant(
        "inventory.live_shipments_have_lines",
        "A shipment that is not void has lines, and as many cartons as it says once packed",
        """
        SELECT sh.number, sh.state, sh.cartons
        FROM inventory_shipment sh
        WHERE sh.state <> 'void' AND (
            NOT EXISTS (SELECT FROM inventory_shipmentline l WHERE l.shipment_id = sh.id)
            OR sh.state NOT IN ('planned', 'picked') AND sh.cartons
                <> (SELECT count(*) FROM inventory_carton c WHERE c.shipment_id = sh.id)
        )
        """,
    ),
    Invariant(
        "inventory.no_more_is_pegged_than_comes",
        "No more is pegged of what is on its way than comes",
        """
        SELECT i.source_kind, i.source_id, i.quantity, sum(p.quantity)
        FROM inventory_peg p JOIN inventory_inbound i ON i.id = p.inbound_id
        GROUP BY i.id HAVING sum(p.quantity) > i.quantity
        """,
    ),
]
