"""The grid of prices: who pays what, from when, and what is to come."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from erp.kernel.sql import records, rows

FROM = """
    FROM orders_price r
    JOIN inventory_product p ON p.id = r.product_id
    JOIN accounts_entity e ON e.id = r.entity_id
    LEFT JOIN orders_customer c ON c.id = r.customer_id
    LEFT JOIN orders_customergroup g ON g.id = r.group_id
    LEFT JOIN orders_pricelist l ON l.id = r.price_list_id
    WHERE r.entity_id = ANY(%(entities)s)
      AND (%(kind)s = '' OR r.kind = %(kind)s)
      AND (%(product)s = '' OR upper(p.code) LIKE %(product)s OR p.name ILIKE %(name)s)
      AND (%(category)s = '' OR p.category = %(category)s)
      AND (%(owner)s = '' OR %(owner)s IN (c.code, g.code, l.code))
      AND (%(when)s <> 'now' OR (r.valid_from <= %(on)s
           AND (r.valid_until IS NULL OR r.valid_until > %(on)s)))
      AND (%(when)s <> 'future' OR r.valid_from > %(on)s)
      AND (%(when)s <> 'ended' OR r.valid_until <= %(on)s)
"""

GRID = f"""
    SELECT r.id, r.revision, r.kind, p.code AS product, p.name, p.base_uom, e.code AS entity,
           coalesce(c.code, g.code, l.code, '') AS owner,
           coalesce(c.name, g.name, l.name, '') AS owner_name, r.currency, r.uom, r.min_quantity,
           r.unit_price, r.valid_from, r.valid_until, r.entity_id, r.product_id, r.customer_id,
           r.group_id, r.price_list_id
    {FROM}
      AND (p.code, r.id) > (%(after_code)s, %(after_id)s)
    ORDER BY p.code, r.id
    LIMIT %(limit)s
"""

COUNT = f"SELECT count(*) FROM (SELECT 1 {FROM} LIMIT %(limit)s) AS counted"  # noqa: S608  ours


@dataclass(frozen=True, slots=True)
class PriceFilters:
    """What the grid is narrowed to; empty narrows nothing. `when`: now, future, ended or all.

    `product` is the beginning of a code or a part of a name; `owner` the code of a customer, group
    or list.
    """

    kind: str = ""
    product: str = ""
    category: str = ""
    owner: str = ""
    when: str = "now"


@dataclass(frozen=True, slots=True)
class PriceLine:
    """One price in the grid. `seen` is what an edit must name, so that two do not collide."""

    id: int
    revision: int
    kind: str
    product: str
    name: str
    base_uom: str
    entity: str
    owner: str
    owner_name: str
    currency: str
    uom: str
    min_quantity: Decimal
    unit_price: Decimal
    valid_from: date
    valid_until: date | None
    entity_id: int
    product_id: int
    customer_id: int | None
    group_id: int | None
    price_list_id: int | None

    @property
    def seen(self) -> str:
        return f"{self.id}.{self.revision}"

    def when(self, on: date) -> str:
        """Return how it stands to a day: current, future or ended."""
        if self.valid_from > on:
            return "future"
        return "ended" if self.valid_until is not None and self.valid_until <= on else "current"


def price_grid(
    *,
    entity_ids: Collection[int],
    filters: PriceFilters,
    on: date,
    after: str = "",
    limit: int = 100,
) -> tuple[list[PriceLine], str]:
    """Return a page of prices by product, and the cursor of the next page (empty: no more)."""
    code, _, last = after.replace("\0", "").rpartition("@")
    beginning = {"after_code": code, "after_id": int(last) if last.isdecimal() else 0}
    asked = _params(entity_ids, filters, on) | beginning | {"limit": limit + 1}
    found = [PriceLine(**row) for row in records(GRID, asked)]
    last_one = found[limit - 1] if len(found) > limit else None
    return found[:limit], f"{last_one.product}@{last_one.id}" if last_one else ""


def price_count(
    *, entity_ids: Collection[int], filters: PriceFilters, on: date, limit: int = 10_000
) -> int:
    """Return how many prices the filters leave; it stops counting at `limit`."""
    return int(rows(COUNT, _params(entity_ids, filters, on) | {"limit": limit})[0][0])


def one_price(*, price_id: int, entity_ids: Collection[int]) -> PriceLine | None:
    """Return one price of these entities."""
    statement = GRID.replace("AND (p.code, r.id) >", "AND r.id = %(id)s AND (p.code, r.id) >")
    asked = _params(entity_ids, PriceFilters(when="all"), date.min)
    found = records(
        statement, asked | {"id": price_id, "after_code": "", "after_id": 0, "limit": 1}
    )
    return PriceLine(**found[0]) if found else None


def _params(entity_ids: Collection[int], filters: PriceFilters, on: date) -> dict[str, Any]:
    text = filters.product.replace("\0", "").strip()[:40]
    plain = text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
    return {
        "entities": sorted(entity_ids),
        "kind": filters.kind.replace("\0", "")[:10],
        "product": f"{plain.upper()}%" if plain else "",
        "name": f"%{plain}%",
        "category": filters.category.replace("\0", "")[:100],
        "owner": filters.owner.replace("\0", "")[:40],
        "when": filters.when,
        "on": on,
    }
