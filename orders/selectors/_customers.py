"""Customers: the list, the search, and everything about one."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from erp.kernel.sql import records
from orders.selectors._exposure import EXPOSURE, Exposure


@dataclass(frozen=True, slots=True)
class CustomerHit:
    """One customer as found while typing, with the account that would pay."""

    id: int
    code: str
    name: str
    city: str
    tier: str
    currency: str
    entity_id: int
    entity: str
    is_blocked: bool
    on_hold: bool


@dataclass(frozen=True, slots=True)
class CustomerRow:
    """One customer in the list, with their account in one entity."""

    id: int
    code: str
    name: str
    tier: str
    city: str
    country: str
    is_blocked: bool
    entity: str
    currency: str
    credit_limit: Decimal
    exposure: Decimal
    overdue_amount: Decimal
    on_hold: bool
    open_orders: int

    @property
    def used(self) -> Decimal | None:
        return round(self.exposure / self.credit_limit, 4) if self.credit_limit else None


@dataclass(frozen=True, slots=True)
class ShipToRow:
    """One address."""

    code: str
    name: str
    address: str
    city: str
    region: str
    postal_code: str
    country: str


@dataclass(frozen=True, slots=True)
class AccountRow:
    """One account of a customer: its credit, and the share due per day late."""

    exposure: Exposure
    penalty_rate: Decimal
    entity_id: int


@dataclass(frozen=True, slots=True)
class CustomerPage:
    """One customer, with the accounts in the entities in view."""

    id: int
    code: str
    name: str
    tier: str
    address: str
    city: str
    region: str
    postal_code: str
    country: str
    contact: str
    email: str
    phone: str
    tax_id: str
    is_blocked: bool
    ship_complete: bool
    no_split: bool
    no_substitutes: bool
    created_at: datetime
    calendar_id: int | None
    calendar: str
    accounts: list[AccountRow]
    ship_tos: list[ShipToRow]


SEARCH = """
    SELECT c.id, c.code, c.name, c.city, c.tier, a.currency, a.entity_id, e.code AS entity,
           c.is_blocked, a.on_hold
    FROM orders_customer c
    JOIN orders_creditaccount a ON a.customer_id = c.id AND a.entity_id = ANY(%(entities)s)
    JOIN accounts_entity e ON e.id = a.entity_id
    WHERE upper(c.code) LIKE %(starts)s OR c.name ILIKE %(holds)s
    ORDER BY upper(c.code) = %(exact)s DESC, upper(c.name) LIKE %(starts)s DESC, c.name, e.code
    LIMIT %(limit)s
"""

LIST = """
    SELECT c.id, c.code, c.name, c.tier, c.city, c.country, c.is_blocked, e.code AS entity,
           a.currency, a.credit_limit,
           a.receivable + a.unbilled + a.committed - a.unapplied AS exposure,
           a.overdue_amount, a.on_hold,
           (SELECT count(*) FROM orders_order o
            WHERE o.account_id = a.id AND o.customer_id = c.id
              AND o.state NOT IN ('closed', 'cancelled', 'invoiced')) AS open_orders
    FROM orders_customer c
    JOIN orders_creditaccount a ON a.customer_id = c.id AND a.entity_id = ANY(%(entities)s)
    JOIN accounts_entity e ON e.id = a.entity_id
    WHERE (%(tier)s = '' OR c.tier = %(tier)s)
      AND (%(text)s = '' OR upper(c.code) LIKE %(starts)s OR c.name ILIKE %(holds)s)
      AND (NOT %(stopped)s OR a.on_hold OR c.is_blocked)
      AND (upper(c.name), c.id, a.id) > (%(after_name)s, %(after_id)s, %(after_account)s)
    ORDER BY upper(c.name), c.id, a.id
    LIMIT %(limit)s
"""

PAGE = """
    SELECT c.id, c.code, c.name, c.tier, c.address, c.city, c.region, c.postal_code, c.country,
           c.contact, c.email, c.phone, c.tax_id, c.is_blocked, c.ship_complete, c.no_split,
           c.no_substitutes, c.created_at, c.calendar_id, coalesce(w.code, '') AS calendar
    FROM orders_customer c LEFT JOIN inventory_calendar w ON w.id = c.calendar_id
    WHERE c.code = %(code)s
      AND EXISTS (SELECT FROM orders_creditaccount a
                  WHERE a.customer_id = c.id AND a.entity_id = ANY(%(entities)s))
"""

ACCOUNTS = (
    EXPOSURE.replace("SELECT a.id", "SELECT a.penalty_rate, a.entity_id, a.id").replace(
        "a.id = %(id)s", "a.customer_id = %(id)s AND a.entity_id = ANY(%(entities)s)"
    )
    + " ORDER BY e.code"
)

SHIP_TOS = """
    SELECT code, name, address, city, region, postal_code, country
    FROM orders_shipto WHERE customer_id = %(id)s ORDER BY code
"""


def customer_search(*, entity_ids: Collection[int], text: str, limit: int = 8) -> list[CustomerHit]:
    """Return customers whose code begins with `text` or whose name holds it, best first."""
    found = records(SEARCH, {"entities": sorted(entity_ids), "limit": limit, **_like(text)})
    return [CustomerHit(**row) for row in found]


def customer_list(
    *,
    entity_ids: Collection[int],
    text: str = "",
    tier: str = "",
    stopped: bool = False,
    after: str = "",
    limit: int = 100,
) -> tuple[list[CustomerRow], str]:
    """Return one page of customers by name, and the code after which the next begins."""
    params = {
        "entities": sorted(entity_ids),
        "tier": tier,
        "stopped": stopped,
        "limit": limit + 1,
        **_like(text),
        **_beginning(after),
    }
    found = [CustomerRow(**row) for row in records(LIST, params)]
    last = found[limit - 1] if len(found) > limit else None
    return found[:limit], f"{last.code}@{last.entity}" if last else ""


def customer_page(*, code: str, entity_ids: Collection[int]) -> CustomerPage | None:
    """Return the customer of that code if one of `entity_ids` serves them. Three queries."""
    if "\0" in code:
        return None
    found = records(PAGE, {"code": code, "entities": sorted(entity_ids)})
    if not found:
        return None
    asked = {"id": found[0]["id"], "entities": sorted(entity_ids)}
    accounts = []
    for row in records(ACCOUNTS, asked):
        rate, entity_id = row.pop("penalty_rate"), row.pop("entity_id")
        accounts.append(AccountRow(Exposure(**row), rate, entity_id))
    ship_tos = [ShipToRow(**row) for row in records(SHIP_TOS, asked)]
    return CustomerPage(**found[0], accounts=accounts, ship_tos=ship_tos)


def _like(text: str) -> dict[str, str]:
    text = " ".join(text.replace("\0", " ").split())[:80]
    plain = text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
    starts, holds = f"{plain.upper()}%", f"%{plain}%"
    return {"text": text, "exact": text.upper(), "starts": starts, "holds": holds}


def _beginning(after: str) -> dict[str, Any]:
    """Return the row after which a page begins; none such, the list begins at its top."""
    code, _, entity = after.replace("\0", "").rpartition("@")
    found = records(
        "SELECT upper(c.name) AS after_name, c.id AS after_id, a.id AS after_account"
        " FROM orders_customer c JOIN orders_creditaccount a ON a.customer_id = c.id"
        " JOIN accounts_entity e ON e.id = a.entity_id WHERE c.code = %s AND e.code = %s",
        [code, entity],
    )
    return found[0] if found else {"after_name": "", "after_id": 0, "after_account": 0}
