"""What an account owes, and what it still may."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from erp.kernel.sql import records


@dataclass(frozen=True, slots=True)
class Exposure:
    """One account's credit, in its currency. `used` is the share of the limit, none without one."""

    account_id: int
    entity: str
    customer_code: str
    customer: str
    currency: str
    credit_limit: Decimal
    terms_days: int
    on_hold: bool
    receivable: Decimal
    unbilled: Decimal
    committed: Decimal
    unapplied: Decimal
    overdue_amount: Decimal
    overdue_since: date | None

    @property
    def exposure(self) -> Decimal:
        return self.receivable + self.unbilled + self.committed - self.unapplied

    @property
    def available(self) -> Decimal:
        return self.credit_limit - self.exposure

    @property
    def used(self) -> Decimal | None:
        return round(self.exposure / self.credit_limit, 4) if self.credit_limit else None


EXPOSURE = """
    SELECT a.id AS account_id, e.code AS entity, c.code AS customer_code, c.name AS customer,
           a.currency, a.credit_limit, a.terms_days, a.on_hold, a.receivable, a.unbilled,
           a.committed, a.unapplied, a.overdue_amount, a.overdue_since
    FROM orders_creditaccount a
    JOIN orders_customer c ON c.id = a.customer_id
    JOIN accounts_entity e ON e.id = a.entity_id
    WHERE a.id = %(id)s
"""


def exposure(*, account_id: int) -> Exposure | None:
    """Return one account's exposure as it stands. One query."""
    found = records(EXPOSURE, {"id": account_id})
    return Exposure(**found[0]) if found else None
