"""Which products may go out for which."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from erp.kernel.prepared import Prepared
from erp.kernel.sql import records, rows

PAIRS = Prepared("""
    SELECT b.id, b.product_id, b.other_id, p.code AS product, o.code AS other, o.name,
        o.base_uom AS uom, b.units, b.per, b.rank, b.valid_from, b.valid_until, b.reason,
        b.consent, b.price_rule,
        p.export_code <> '' OR p.hazmat_class <> '' OR p.licence_required
            OR o.export_code <> '' OR o.hazmat_class <> '' OR o.licence_required AS is_controlled
    FROM inventory_substitute b
    JOIN inventory_product p ON p.id = b.product_id
    JOIN inventory_product o ON o.id = b.other_id AND NOT o.is_blocked
    WHERE b.product_id = ANY(%(products)s::bigint[])
        AND coalesce(b.valid_from, %(on)s::date) <= %(on)s::date
        AND coalesce(b.valid_until, %(on)s::date) >= %(on)s::date
    ORDER BY b.product_id, b.rank, b.id
""")
LISTED = """
    SELECT b.id, b.product_id, b.other_id, p.code AS product, o.code AS other, o.name,
        o.base_uom AS uom, b.units, b.per, b.rank, b.valid_from, b.valid_until, b.reason,
        b.consent, b.price_rule, false AS is_controlled
    FROM inventory_substitute b
    JOIN inventory_product p ON p.id = b.product_id
    JOIN inventory_product o ON o.id = b.other_id
    WHERE (%(product)s = '' OR p.code = %(product)s) AND b.id > %(after)s
    ORDER BY {order}
    LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True)
class SubstitutePair:
    """`per` base units (`uom`) of `other` may go out for `units` of `product`.

    `is_controlled`: one of both is under export control or hazardous, or needs a licence.
    """

    id: int
    product_id: int
    other_id: int
    product: str
    other: str
    name: str
    uom: str
    units: int
    per: int
    rank: int
    valid_from: date | None
    valid_until: date | None
    reason: str
    consent: str
    price_rule: str
    is_controlled: bool


def substitute_pairs(*, product_ids: Collection[int], on: date) -> list[SubstitutePair]:
    """Return what may go out for these products on a day, the first in rank first. One query.

    What is blocked may not.
    """
    if not product_ids:
        return []
    params = {"products": sorted(product_ids), "on": on}
    return [SubstitutePair(*row) for row in rows(PAIRS, params)]


def substitute_rows(*, product: str = "", after: int = 0, limit: int = 100) -> list[SubstitutePair]:
    """Return pairs, of one product by rank, or all in the order they were made. One query."""
    params = {"product": product.upper(), "after": after, "limit": limit}
    order = "b.rank, b.id" if product else "b.id"
    return [SubstitutePair(**row) for row in records(LISTED.format(order=order), params)]
