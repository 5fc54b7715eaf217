"""Finds out what each line of a draft is: its product, base quantity, price and amount."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from erp.kernel.prepared import Prepared
from erp.kernel.quantity import QUANTITY_MAX, STEP, NotWholeSteps, to_base
from erp.kernel.sql import records
from orders.rules import AMOUNT_MAX, line_amount
from orders.services._refusing import (
    BadAmount,
    BadQuantity,
    BadReference,
    BlockedProduct,
    DraftRefused,
    NoPrice,
    UnknownProduct,
    UnknownUom,
)

RATE_STEP = Decimal("0.000001")
AMOUNT_STEP = Decimal("0.0001")

# A contract beats the list; the deepest break that is reached counts, then the latest start.
FIND = Prepared("""
    SELECT p.id AS product_id, p.code, p.base_uom, p.is_blocked, u.numerator, u.denominator,
           n.id AS node_id,
           CASE WHEN contract.id IS NULL THEN listed.unit_price
                ELSE contract.unit_price END AS unit_price,
           CASE WHEN contract.id IS NOT NULL THEN 'contract'
                WHEN listed.id IS NOT NULL THEN 'list' END AS price_source
    FROM unnest(
        %(entities)s::bigint[], %(customers)s::bigint[], %(currencies)s::text[], %(days)s::date[],
        %(products)s::bigint[], %(uoms)s::text[], %(quantities)s::numeric[], %(nodes)s::bigint[],
        %(priced)s::boolean[]
    ) WITH ORDINALITY AS l (
        entity_id, customer_id, currency, day, product_id, uom, quantity, node_id, priced, place
    )
    LEFT JOIN inventory_product p ON p.id = l.product_id
    LEFT JOIN inventory_productuom u
        ON u.product_id = p.id AND u.code = l.uom AND l.uom <> p.base_uom AND l.uom <> ''
    LEFT JOIN inventory_node n ON n.id = l.node_id AND n.is_active
    CROSS JOIN LATERAL (
        SELECT l.quantity * coalesce(u.numerator, 1) / coalesce(u.denominator, 1)
    ) AS base (quantity)
    LEFT JOIN LATERAL (
        SELECT r.id, r.unit_price FROM orders_price r
        WHERE NOT l.priced AND r.product_id = p.id AND r.entity_id = l.entity_id
          AND r.customer_id = l.customer_id AND r.currency = l.currency
          AND r.min_quantity <= base.quantity AND r.valid_from <= l.day
          AND (r.valid_until IS NULL OR r.valid_until > l.day)
        ORDER BY r.min_quantity DESC, r.valid_from DESC LIMIT 1
    ) AS contract ON true
    LEFT JOIN LATERAL (
        SELECT r.id, r.unit_price FROM orders_price r
        WHERE contract.id IS NULL AND NOT l.priced AND r.product_id = p.id
          AND r.entity_id = l.entity_id AND r.customer_id IS NULL AND r.currency = l.currency
          AND r.min_quantity <= base.quantity AND r.valid_from <= l.day
          AND (r.valid_until IS NULL OR r.valid_until > l.day)
        ORDER BY r.min_quantity DESC, r.valid_from DESC LIMIT 1
    ) AS listed ON true
    ORDER BY l.place
