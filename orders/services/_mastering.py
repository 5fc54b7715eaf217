"""Keeps customers, their accounts, addresses and prices."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerRow:
    """A customer as it should be. `code` says which."""

    code: str
    name: str
    tier: str = "C"
    country: str = ""
    address: str = ""
    city: str = ""
    region: str = ""
    postal_code: str = ""
    contact: str = ""
    email: str = ""
    phone: str = ""
    tax_id: str = ""
    is_blocked: bool = False
    ship_complete: bool = False
    no_split: bool = False
    no_substitutes: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRow:
    """The terms of one customer in one entity, as they should be."""

    entity_id: int
    customer_id: int
    currency: str
    credit_limit: Decimal = Decimal(0)
    terms_days: int = 30
    penalty_rate: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShipToRow:
    """One address of a customer, as it should be."""

    customer_id: int
    code: str
    name: str
    address: str = ""
    city: str = ""
    region: str = ""
    postal_code: str = ""
    country: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceRow:
    """One price per base unit, as it should be; with `customer_id` it is a contract's."""

    entity_id: int
    product_id: int
    currency: str
    unit_price: Decimal
    valid_from: date
    customer_id: int | None = None
    min_quantity: Decimal = Decimal(0)
    valid_until: date | None = None
