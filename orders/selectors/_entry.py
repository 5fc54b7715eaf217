"""What order entry shows while somebody types: products, stock and prices."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from erp.kernel.sql import records, rows


@dataclass(frozen=True, slots=True)
class ProductHit:
    """One product as found while typing. `available` is what the entity could reserve now.

    `part_number` is the customer's own number, where that is what was typed.
    """

    id: int
    code: str
    name: str
    uom: str
    uoms: str
    is_blocked: bool
    available: Decimal
    unit_price: Decimal | None
    price_source: str | None
    part_number: str | None


# Roughly what capture would find: contract, then group and lists of the customer, then the default.
PRICE = """
    SELECT r.unit_price, r.kind AS source
    FROM orders_price r
    WHERE r.product_id = p.id AND r.entity_id = %(entity)s AND r.currency = %(currency)s
      AND r.uom = '' AND r.min_quantity <= 1 AND r.valid_from <= %(on)s
      AND (r.valid_until IS NULL OR r.valid_until > %(on)s)
      AND (r.customer_id = %(customer)s OR r.customer_id IS NULL)
      AND (r.group_id IS NULL OR r.group_id = (
          SELECT group_id FROM orders_customer WHERE id = %(customer)s))
      AND (r.price_list_id IS NULL OR EXISTS (
          SELECT FROM orders_listholder h WHERE h.price_list_id = r.price_list_id
          AND h.customer_id = %(customer)s))
    ORDER BY r.kind, r.price_list_id IS NULL, r.min_quantity DESC, r.id LIMIT 1
"""

SEARCH = f"""
    SELECT p.id, p.code, p.name, p.base_uom AS uom, p.is_blocked,
           coalesce((SELECT string_agg(u.code, ' ' ORDER BY u.code) FROM inventory_productuom u
                     WHERE u.product_id = p.id), '') AS uoms,
           coalesce((SELECT sum(s.on_hand - s.reserved) FROM inventory_stock s
                     WHERE s.product_id = p.id AND s.entity_id = %(entity)s
                       AND s.status = 'available' AND NOT s.is_barred), 0) AS available,
           price.unit_price, price.source AS price_source,
           (SELECT min(t.code) FROM orders_customerproduct t
            WHERE t.customer_id = %(customer)s AND t.product_id = p.id
              AND t.code LIKE %(starts)s) AS part_number
    FROM (
        SELECT * FROM inventory_product p
        WHERE upper(p.code) LIKE %(starts)s OR p.name ILIKE %(holds)s OR p.barcode = %(text)s
           OR p.id IN (SELECT t.product_id FROM orders_customerproduct t
                       WHERE t.customer_id = %(customer)s AND t.code LIKE %(starts)s)
        ORDER BY upper(p.code) = %(exact)s DESC, upper(p.code) LIKE %(starts)s DESC, p.code
        LIMIT %(limit)s
    ) AS p
    LEFT JOIN LATERAL ({PRICE}) AS price ON true
    ORDER BY upper(p.code) = %(exact)s DESC, upper(p.code) LIKE %(starts)s DESC, p.code
"""  # noqa: S608  the parts are our own


def product_search(
    *,
    text: str,
    entity_id: int,
    customer_id: int | None,
    currency: str,
    on: date,
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
        "limit": limit,
    }
    return [ProductHit(**row) for row in records(SEARCH, params)] if text else []


def product_ids(*, codes: Collection[str], customer_id: int | None = None) -> dict[str, int]:
    """Return the ids of products by code, upper case: what was typed, pasted or uploaded.

    With a customer their own numbers are understood too, where none of our codes is meant.
    """
    asked = [code.upper() for code in codes if "\0" not in code]
    statement = "SELECT upper(code), id FROM inventory_product WHERE upper(code) = ANY(%s)"
    ours = dict(rows(statement, [asked]))
    if customer_id is None or len(ours) == len(set(asked)):
        return ours
    theirs = part_number_ids(pairs=[(customer_id, code) for code in asked])
    return {code: product for (_, code), product in theirs.items()} | ours


def part_number_ids(*, pairs: Collection[tuple[int, str]]) -> dict[tuple[int, str], int]:
    """Return the products that customers mean by their own numbers, by customer and number."""
    statement = """
        SELECT t.customer_id, t.code, t.product_id
        FROM unnest(%(customers)s::bigint[], %(codes)s::text[]) AS k (customer_id, code)
        JOIN orders_customerproduct t ON t.customer_id = k.customer_id AND t.code = upper(k.code)
    """
    sound = sorted({pair for pair in pairs if "\0" not in pair[1]})
    asked = {"customers": [who for who, _ in sound], "codes": [code for _, code in sound]}
    return {(who, code): product for who, code, product in rows(statement, asked)}
