"""What must hold of goods on their way at every commit."""

from erp.kernel.invariants import Invariant

TRANSFERS = [
    Invariant(
        "inventory.picked_transfers_are_reserved",
        "What was picked for a transfer that has not left is reserved",
        """
        SELECT t.number, p.id, p.quantity, r.quantity
        FROM inventory_transfer t
        JOIN inventory_transferline l ON l.transfer_id = t.id
        JOIN inventory_transferpiece p ON p.line_id = l.id
        LEFT JOIN inventory_reservation r ON r.demand_id = l.id AND r.stock_id = p.stock_id
            AND r.demand_kind = 'inventory.transferline' AND r.closed_at IS NULL
        WHERE t.state = 'picked' AND p.quantity <> coalesce(r.quantity, 0)
        """,
    ),
    Invariant(
        "inventory.ended_transfers_keep_nothing",
        "Nothing is kept for a transfer that left or was called off",
        """
        SELECT t.number, r.quantity
        FROM inventory_transfer t
        JOIN inventory_transferline l ON l.transfer_id = t.id
        JOIN inventory_reservation r ON r.demand_id = l.id
            AND r.demand_kind = 'inventory.transferline' AND r.closed_at IS NULL
        WHERE t.state NOT IN ('approved', 'picked')
        """,
    ),
    Invariant(
        "inventory.in_transit_is_what_transfers_carry",
        "What stands in transit is what transfers carry and nobody has accounted for",
        """
        SELECT coalesce(s.entity_id, c.entity_id), coalesce(s.node_id, c.node_id),
            coalesce(s.product_id, c.product_id), s.quantity, c.quantity
        FROM (
            SELECT entity_id, node_id, product_id, sum(on_hand) AS quantity
            FROM inventory_stock WHERE status = 'in_transit'
            GROUP BY entity_id, node_id, product_id
        ) s
        FULL JOIN (
            SELECT t.to_entity_id AS entity_id, t.destination_id AS node_id, l.product_id,
                sum(p.quantity - p.received - p.damaged - p.returned - p.lost) AS quantity
            FROM inventory_transfer t
            JOIN inventory_transferline l ON l.transfer_id = t.id
            JOIN inventory_transferpiece p ON p.line_id = l.id
            WHERE t.shipped_at IS NOT NULL
            GROUP BY t.to_entity_id, t.destination_id, l.product_id
        ) c ON c.entity_id = s.entity_id AND c.node_id = s.node_id
            AND c.product_id = s.product_id
        WHERE coalesce(s.quantity, 0) <> coalesce(c.quantity, 0)
        """,
    ),
    Invariant(
        "inventory.transfer_pieces_are_their_receipts",
        "What became of a piece of a transfer is what its receipts say, and a closed one is whole",
        """
        SELECT t.number, p.id
        FROM inventory_transferpiece p
        JOIN inventory_transferline l ON l.id = p.line_id
        JOIN inventory_transfer t ON t.id = l.transfer_id
        LEFT JOIN inventory_transferreceiptline r ON r.piece_id = p.id
        GROUP BY t.id, p.id
        HAVING (p.received, p.damaged, p.returned, p.lost, p."over") IS DISTINCT FROM (
                coalesce(sum(r.quantity) FILTER (WHERE r.outcome = 'received'), 0),
                coalesce(sum(r.quantity) FILTER (WHERE r.outcome = 'damaged'), 0),
                coalesce(sum(r.quantity) FILTER (WHERE r.outcome = 'returned'), 0),
                coalesce(sum(r.quantity) FILTER (WHERE r.outcome = 'lost'), 0),
                coalesce(sum(r.quantity) FILTER (WHERE r.outcome = 'over'), 0))
            OR t.state = 'closed'
                AND p.quantity <> p.received + p.damaged + p.returned + p.lost
        """,
    ),
    Invariant(
        "inventory.transfer_inbound_is_what_is_to_come",
        "A destination expects of a transfer what is still to come of it",
        """
        SELECT t.number, l.id, i.quantity
        FROM inventory_transferline l
        JOIN inventory_transfer t ON t.id = l.transfer_id
        LEFT JOIN (
            SELECT line_id, sum(quantity - received - damaged - returned - lost) AS left_over
            FROM inventory_transferpiece GROUP BY line_id
        ) p ON p.line_id = l.id
        LEFT JOIN inventory_inbound i ON i.source_id = l.id
            AND i.source_kind = 'inventory.transferline'
        WHERE coalesce(i.quantity, 0) <> CASE t.state
            WHEN 'approved' THEN l.quantity
            WHEN 'picked' THEN coalesce(p.left_over, 0)
            WHEN 'in_transit' THEN coalesce(p.left_over, 0)
            ELSE 0 END
        """,
    ),
]
