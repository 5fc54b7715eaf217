"""What must hold at every commit."""

from erp.governance.selectors._chain import BROKEN
from erp.kernel.invariants import Invariant

INVARIANTS = [
    Invariant(
        "governance.audit_chain",
        "Every sealed audit entry is as it was sealed, and every seal is bound to the one before.",
        BROKEN,
    ),
    Invariant(
        "governance.one_active_version",
        "Each policy is decided everywhere, now and later: by an active version without an end.",
        """
        SELECT p.code FROM governance_policy p
        WHERE NOT EXISTS (
            SELECT FROM governance_policyversion v
            WHERE v.policy_id = p.id AND v.entity_id IS NULL AND v.state = 'active'
              AND v.valid_until IS NULL AND v.valid_from <= now())
        """,
    ),
    Invariant(
        "governance.somebody_else_activates",
        "Nobody put into force what they wrote, by whatever account.",
        """
        SELECT v.policy_id, v.number
        FROM governance_policyversion v
        JOIN accounts_user a ON a.id = v.activated_by_id
        JOIN accounts_user w ON w.id = v.author_id
        WHERE a.id = w.id OR (a.employee_ref <> '' AND a.employee_ref = w.employee_ref)
        """,
    ),
    Invariant(
        "governance.somebody_else_approves",
        "Nobody approves what they asked for or took part in, by whatever account.",
        """
        SELECT a.id, a.document_label
        FROM governance_approval a
        JOIN accounts_user d ON d.id = a.decided_by_id
        JOIN accounts_user r ON r.id = a.requested_by_id OR a.barred @> to_jsonb(r.id)
        WHERE a.state = 'approved'
          AND (r.id = d.id OR (r.employee_ref <> '' AND r.employee_ref = d.employee_ref))
        """,
    ),
    Invariant(
        "governance.orders_are_audited",
        "Every order that left its draft has its changes in the audit trail.",
        """
        SELECT o.number FROM orders_order o
        WHERE o.state <> 'draft' AND NOT EXISTS (
            SELECT FROM governance_auditentry a WHERE a.thread = 'orders.order:' || o.id)
        """,
    ),
    Invariant(
        "governance.purchase_orders_are_audited",
        "Every purchase order has its changes in the audit trail.",
        """
        SELECT o.number FROM procurement_purchaseorder o
        WHERE NOT EXISTS (
            SELECT FROM governance_auditentry a WHERE a.thread = 'procurement.order:' || o.id)
        """,
    ),
    Invariant(
        "governance.shipments_are_audited",
        "Every shipment has its changes in the audit trail.",
        """
        SELECT s.number FROM inventory_shipment s WHERE s.id IN (
            SELECT id FROM inventory_shipment
            EXCEPT
            SELECT subject_id FROM governance_auditentry WHERE subject_kind = 'inventory.shipment')
        """,
    ),
    Invariant(
        "governance.invoices_are_audited",
        "Every posted invoice has its changes in the audit trail.",
        """
        SELECT i.number FROM finance_invoice i WHERE i.id IN (
            SELECT id FROM finance_invoice WHERE state <> 'draft'
            EXCEPT
            SELECT subject_id FROM governance_auditentry WHERE subject_kind = 'finance.invoice')
        """,
    ),
]
