"""Types of cases about goods between our own nodes."""

from exceptions.rules.exposure import Exposure
from exceptions.selectors._supply_types import COUNT_LOSES
from exceptions.selectors._types import CaseType, statement

# Received, and nobody has said yet what became of what did not come.
TRANSFER_SHORT = statement(
    """
    SELECT t.id AS subject_id, t.number AS subject_label, t.to_entity_id AS entity_id, e.currency,
           NULL::bigint AS order_id, there.name AS party, here.code AS origin, there.code AS node,
           trim_scale(missing.quantity) AS missing, round(missing.worth, 2) AS revenue
    FROM inventory_transfer t
    JOIN accounts_entity e ON e.id = t.to_entity_id
    JOIN inventory_node here ON here.id = t.origin_id
    JOIN inventory_node there ON there.id = t.destination_id
    CROSS JOIN LATERAL (
        SELECT sum(gone.quantity) AS quantity,
               sum(coalesce(p.landed, 0) * gone.quantity / p.quantity) AS worth
        FROM inventory_transferline l
        JOIN inventory_transferpiece p ON p.line_id = l.id
        CROSS JOIN LATERAL (
            SELECT p.quantity - p.received - p.damaged - p.returned - p.lost AS quantity
        ) gone
        WHERE l.transfer_id = t.id
    ) missing
    WHERE t.state = 'received' AND missing.quantity > 0 AND {within}
""",
    subject="t.id",
)

MOVING_TYPES = [
    CaseType(
        code="inventory.transfer_short",
        label="Short transfer",
        subject_kind="inventory.transfer",
        statement=TRANSFER_SHORT,
        expose=lambda row: Exposure(
            p_miss=COUNT_LOSES, revenue=row["revenue"], currency=row["currency"]
        ),
        describe=lambda row: (
            f"{row['missing']:f} of what left {row['origin']} did not come to {row['node']};"
            " nobody has said what became of it"
        ),
        facts=("missing", "origin", "node"),
    )
]
