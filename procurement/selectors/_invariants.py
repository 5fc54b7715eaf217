"""What must hold at every commit."""

from erp.kernel.invariants import Invariant

INVARIANTS = [
    Invariant(
        "procurement.received_is_what_came",
        "What a purchase order line has received is the sum of its receipts.",
        """
        SELECT o.number, l.position, l.received, coalesce(r.came, 0)
        FROM procurement_purchaseorderline l
        JOIN procurement_purchaseorder o ON o.id = l.order_id
        LEFT JOIN (
            SELECT rl.source_line_id, sum(rl.quantity) AS came
            FROM inventory_receiptline rl
            JOIN inventory_receipt h ON h.id = rl.receipt_id
            WHERE h.source_kind = 'procurement.order' GROUP BY 1
        ) r ON r.source_line_id = l.id
        WHERE l.received <> coalesce(r.came, 0)
        """,
    ),
    Invariant(
        "procurement.one_open_proposal",
        "At most one proposal is open for a product at a node of an entity.",
        """
        SELECT product_id, node_id, entity_id, count(*)
        FROM procurement_purchaseproposal WHERE state = 'open'
        GROUP BY 1, 2, 3 HAVING count(*) > 1
        """,
    ),
    Invariant(
        "procurement.total_is_its_lines",
        "A purchase order's total is the sum of its lines, rounded once.",
        """
        SELECT o.number, o.total
        FROM procurement_purchaseorder o
        LEFT JOIN procurement_purchaseorderline l ON l.order_id = o.id
        GROUP BY o.id, o.number, o.total
        HAVING o.total <> round(coalesce(sum(l.quantity * l.unit_price), 0), 2)
        """,
    ),
    Invariant(
        "procurement.state_fits_receipts",
        "A purchase order is received when everything came, partly when something did.",
        """
        SELECT o.number, o.state
        FROM procurement_purchaseorder o
        JOIN procurement_purchaseorderline l ON l.order_id = o.id
        GROUP BY o.id, o.number, o.state
        HAVING (o.state = 'received') AND bool_or(l.received < l.quantity)
            OR (o.state = 'partly_received')
                AND NOT (bool_or(l.received > 0) AND bool_or(l.received < l.quantity))
            OR (o.state = ANY('{draft,pending,approved,sent,acknowledged,cancelled}'))
                AND bool_or(l.received > 0)
            OR bool_or(l.received > l.quantity)
        """,
    ),
    Invariant(
        "procurement.somebody_else_approved",
        "Nobody approved a purchase order they wrote or submitted.",
        """
        SELECT o.number FROM procurement_purchaseorder o
        WHERE o.approved_by_id IS NOT NULL
          AND o.approved_by_id IN (o.created_by_id, o.submitted_by_id)
        """,
    ),
    Invariant(
        "procurement.accepted_is_ordered",
        "Every accepted proposal stands on exactly one purchase order line.",
        """
        SELECT p.id FROM procurement_purchaseproposal p
        WHERE p.state = 'accepted' AND NOT EXISTS (
            SELECT FROM procurement_purchaseorderline l WHERE l.proposal_id = p.id)
        """,
    ),
]