""")


@dataclass(frozen=True, slots=True)
class LineAsk:
    """One line of a draft with what its order says about it. `day` chooses the price."""

    entity_id: int
    customer_id: int
    currency: str
    day: date
    product_id: int
    quantity: Decimal
    uom: str
    unit_price: Decimal | None
    discount: Decimal
    node_id: int | None
    price_source: str = ""
    price_basis: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PricedLine:
    """One line as it will be stored: `quantity` in base units, `amount` in the currency."""

    product_id: int
    uom: str
    uom_quantity: Decimal
    quantity: Decimal
    unit_price: Decimal
    price_source: str
    discount: Decimal
    amount: Decimal
    node_id: int | None
    price_basis: Mapping[str, Any] = field(default_factory=dict)


def price_lines(asks: Sequence[LineAsk], fields: Sequence[str]) -> list[PricedLine | DraftRefused]:
    """Return each line priced, or why it cannot be; `fields` names them. One query for all."""
    sound = [_malformed(ask, field) for ask, field in zip(asks, fields, strict=True)]
    good = [ask for ask, refusal in zip(asks, sound, strict=True) if refusal is None]
    found = iter(records(FIND, _columns(good)) if good else [])
    return [
        refusal or _priced(ask, next(found), field)
        for ask, refusal, field in zip(asks, sound, fields, strict=True)
    ]


def line_columns(lines: Sequence[PricedLine]) -> dict[str, list[Any]]:
    """Return the columns of priced lines, as the statements that insert them name them."""
    return {
        "products": [line.product_id for line in lines],
        "uoms": [line.uom for line in lines],
        "uom_quantities": [line.uom_quantity for line in lines],
        "quantities": [line.quantity for line in lines],
        "prices": [line.unit_price for line in lines],
        "sources": [line.price_source for line in lines],
        "discounts": [line.discount for line in lines],
        "amounts": [line.amount for line in lines],
        "nodes": [line.node_id for line in lines],
        "bases": [json.dumps(dict(line.price_basis)) for line in lines],
    }


def is_exact(number: Any, step: Decimal, most: Decimal) -> bool:
    """Test if `number` is a finite Decimal that its column holds without rounding."""
    if not isinstance(number, Decimal) or not number.is_finite() or abs(number) > most:
        return False
    exponent, places = number.as_tuple().exponent, step.as_tuple().exponent
    return int(exponent) >= int(places) or number == round(number, -int(places))


def _malformed(ask: LineAsk, field: str) -> DraftRefused | None:
    """Return what is wrong with the numbers of a line before anything is looked up."""
    if not is_exact(ask.quantity, STEP, QUANTITY_MAX) or ask.quantity <= 0:
        return BadQuantity("A quantity is above zero, to a thousandth.", f"{field}.quantity")
    price = ask.unit_price
    if price is not None and (not is_exact(price, AMOUNT_STEP, AMOUNT_MAX) or price < 0):
        return BadAmount("A price is zero or more, to four decimals.", f"{field}.price")
    if not is_exact(ask.discount, RATE_STEP, Decimal(1)) or ask.discount < 0:
        return BadAmount("A discount is a share from 0 to 1.", f"{field}.discount")
    if len(ask.uom) > 10:  # noqa: PLR2004  its column
        return UnknownUom("There is no such unit.", f"{field}.uom")
    return None


def _columns(asks: Sequence[LineAsk]) -> dict[str, list[Any]]:
    return {
        "entities": [ask.entity_id for ask in asks],
        "customers": [ask.customer_id for ask in asks],
        "currencies": [ask.currency for ask in asks],
        "days": [ask.day for ask in asks],
        "products": [ask.product_id for ask in asks],
        "uoms": [ask.uom for ask in asks],
        "quantities": [ask.quantity for ask in asks],
        "nodes": [ask.node_id for ask in asks],
        "priced": [ask.unit_price is not None for ask in asks],
    }


def _unknown(ask: LineAsk, row: Mapping[str, Any], field: str) -> DraftRefused | None:
    """Return what a line names that is not there or not for sale, if anything."""
    code, uom = row["code"], ask.uom or row["base_uom"]
    if code is None:
        return UnknownProduct("There is no such product.", f"{field}.product")
    if row["is_blocked"]:
        return BlockedProduct(f"{code} is blocked for sale.", f"{field}.product")
    if ask.node_id is not None and row["node_id"] is None:
        return BadReference("There is no such node.", f"{field}.node")
    if uom != row["base_uom"] and row["numerator"] is None:
        return UnknownUom(f"{code} is not sold in {uom}.", f"{field}.uom")
    return None


def _priced(ask: LineAsk, row: Mapping[str, Any], field: str) -> PricedLine | DraftRefused:
    refusal = _unknown(ask, row, field)
    if refusal is not None:
        return refusal
    code, uom = row["code"], ask.uom or row["base_uom"]
    quantity = _in_base(ask.quantity, row)
    if quantity is None:
        return BadQuantity(
            f"{ask.quantity} {uom} is not a whole number of thousandths of {row['base_uom']}.",
            f"{field}.quantity",
        )
    is_given = ask.unit_price is not None
    price = ask.unit_price if is_given else row["unit_price"]
    if price is None:
        return NoPrice(f"{code} has no {ask.currency} price on {ask.day}.", f"{field}.product")
    amount = line_amount(quantity, price, ask.discount)
    if amount > AMOUNT_MAX:
        return BadAmount("The line's amount is too large.", f"{field}.quantity")
    return PricedLine(
        product_id=ask.product_id,
        uom=uom,
        uom_quantity=ask.quantity,
        quantity=quantity,
        unit_price=price,
        price_source=ask.price_source or "entered" if is_given else row["price_source"],
        discount=ask.discount,
        amount=amount,
        node_id=ask.node_id,
        price_basis=ask.price_basis or {"kind": "entered" if is_given else row["price_source"]},
    )


def _in_base(quantity: Decimal, row: Mapping[str, Any]) -> Decimal | None:
    """Convert to base units; none when that is not exact or does not fit."""
    if row["numerator"] is None:
        return quantity
    try:
        base = to_base(quantity, numerator=row["numerator"], denominator=row["denominator"])
    except NotWholeSteps:
        return None
    return base if base <= QUANTITY_MAX else None
