"""What must hold of money at every commit."""

from erp.kernel.invariants import Invariant
from finance.selectors._ledger import PROOFS

TIED = """
    SELECT e.code, coalesce(sub.value, 0), coalesce(gl.value, 0)
    FROM accounts_entity e
    LEFT JOIN ({proof}) AS sub (entity_id, value) ON sub.entity_id = e.id
    LEFT JOIN (
        SELECT a.entity_id, sum(l.debit - l.credit) AS value
        FROM finance_account a JOIN finance_journalline l ON l.account_id = a.id
        WHERE a.purpose = '{purpose}' GROUP BY a.entity_id
    ) AS gl ON gl.entity_id = e.id
    WHERE coalesce(sub.value, 0) <> coalesce(gl.value, 0)
"""

INVARIANTS: list[Invariant] = [
    Invariant(
        "finance.entries_balance",
        "Debits equal credits in every journal entry, and each has lines.",
        """
        SELECT j.id, sum(l.debit), sum(l.credit)
        FROM finance_journalentry j LEFT JOIN finance_journalline l ON l.entry_id = j.id
        GROUP BY j.id HAVING coalesce(sum(l.debit), 0) <> coalesce(sum(l.credit), 0) OR count(l) = 0
        """,
    ),
    Invariant(
        "finance.lines_on_own_books",
        "Every journal line is on an account of its entry's entity.",
        """
        SELECT l.id FROM finance_journalline l
        JOIN finance_journalentry j ON j.id = l.entry_id
        JOIN finance_account a ON a.id = l.account_id
        WHERE a.entity_id <> j.entity_id
        """,
    ),
    *[
        Invariant(
            f"finance.{proof.code}_ties",
            f"{proof.label} equal the ledger's {proof.purpose} account, entity by entity.",
            TIED.format(proof=proof.statement, purpose=proof.purpose),
        )
        for proof in PROOFS
    ],
    Invariant(
        "finance.customer_receivable",
        "What each customer's account carries as receivable, unbilled and unapplied is what its"
        " invoices and payments say.",
        """
        SELECT a.id FROM orders_creditaccount a
        LEFT JOIN (
            SELECT account_id,
                   coalesce(sum(total - paid) FILTER (WHERE state <> 'draft'), 0) AS receivable,
                   coalesce(sum(net) FILTER (WHERE state = 'draft'), 0) AS unbilled
            FROM finance_invoice GROUP BY account_id
        ) AS i ON i.account_id = a.id
        LEFT JOIN (
            SELECT account_id, sum(unapplied) AS unapplied FROM finance_payment GROUP BY account_id
        ) AS p ON p.account_id = a.id
        WHERE (a.receivable, a.unbilled, a.unapplied) IS DISTINCT FROM
              (coalesce(i.receivable, 0), coalesce(i.unbilled, 0), coalesce(p.unapplied, 0))
        """,
    ),
    Invariant(
        "finance.shipments_billed",
        "Everything that left for an order stands on exactly one invoice, with its quantity.",
        """
        SELECT s.number, l.id FROM inventory_shipmentline l
        JOIN inventory_shipment s ON s.id = l.shipment_id
        LEFT JOIN finance_invoiceline i ON i.shipment_line_id = l.id
        WHERE s.source_kind = 'orders.order'
          AND s.state IN ('shipped', 'delivered', 'failed') AND l.picked > 0
          AND (i.id IS NULL OR i.quantity <> l.picked)
        """,
    ),
    Invariant(
        "finance.shipments_posted",
        "Every shipment that left at a cost or a price has one journal entry, and no other has.",
        """
        SELECT i.shipment_id FROM finance_invoice i
        JOIN LATERAL (
            SELECT coalesce(sum(cost), 0) AS cost FROM inventory_shipmentline
            WHERE shipment_id = i.shipment_id
        ) AS c ON true
        LEFT JOIN finance_journalentry j ON j.cause_id = i.shipment_id
             AND j.cause_kind = 'inventory.shipment' AND j.kind = 'shipment'
        WHERE (j.id IS NULL) <> (i.net = 0 AND c.cost = 0)
        """,
    ),
    Invariant(
        "finance.group_sales_have_both_sides",
        "What left for a sister company is in both companies' books, with what its pieces say.",
        """
        SELECT t.number, s.price, s.landed, p.cost, p.price, p.landed
        FROM inventory_transfer t
        LEFT JOIN finance_groupsale s ON s.transfer_id = t.id
        LEFT JOIN (
            SELECT l.transfer_id, sum(p.cost) AS cost, sum(p.price) AS price,
                   sum(p.landed) AS landed
            FROM inventory_transferpiece p JOIN inventory_transferline l ON l.id = p.line_id
            GROUP BY l.transfer_id
        ) AS p ON p.transfer_id = t.id
        WHERE t.entity_id <> t.to_entity_id AND t.shipped_at IS NOT NULL AND (
            s.id IS NULL OR (s.seller_id, s.buyer_id) <> (t.entity_id, t.to_entity_id)
            OR (s.cost, s.price, s.landed) IS DISTINCT FROM (p.cost, p.price, p.landed)
            OR (SELECT count(*) FROM finance_journalentry j
                WHERE j.cause_id = t.id AND j.cause_kind = 'inventory.transfer'
                  AND j.entity_id IN (s.seller_id, s.buyer_id))
                <> (s.cost + s.price > 0)::int + (s.landed > 0)::int
        )
        """,
    ),
    Invariant(
        "finance.invoices_posted",
        "Every posted invoice has one journal entry (unless it is of nothing); no draft has one.",
        """
        SELECT i.id, i.number FROM finance_invoice i
        LEFT JOIN finance_journalentry j ON j.cause_id = i.id
             AND j.cause_kind = 'finance.invoice' AND j.kind = 'invoice'
        WHERE (j.id IS NULL) <> (i.state = 'draft' OR i.total = 0)
        """,
    ),
    Invariant(
        "finance.invoice_lines_sum",
        "The lines of an invoice sum to its net.",
        """
        SELECT i.id, i.net, sum(l.amount) FROM finance_invoice i
        LEFT JOIN finance_invoiceline l ON l.invoice_id = i.id
        GROUP BY i.id HAVING i.net <> coalesce(sum(l.amount), 0)
        """,
    ),
    Invariant(
        "finance.invoice_numbers",
        "Invoice numbers of an entity run from 1 without a gap.",
        """
        SELECT e.code, s.next_number - 1, count(i.id) FROM accounts_entity e
        LEFT JOIN accounts_numberseries s ON s.entity_id = e.id AND s.series = 'INV'
        LEFT JOIN finance_invoice i ON i.entity_id = e.id AND i.number IS NOT NULL
        GROUP BY e.code, s.next_number
        HAVING coalesce(s.next_number - 1, 0) <> count(i.id)
            OR coalesce(max(substring(i.number FROM '[0-9]+$')::bigint), 0) <> count(i.id)
        """,
    ),
    Invariant(
        "finance.invoices_paid",
        "What is paid on an invoice is what payments put on it, and its state says so.",
        """
        SELECT i.id, i.paid, sum(a.amount) FROM finance_invoice i
        LEFT JOIN finance_paymentallocation a ON a.invoice_id = i.id
        GROUP BY i.id
        HAVING i.paid <> coalesce(sum(a.amount), 0)
            OR i.state <> CASE WHEN i.state = 'draft' THEN 'draft' WHEN i.paid = i.total THEN 'paid'
                               WHEN i.paid > 0 THEN 'partly_paid' ELSE 'posted' END
        """,
    ),
    Invariant(
        "finance.payments_add_up",
        "A payment is on invoices or unapplied, to the cent.",
        """
        SELECT p.number FROM finance_payment p
        LEFT JOIN finance_paymentallocation a ON a.payment_id = p.id
        GROUP BY p.id HAVING p.amount <> p.unapplied + coalesce(sum(a.amount), 0)
        """,
    ),
    Invariant(
        "finance.payments_posted",
        "Every payment has one journal entry.",
        """
        SELECT p.number FROM finance_payment p
        LEFT JOIN finance_journalentry j ON j.cause_id = p.id
             AND j.cause_kind = 'finance.payment' AND j.kind = 'payment'
        WHERE j.id IS NULL
        """,
    ),
    Invariant(
        "finance.paid_orders_closed",
        "An order that is invoiced in full and whose invoices are all paid is closed.",
        """
        SELECT o.number FROM orders_order o
        WHERE o.state = 'invoiced'
          AND NOT EXISTS (
              SELECT FROM finance_invoice i WHERE i.order_id = o.id AND i.state <> 'paid')
        """,
    ),
    Invariant(
        "finance.direct_is_what_suppliers_were_told",
        "What an order line leaves to suppliers is what they were told to send for it and have not"
        " sent.",
        """
        SELECT coalesce(o.number, told.number), coalesce(l.direct, 0), coalesce(told.quantity, 0)
        FROM orders_orderline l JOIN orders_order o ON o.id = l.order_id
        FULL JOIN (
            SELECT pl.demand_id, min(po.number) AS number,
                   sum(pl.quantity - pl.received) AS quantity
            FROM procurement_purchaseorderline pl
            JOIN procurement_purchaseorder po ON po.id = pl.order_id
            WHERE pl.demand_kind = 'orders.line'
              AND po.state = ANY('{sent,acknowledged,partly_received}')
            GROUP BY pl.demand_id
        ) AS told ON told.demand_id = l.id
        WHERE coalesce(l.direct, 0) <> coalesce(told.quantity, 0)
        """,
    ),
]
