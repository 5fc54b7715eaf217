"""What a customer owes, by how long it is due."""

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

from erp.kernel.sql import records
from finance.selectors._invoices import BOARD, InvoiceRow

AGEING = """
    SELECT e.code AS entity, i.currency,
           coalesce(sum(i.total - i.paid) FILTER (WHERE late.days <= 0), 0) AS not_due,
           coalesce(sum(i.total - i.paid) FILTER (WHERE late.days BETWEEN 1 AND 30), 0) AS to_30,
           coalesce(sum(i.total - i.paid) FILTER (WHERE late.days BETWEEN 31 AND 60), 0) AS to_60,
           coalesce(sum(i.total - i.paid) FILTER (WHERE late.days BETWEEN 61 AND 90), 0) AS to_90,
           coalesce(sum(i.total - i.paid) FILTER (WHERE late.days > 90), 0) AS older,
           count(*) AS invoices, count(*) FILTER (WHERE late.days > 0) AS overdue
    FROM finance_invoice i
    JOIN orders_creditaccount a ON a.id = i.account_id
    JOIN orders_customer c ON c.id = a.customer_id
    JOIN accounts_entity e ON e.id = i.entity_id
    CROSS JOIN LATERAL (
        SELECT (now() AT TIME ZONE e.time_zone)::date - i.due_date AS days
    ) AS late
    WHERE c.code = %(customer)s AND i.entity_id = ANY(%(entities)s)
      AND i.state IN ('posted', 'partly_paid')
    GROUP BY e.code, i.currency
    ORDER BY e.code, i.currency
"""
UNPAID = """
    AND i.state IN ('posted', 'partly_paid')
    AND i.account_id IN (SELECT a.id FROM orders_creditaccount a
                         JOIN orders_customer u ON u.id = a.customer_id
                         WHERE u.code = %(customer)s)
"""


@dataclass(frozen=True, slots=True)
class Ageing:
    """What is open in one entity, in `currency`, by days past due on the entity's own day."""

    entity: str
    currency: str
    not_due: Decimal
    to_30: Decimal
    to_60: Decimal
    to_90: Decimal
    older: Decimal
    invoices: int
    overdue: int

    @property
    def buckets(self) -> list[tuple[str, Decimal]]:
        """Return the open amounts under their names: not due, then by days past due."""
        return [
            ("", self.not_due),
            ("1-30", self.to_30),
            ("31-60", self.to_60),
            ("61-90", self.to_90),
            ("> 90", self.older),
        ]

    @property
    def total(self) -> Decimal:
        return self.not_due + self.late

    @property
    def late(self) -> Decimal:
        return self.to_30 + self.to_60 + self.to_90 + self.older


def ageing_of_customer(*, code: str, entity_ids: Collection[int]) -> list[Ageing]:
    """Return what a customer owes each of these entities, none where nothing is open. One query."""
    if "\0" in code:
        return []
    found = records(AGEING, {"customer": code, "entities": sorted(entity_ids)})
    return [Ageing(**row) for row in found]


def unpaid_of_customer(
    *, code: str, entity_ids: Collection[int], limit: int = 10
) -> list[InvoiceRow]:
    """Return a customer's unpaid invoices, the longest due first. One query."""
    if "\0" in code:
        return []
    statement = BOARD.format(narrowed=UNPAID).replace(
        "ORDER BY i.id DESC", "ORDER BY i.due_date, i.id"
    )
    params = {"customer": code, "entities": sorted(entity_ids), "limit": limit}
    return [InvoiceRow(**row) for row in records(statement, params)]
