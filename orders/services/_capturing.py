"""Takes orders down: from whatever door, the same draft."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from erp.kernel.errors import DomainError


@dataclass(frozen=True, slots=True)
class LineDraft:
    """One line as asked for: `quantity` in `uom` (empty: the product's base unit).

    `unit_price` is per base unit in the account's currency; none: the price list answers.
    `discount` is a share of one.
    """

    product_id: int
    quantity: Decimal
    uom: str = ""
    unit_price: Decimal | None = None
    discount: Decimal = Decimal(0)
    node_id: int | None = None


@dataclass(frozen=True, slots=True)
class OrderDraft:
    """One order as asked for. The same `client_key` in one entity is the same order, once.

    `requested_date` none: the day it is taken. `ship_to` empty: the customer's own address. The
    three constraints: none takes the customer's. `freight` is whole cents of the currency.
    """

    entity_id: int
    customer_id: int
    lines: Sequence[LineDraft]
    channel: str = "page"
    customer_po: str = ""
    requested_date: date | None = None
    ship_to: Mapping[str, Any] = field(default_factory=dict)
    client_key: str | None = None
    external_ref: str = ""
    freight: Decimal = Decimal(0)
    carrier_id: int | None = None
    ship_complete: bool | None = None
    no_split: bool | None = None
    no_substitutes: bool | None = None


@dataclass(frozen=True, slots=True)
class CreatedOrder:
    """The order of a draft; `created` is false where its key named one that was there before."""

    id: int
    number: str
    created: bool


@dataclass(frozen=True, slots=True)
class Captured:
    """What became of one draft of many: its order, or why there is none."""

    order: CreatedOrder | None
    refusal: DomainError | None
