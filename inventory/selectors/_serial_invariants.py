"""What must hold of serial numbers at every commit."""

from erp.kernel.invariants import Invariant

SERIALS = [
    Invariant(
        "inventory.balances_hold_their_serials",
        "What a balance kept by serial number holds is the number of pieces that lie in it",
        """
        SELECT s.id, s.on_hand, count(n.id)
        FROM inventory_stock s
        JOIN inventory_product p ON p.id = s.product_id
        LEFT JOIN inventory_serial n ON n.stock_id = s.id
        WHERE s.is_serial OR p.tracking = 'serial' OR n.id IS NOT NULL
        GROUP BY s.id, p.id
        HAVING s.on_hand <> count(n.id) OR s.is_serial <> (p.tracking = 'serial')
        """,
    ),
    Invariant(
        "inventory.picked_serials_lie_at_their_shipment",
        "As many pieces as were picked for a line lie where it was picked, until it leaves",
        """
        SELECT sh.number, l.id, l.picked, count(n.id)
        FROM inventory_shipment sh
        JOIN inventory_shipmentline l ON l.shipment_id = sh.id
        JOIN inventory_stock s ON s.id = l.stock_id AND s.is_serial
        LEFT JOIN inventory_serial n ON n.line_id = l.id AND n.stock_id = s.id
        WHERE s.node_id <> sh.node_id OR s.entity_id <> sh.entity_id
            OR sh.state IN ('picked', 'packed') OR n.id IS NOT NULL
        GROUP BY sh.id, l.id, s.id
        HAVING s.node_id <> sh.node_id OR s.entity_id <> sh.entity_id
            OR CASE WHEN sh.state IN ('picked', 'packed') THEN l.picked ELSE 0 END <> count(n.id)
        """,
    ),
    Invariant(
        "inventory.travelling_serials_are_what_is_missing",
        "As many pieces go with a transfer as were picked for it and did not come yet",
        """
        SELECT t.number, p.id, p.quantity, count(n.id)
        FROM inventory_transferpiece p
        JOIN inventory_stock s ON s.id = p.stock_id AND s.is_serial
        JOIN inventory_transferline l ON l.id = p.line_id
        JOIN inventory_transfer t ON t.id = l.transfer_id
        LEFT JOIN inventory_serial n ON n.piece_id = p.id
        GROUP BY t.id, p.id
        HAVING CASE WHEN t.state = 'cancelled' THEN 0
            ELSE p.quantity - p.received - p.damaged - p.returned - p.lost END <> count(n.id)
        """,
    ),
    Invariant(
        "inventory.serials_are_where_they_moved",
        "A piece lies where it moved last, and every move of it began where the one before ended",
        """
        SELECT n.id, n.number, n.stock_id, m.last
        FROM inventory_serial n
        JOIN (
            SELECT serial_id, (array_agg(target_id ORDER BY id DESC))[1] AS last,
                bool_or(source_id IS DISTINCT FROM before) AS jumped
            FROM (
                SELECT id, serial_id, source_id, target_id,
                    lag(target_id) OVER (PARTITION BY serial_id ORDER BY id) AS before
                FROM inventory_serialmove
            ) moved
            GROUP BY serial_id
        ) m ON m.serial_id = n.id
        WHERE m.last IS DISTINCT FROM n.stock_id OR m.jumped
        """,
    ),
    Invariant(
        "inventory.serials_have_a_history",
        "Every piece that lies or left somewhere came somehow, and left on what was shipped",
        """
        SELECT n.id, n.number, sh.number, sh.state
        FROM inventory_serial n
        LEFT JOIN inventory_shipmentline l ON l.id = n.line_id
        LEFT JOIN inventory_shipment sh ON sh.id = l.shipment_id
        WHERE NOT EXISTS (SELECT FROM inventory_serialmove m WHERE m.serial_id = n.id)
            OR n.stock_id IS NULL AND n.line_id IS NOT NULL
                AND sh.state NOT IN ('shipped', 'delivered', 'failed')
        """,
    ),
]
