"""What order entry shows while somebody types: products, stock and prices."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from erp.kernel.sql import records, rows


@dataclass(frozen=True, slots=True)
class ProductHit:
    """One product as found while typing. `available` is what the entity could reserve now."""

    id: int
    code: str
    name: str
    uom: str
    uoms: str
    is_blocked: bool
    available: Decimal
    unit_price: Decimal | None
    price_source: str | None


@dataclass(frozen=True, slots=True)
class Quoted:
    """What one base unit of a product costs a customer, and by what."""

    unit_price: Decimal
    source: str
    min_quantity: Decimal


PRICE = """
    SELECT r.unit_price, r.kind AS source, r.min_quantity
    FROM orders_price r
    WHERE r.product_id = p.id AND r.entity_id = %(entity)s AND r.currency = %(currency)s
      AND (r.customer_id = %(customer)s OR r.customer_id IS NULL)
      AND r.min_quantity <= {quantity} AND r.valid_from <= %(on)s
      AND (r.valid_until IS NULL OR r.valid_until > %(on)s)
    ORDER BY r.customer_id IS NULL, r.min_quantity DESC, r.valid_from DESC
    LIMIT 1
"""

SEARCH = f"""
    SELECT p.id, p.code, p.name, p.base_uom AS uom, p.is_blocked,
           coalesce((SELECT string_agg(u.code, ' ' ORDER BY u.code) FROM inventory_productuom u
                     WHERE u.product_id = p.id), '') AS uoms,
           coalesce((SELECT sum(s.on_hand - s.reserved) FROM inventory_stock s
                     WHERE s.product_id = p.id AND s.entity_id = %(entity)s
                       AND s.status = 'available'), 0) AS available,
           price.unit_price, price.source AS price_source
    FROM (
        SELECT * FROM inventory_product p
        WHERE upper(p.code) LIKE %(starts)s OR p.name ILIKE %(holds)s OR p.barcode = %(text)s
        ORDER BY upper(p.code) = %(exact)s DESC, upper(p.code) LIKE %(starts)s DESC, p.code
        LIMIT %(limit)s
    ) AS p
    LEFT JOIN LATERAL ({PRICE.format(quantity="%(quantity)s")}) AS price ON true
    ORDER BY upper(p.code) = %(exact)s DESC, upper(p.code) LIKE %(starts)s DESC, p.code
"""  # noqa: S608  the parts are our own

ONE = f"""
    SELECT price.* FROM inventory_product p
    CROSS JOIN LATERAL ({PRICE.format(quantity="%(quantity)s")}) AS price
    WHERE p.id = %(product)s
"""  # noqa: S608  the parts are our own


def product_search(
    *,
    text: str,
    entity_id: int,
    customer_id: int | None,
    currency: str,
    on: date,
    quantity: Decimal = Decimal(1),
    limit: int = 8,
) -> list[ProductHit]:
    """Return products by code, name or barcode, with stock and price for that customer."""
    text = " ".join(text.replace("\0", " ").split())[:80]
    plain = text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
    params = {
        "text": text,
        "exact": text.upper(),
        "starts": f"{plain.upper()}%",
        "holds": f"%{plain}%",
        "entity": entity_id,
        "customer": customer_id,
        "currency": currency,
        "on": on,
        "quantity": quantity,
        "limit": limit,
    }
    return [ProductHit(**row) for row in records(SEARCH, params)] if text else []


def price_for(
    *,
    entity_id: int,
    customer_id: int | None,
    product_id: int,
    currency: str,
    quantity: Decimal,
    on: date,
) -> Quoted | None:
    """Return the price of one base unit at that quantity on that day, as capture would take it."""
    params = {
        "entity": entity_id,
        "customer": customer_id,
        "product": product_id,
        "currency": currency,
        "quantity": quantity,
        "on": on,
    }
    found = records(ONE, params)
    return Quoted(**found[0]) if found else None


def product_ids(*, codes: Collection[str]) -> dict[str, int]:
    """Return the ids of products by code, upper case: what was typed, pasted or uploaded."""
    asked = [code.upper() for code in codes if "\0" not in code]
    statement = "SELECT upper(code), id FROM inventory_product WHERE upper(code) = ANY(%s)"
    return dict(rows(statement, [asked]))
