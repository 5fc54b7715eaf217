"""Finds out what each line of a draft is: its product, base quantity, price and amount."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from erp.governance.services import Question, decide
from erp.kernel.quantity import QUANTITY_MAX, STEP, NotWholeSteps, to_base
from orders.rules import (
    AMOUNT_MAX,
    Chosen,
    Offer,
    Standing,
    choose,
    is_exact,
    line_amount,
)
from orders.services._finding import KINDS, candidates_of, find_prices, offers_of
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

POLICY = "orders.pricing"
Standings = Mapping[tuple[int, str], Mapping[str, Standing]]


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


def price_lines(
    asks: Sequence[LineAsk], fields: Sequence[str], now: datetime
) -> list[list[PricedLine] | DraftRefused]:
    """Return each line priced, followed by what comes along free, or why it cannot be priced.

    `fields` names the lines. One query for all, and the policy's versions once a transaction.
    """
    sound = [_malformed(ask, field) for ask, field in zip(asks, fields, strict=True)]
    good = [ask for ask, refusal in zip(asks, sound, strict=True) if refusal is None]
    rows = find_prices(_columns(good)) if good else []
    standings = _standings(good, rows, now)
    found = iter(rows)
    return [
        refusal or _priced(ask, next(found), standings, field)
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


def _priced(
    ask: LineAsk, row: Mapping[str, Any], standings: Standings, field: str
) -> list[PricedLine] | DraftRefused:
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
    offers, goods = offers_of(row)
    chosen = _given(ask) or choose(
        candidates_of(row),
        standings.get((ask.entity_id, row["tier"]), {}),
        offers,
        quantity=quantity,
        discount=ask.discount,
    )
    if chosen is None:
        return NoPrice(f"{code} has no {ask.currency} price on {ask.day}.", f"{field}.product")
    amount = line_amount(quantity, chosen.unit_price, ask.discount)
    if amount > AMOUNT_MAX:
        return BadAmount("The line's amount is too large.", f"{field}.quantity")
    line = PricedLine(
        product_id=ask.product_id,
        uom=uom,
        uom_quantity=ask.quantity,
        quantity=quantity,
        unit_price=chosen.unit_price,
        price_source=chosen.source,
        discount=ask.discount,
        amount=amount,
        node_id=ask.node_id,
        price_basis=chosen.basis,
    )
    return [line, *(_along(line, row, offer, given, goods) for offer, given in chosen.free)]


def _given(ask: LineAsk) -> Chosen | None:
    """Return the price that the line brings along, if it does."""
    if ask.unit_price is None:
        return None
    basis = dict(ask.price_basis) or {"kind": "entered"}
    return Chosen(ask.unit_price, ask.price_source or "entered", basis)


def _along(
    line: PricedLine,
    row: Mapping[str, Any],
    offer: Offer,
    given: Decimal,
    goods: Mapping[int, Mapping[str, Any]],
) -> PricedLine:
    """Return the line of what a promotion gives along, at zero."""
    other = goods.get(offer.id)
    return PricedLine(
        product_id=other["free_product_id"] if other else line.product_id,
        uom=other["free_uom"] if other else row["base_uom"],
        uom_quantity=given,
        quantity=given,
        unit_price=Decimal(0),
        price_source=f"free, promotion {offer.code}",
        discount=Decimal(0),
        amount=Decimal(0),
        node_id=line.node_id,
        price_basis={"kind": "free", "promotions": [offer.id], "codes": [offer.code]},
    )


def _standings(
    asks: Sequence[LineAsk], rows: Sequence[Mapping[str, Any]], now: datetime
) -> Standings:
    """Return what the policy says of each kind of price, by entity and tier. Nothing is kept."""
    who = sorted({
        (ask.entity_id, row["tier"])
        for ask, row in zip(asks, rows, strict=True)
        if ask.unit_price is None and row["tier"] is not None
    })  # fmt: skip
    cases = [(entity_id, tier, kind) for entity_id, tier in who for kind in KINDS]
    if not cases:
        return {}
    questions = [
        Question(entity_id, "orders.customer", 0, {"kind": kind, "tier": tier})
        for entity_id, tier, kind in cases
    ]
    found: dict[tuple[int, str], dict[str, Standing]] = {}
    decided = decide(policy=POLICY, questions=questions, now=now, keep=False)
    for (entity_id, tier, kind), decision in zip(cases, decided, strict=True):
        said = decision.outcome
        found.setdefault((entity_id, tier), {})[kind] = Standing(
            rank=Decimal(said["rank"]),
            promotions=bool(said["promotions"]),
            discount_max=Decimal(said["discount_max"]),
        )
    return found


def _in_base(quantity: Decimal, row: Mapping[str, Any]) -> Decimal | None:
    """Convert to base units; none when that is not exact or does not fit."""
    if row["numerator"] is None:
        return quantity
    try:
        base = to_base(quantity, numerator=row["numerator"], denominator=row["denominator"])
    except NotWholeSteps:
        return None
    return base if base <= QUANTITY_MAX else None
