"""What must hold of cases at every commit."""

from erp.kernel.invariants import Invariant

INVARIANTS = [
    Invariant(
        "exceptions.one_live_case",
        "A condition of one subject has at most one live case.",
        """
        SELECT type, subject_kind, subject_id FROM exceptions_exceptioncase
        WHERE state NOT IN ('resolved', 'dismissed')
        GROUP BY type, subject_kind, subject_id HAVING count(*) > 1
        """,
    ),
    Invariant(
        "exceptions.somebody_has_it",
        "Every live case stands in a queue that exists, and its clocks come in order.",
        """
        SELECT c.id FROM exceptions_exceptioncase c
        WHERE c.state NOT IN ('resolved', 'dismissed')
          AND (c.queue = '' OR c.acknowledge_by > c.resolve_by
               OR c.state = 'assigned' AND c.owner_id IS NULL)
        """,
    ),
    Invariant(
        "exceptions.clocks_run",
        "Every live case has a timer for the moment it must be resolved by, fired or to come.",
        """
        SELECT c.id FROM exceptions_exceptioncase c
        WHERE c.state NOT IN ('resolved', 'dismissed') AND NOT EXISTS (
            SELECT FROM exceptions_casetimer t
            WHERE t.case_id = c.id AND t.kind = 'resolve' AND t.cancelled_at IS NULL
        )
        """,
    ),
    Invariant(
        "exceptions.clocks_stop",
        "No timer of a closed case waits to fire.",
        """
        SELECT t.id FROM exceptions_casetimer t
        JOIN exceptions_exceptioncase c ON c.id = t.case_id
        WHERE c.state IN ('resolved', 'dismissed') AND t.fired_at IS NULL
          AND t.cancelled_at IS NULL
        """,
    ),
    Invariant(
        "exceptions.loss_adds_up",
        "The expected loss of a case is what its figures say, to the cent.",
        """
        SELECT c.id FROM exceptions_exceptioncase c
        WHERE c.expected_loss <> (c.reasons ->> 'expected_loss')::numeric
           OR abs(c.expected_loss - (c.reasons ->> 'p_miss')::numeric
               * (c.reasons ->> 'revenue')::numeric - (c.reasons ->> 'penalty')::numeric
               - (c.reasons ->> 'tier_weight')::numeric) > 0.02
        """,
    ),
    Invariant(
        "exceptions.cases_are_audited",
        "Every case has its opening in the audit trail.",
        """
        SELECT c.id FROM exceptions_exceptioncase c
        WHERE NOT EXISTS (
            SELECT FROM governance_auditentry a
            WHERE a.thread = CASE WHEN c.order_id IS NULL THEN 'exceptions.case:' || c.id
                             ELSE 'orders.order:' || c.order_id END
              AND a.subject_kind = 'exceptions.case' AND a.subject_id = c.id
        )
        """,
    ),
]
