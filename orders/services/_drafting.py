"""An order as it is asked for, and what may be wrong with its head."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from erp.kernel.money import CENT
from orders.models import OrderLine
from orders.rules import AMOUNT_MAX, LINES_MAX, is_exact
from orders.services._refusing import (
    BadAmount,
    BadReference,
    CustomerNotServed,
    DraftRefused,
    NoLines,
    TooManyLines,
)

TEXTS = {"channel": 20, "customer_po": 60, "client_key": 255, "external_ref": 60}
ADDRESS_MAX = 300
FRESH_MAX = 3_650


@dataclass(frozen=True, slots=True)
class LineDraft:
    """One line as asked for: `quantity` in `uom` (empty: the product's base unit).

    `unit_price` is per base unit in the account's currency; none: the price list answers.
    `discount` is a share of one. `disposition` says what becomes of what is short; empty: as the
    order says. `price_source` says where a given price comes from ("quote
    QT-7 line 2"; empty: somebody entered it) and `price_basis` holds the ids behind it, `kind`
    first: {"kind": "quote", "quote_line": 12}. Its lots keep `fresh_days` beyond the promise; none:
    as the order, or else the customer, says.
    """

    product_id: int
    quantity: Decimal
    uom: str = ""
    unit_price: Decimal | None = None
    discount: Decimal = Decimal(0)
    node_id: int | None = None
    price_source: str = ""
    price_basis: Mapping[str, Any] = field(default_factory=dict)
    disposition: str = ""
    fresh_days: int | None = None


@dataclass(frozen=True, slots=True)
class OrderDraft:
    """One order as asked for. The same `client_key` in one entity is the same order, once.

    `requested_date` none: the day it is taken. `ship_to` empty: the customer's own address. The
    three constraints: none takes the customer's; so does what `serving` does not name of what an
    order may insist on (`_allowing.NAMES`). `freight` is whole cents of the currency, which is the
    account's; `currency` is refused where it says another.
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
    currency: str = ""
    disposition: str = ""
    serving: Mapping[str, Any] = field(default_factory=dict)


def head_refusal(draft: OrderDraft, *, is_served: bool) -> DraftRefused | None:
    """Return what is wrong with a draft apart from its lines, if anything."""
    if not is_served:
        return CustomerNotServed("The customer has no account with this entity.", "customer")
    if not draft.lines:
        return NoLines("Add at least one line.", "lines")
    if len(draft.lines) > LINES_MAX:
        return TooManyLines(f"An order has at most {LINES_MAX:,} lines.", "lines")
    if not is_exact(draft.freight, CENT, AMOUNT_MAX) or draft.freight < 0:
        return BadAmount("Freight is zero or more, in whole cents.", "freight")
    return _line_refusal(draft) or _text_refusal(draft)


def _line_refusal(draft: OrderDraft) -> DraftRefused | None:
    known = {"", *OrderLine.Disposition.values}
    if not {draft.disposition, *(line.disposition for line in draft.lines)} <= known:
        return BadReference("There is no such disposition.", "disposition")
    if not all(0 <= (line.fresh_days or 0) <= FRESH_MAX for line in draft.lines):
        return BadReference(f"It is a whole number up to {FRESH_MAX:,}.", "min_shelf_days")
    return None


def _text_refusal(draft: OrderDraft) -> DraftRefused | None:
    for name, most in TEXTS.items():
        if not _fits(getattr(draft, name), most):
            return BadReference(f"Write at most {most} characters.", name)
    return address_refusal({"ship_to": draft.ship_to})


def address_refusal(head: Mapping[str, Any]) -> DraftRefused | None:
    """Return what is wrong with the texts and the address among an order's columns, if anything."""
    for name, most in TEXTS.items():
        if not _fits(head.get(name), most):
            return BadReference(f"Write at most {most} characters.", name)
    for name, value in (head.get("ship_to") or {}).items():
        if not _fits(name, ADDRESS_MAX) or not _fits(value, ADDRESS_MAX):
            return BadReference(f"Write at most {ADDRESS_MAX} characters.", f"ship_to.{name}")
    return None


def _fits(text: Any, most: int) -> bool:
    return text is None or (isinstance(text, str) and len(text) <= most and "\0" not in text)
