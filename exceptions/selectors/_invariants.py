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
        "Every live case that stands for itself and whose clock runs has a timer for the moment it"
        " must be resolved by, fired or to come.",
        """
        SELECT c.id FROM exceptions_exceptioncase c
        WHERE c.state NOT IN ('resolved', 'dismissed') AND c.parent_id IS NULL
          AND c.clock_stopped_at IS NULL AND NOT EXISTS (
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
        "exceptions.somewhere",
        "A live case lies with somebody since it opened; a closed one with nobody any more.",
        """
        SELECT c.id FROM exceptions_exceptioncase c
        LEFT JOIN exceptions_caseinterval i ON i.case_id = c.id AND i.until IS NULL
        WHERE (c.state IN ('resolved', 'dismissed')) = (i.id IS NOT NULL)
           OR i.party <> coalesce(nullif(c.waiting_on, ''), 'owner')
        """,
    ),
    Invariant(
        "exceptions.parents_are_live",
        "A live case hangs under a live one of its entity that hangs under no other.",
        """
        SELECT c.id FROM exceptions_exceptioncase c
        JOIN exceptions_exceptioncase p ON p.id = c.parent_id
        WHERE c.state NOT IN ('resolved', 'dismissed')
          AND (p.state IN ('resolved', 'dismissed') OR p.entity_id <> c.entity_id
               OR p.parent_id IS NOT NULL)
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
