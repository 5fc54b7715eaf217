"""What must hold of bins at every commit."""

from erp.kernel.invariants import Invariant

BINS = [
    Invariant(
        "inventory.bins_are_the_sum_of_their_moves",
        "What lies in every bin is the sum of what was moved in and out of it",
        """
        SELECT coalesce(b.bin_id, m.bin_id), coalesce(b.stock_id, m.stock_id), b.quantity,
            m.quantity
        FROM inventory_binstock b
        FULL JOIN (
            SELECT bin_id, stock_id, sum(quantity) AS quantity
            FROM (
                SELECT target_id, stock_id, quantity FROM inventory_binmove
                WHERE target_id IS NOT NULL
                UNION ALL SELECT source_id, stock_id, -quantity FROM inventory_binmove
                WHERE source_id IS NOT NULL
            ) AS d (bin_id, stock_id, quantity)
            GROUP BY bin_id, stock_id
        ) m ON m.bin_id = b.bin_id AND m.stock_id = b.stock_id
        WHERE coalesce(b.quantity, 0) <> coalesce(m.quantity, 0)
        """,
    ),
    Invariant(
        "inventory.balances_know_what_lies_in_bins",
        "What a balance has in bins is the sum of what lies in them",
        """
        SELECT s.id, s.binned, l.quantity
        FROM inventory_stock s
        LEFT JOIN (
            SELECT stock_id, sum(quantity) AS quantity FROM inventory_binstock GROUP BY stock_id
        ) l ON l.stock_id = s.id
        WHERE s.binned <> coalesce(l.quantity, 0)
        """,
    ),
    Invariant(
        "inventory.what_was_picked_left_its_bins",
        "What was picked and has not left stands in no bin",
        """
        SELECT s.id, s.on_hand, s.binned, p.quantity
        FROM inventory_stock s
        JOIN (
            SELECT stock_id, sum(quantity) AS quantity
            FROM (
                SELECT l.stock_id, l.picked FROM inventory_shipmentline l
                JOIN inventory_shipment sh ON sh.id = l.shipment_id
                WHERE sh.state IN ('picked', 'packed')
                UNION ALL SELECT t.stock_id, t.quantity FROM inventory_transferpiece t
                JOIN inventory_transferline tl ON tl.id = t.line_id
                JOIN inventory_transfer h ON h.id = tl.transfer_id AND h.state = 'picked'
            ) AS d (stock_id, quantity)
            GROUP BY stock_id
        ) p ON p.stock_id = s.id
        WHERE s.binned > 0 AND s.binned + p.quantity > s.on_hand
        """,
    ),
]
