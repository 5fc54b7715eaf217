"""Turns lines that ask for kits into lines of their components, which leave together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal

from erp.kernel.prepared import Prepared
from erp.kernel.quantity import QUANTITY_MAX
from erp.kernel.sql import rows
from orders.rules import EXACT
from orders.rules.kits import STEP, spread
from orders.services._pricing import LineAsk, PricedLine, price_lines
from orders.services._refusing import BadQuantity, BlockedProduct, DraftRefused
from orders.services._storing import Part, Sheet

FIND = Prepared("""
    SELECT k.product_id, kp.code, c.product_id, p.code, p.base_uom, c.quantity, p.is_blocked,
           k.valid_from, k.valid_until
    FROM orders_kit k
    JOIN inventory_product kp ON kp.id = k.product_id
    JOIN orders_kitcomponent c ON c.kit_id = k.id
    JOIN inventory_product p ON p.id = c.product_id
    WHERE k.product_id = ANY(%(products)s) AND k.is_active
    ORDER BY k.id, c.position, c.id
""")


@dataclass(frozen=True, slots=True)
class Component:
    """So many base units of a product in one kit of code `kit`, on the days it is sold as one."""

    kit: str
    product_id: int
    code: str
    uom: str
    quantity: Decimal
    is_blocked: bool
    valid_from: date | None
    valid_until: date | None

    def is_sold_on(self, day: date) -> bool:
        since, until = self.valid_from or day, self.valid_until or day
        return since <= day <= until


def explode(sheets: Sequence[Sheet], now: datetime) -> list[Sheet | DraftRefused]:
    """Return the sheets with their kits exploded, or why one cannot be; one query without kits.

    A kit is one on its days, by the entity's calendar.
    The price of a kit is spread over its components by their own prices, to its exact amount.
    """
    products = {line.product_id for sheet in sheets for line in sheet.lines}
    kits: dict[int, list[Component]] = {}
    for product_id, code, *rest in rows(FIND, {"products": sorted(products)}):
        kits.setdefault(product_id, []).append(Component(code, *rest))
    if not kits:
        return list(sheets)
    return [_exploded(sheet, kits, now) for sheet in sheets]


def _exploded(
    sheet: Sheet, kits: Mapping[int, Sequence[Component]], now: datetime
) -> Sheet | DraftRefused:
    lines: list[PricedLine] = []
    parts: list[Part] = []
    asked: list[PricedLine] = []
    typed = len(sheet.draft.lines)
    for place, line in enumerate(sheet.lines):
        origin = place if place < typed else None
        components = kits.get(line.product_id)
        if components is None or not components[0].is_sold_on(sheet.account["today"]):
            lines.append(line)
            parts.append(Part(origin))
            continue
        refusal = _refusal(line, components, f"lines[{place}]")
        if refusal is not None:
            return refusal
        lines += _lines(sheet, line, components, now)
        parts += [Part(origin, len(asked), each.quantity) for each in components]
        asked.append(line)
    return replace(sheet, lines=lines, parts=parts, kits=asked)


def _refusal(line: PricedLine, components: Sequence[Component], field: str) -> DraftRefused | None:
    if line.quantity != int(line.quantity):
        return BadQuantity("Only whole kits are sold.", f"{field}.quantity")
    if max(line.quantity * each.quantity for each in components) > QUANTITY_MAX:
        return BadQuantity("So many kits are too many.", f"{field}.quantity")
    blocked = [each.code for each in components if each.is_blocked]
    if blocked:
        return BlockedProduct(f"{blocked[0]}, a part of it, is blocked.", f"{field}.product")
    return None


def _lines(
    sheet: Sheet, line: PricedLine, components: Sequence[Component], now: datetime
) -> list[PricedLine]:
    quantities = [line.quantity * each.quantity for each in components]
    worth = _worth(sheet, components, quantities, now)
    return [
        PricedLine(
            product_id=each.product_id,
            uom=each.uom,
            uom_quantity=quantity,
            quantity=quantity,
            unit_price=EXACT.quantize(EXACT.divide(amount, quantity), STEP),
            price_source=f"part of {each.kit}",
            discount=Decimal(0),
            amount=amount,
            node_id=line.node_id,
            price_basis={"kind": "kit"},
        )
        for each, quantity, amount in zip(
            components, quantities, spread(line.amount, worth), strict=True
        )
    ]


def _worth(
    sheet: Sheet, components: Sequence[Component], quantities: Sequence[Decimal], now: datetime
) -> list[Decimal]:
    """Return what each component would cost by itself; without a price it counts for nothing."""
    asks = [
        LineAsk(
            entity_id=sheet.draft.entity_id,
            customer_id=sheet.draft.customer_id,
            currency=sheet.account["currency"],
            day=sheet.account["today"],
            product_id=each.product_id,
            quantity=quantity,
            uom="",
            unit_price=None,
            discount=Decimal(0),
            node_id=None,
        )
        for each, quantity in zip(components, quantities, strict=True)
    ]
    found = price_lines(asks, [""] * len(asks), now)
    return [Decimal(0) if isinstance(each, DraftRefused) else each[0].amount for each in found]
