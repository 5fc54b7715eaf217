"""What prices hang on, for its pages: lists and their holders, groups, promotions."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from erp.kernel.sql import records

LISTS = """
    SELECT l.code, l.name, e.code AS entity, l.currency, l.is_active,
           ARRAY(SELECT c.code FROM orders_listholder h JOIN orders_customer c
                 ON c.id = h.customer_id WHERE h.price_list_id = l.id
                 ORDER BY h.position, h.id LIMIT 1001) AS customers,
           ARRAY(SELECT g.code FROM orders_listholder h JOIN orders_customergroup g
                 ON g.id = h.group_id WHERE h.price_list_id = l.id
                 ORDER BY h.position, h.id LIMIT 1001) AS groups,
           (SELECT count(*) FROM orders_price r WHERE r.price_list_id = l.id
              AND r.valid_from <= %(on)s
              AND (r.valid_until IS NULL OR r.valid_until > %(on)s)) AS prices
    FROM orders_pricelist l JOIN accounts_entity e ON e.id = l.entity_id
    WHERE l.entity_id = ANY(%(entities)s) AND l.code > %(after)s
      AND (%(code)s = '' OR l.code = %(code)s)
    ORDER BY l.code LIMIT %(limit)s
"""

# Groups belong to the house; of their members only those whom the entities in view serve are told.
GROUPS = """
    SELECT g.code, g.name, coalesce(up.code, '') AS parent,
           ARRAY(SELECT c.code FROM orders_customer c WHERE c.group_id = g.id
                   AND EXISTS (SELECT FROM orders_creditaccount a WHERE a.customer_id = c.id
                               AND a.entity_id = ANY(%(entities)s))
                 ORDER BY c.code LIMIT 1001) AS members,
           ARRAY(SELECT l.code FROM orders_listholder h JOIN orders_pricelist l
                 ON l.id = h.price_list_id WHERE h.group_id = g.id
                   AND l.entity_id = ANY(%(entities)s) ORDER BY l.code LIMIT 20) AS lists
    FROM orders_customergroup g LEFT JOIN orders_customergroup up ON up.id = g.parent_id
    WHERE g.code > %(after)s AND (%(code)s = '' OR g.code = %(code)s)
    ORDER BY g.code LIMIT %(limit)s
"""

ELSEWHERE = """
    SELECT c.id FROM orders_customer c JOIN orders_customergroup g ON g.id = c.group_id
    WHERE g.code = %(code)s
      AND NOT EXISTS (SELECT FROM orders_creditaccount a WHERE a.customer_id = c.id
                      AND a.entity_id = ANY(%(entities)s))
"""

PROMOTIONS = """
    SELECT m.id, m.code, m.name, m.kind, e.code AS entity, e.currency AS home,
           coalesce(p.code, '') AS product, m.category, coalesce(c.code, '') AS customer,
           coalesce(g.code, '') AS "group", m.min_quantity, m.percent, m.amount, m.currency,
           m.buy_quantity, m.free_quantity, coalesce(f.code, '') AS free_product, m.stack,
           m.valid_from, m.valid_until, m.is_active, m.entity_id, m.product_id, m.customer_id,
           m.group_id, m.free_product_id
    FROM orders_promotion m
    JOIN accounts_entity e ON e.id = m.entity_id
    LEFT JOIN inventory_product p ON p.id = m.product_id
    LEFT JOIN inventory_product f ON f.id = m.free_product_id
    LEFT JOIN orders_customer c ON c.id = m.customer_id
    LEFT JOIN orders_customergroup g ON g.id = m.group_id
    WHERE m.entity_id = ANY(%(entities)s) AND m.id < %(before)s
      AND (%(id)s = 0 OR m.id = %(id)s)
      AND (%(when)s <> 'now' OR (m.is_active AND m.valid_from <= %(on)s
           AND (m.valid_until IS NULL OR m.valid_until > %(on)s)))
      AND (%(when)s <> 'future' OR (m.is_active AND m.valid_from > %(on)s))
      AND (%(when)s <> 'ended' OR NOT m.is_active OR m.valid_until <= %(on)s)
    ORDER BY m.id DESC LIMIT %(limit)s
"""
FIRST, NO_MORE = 2**62, ""


@dataclass(frozen=True, slots=True)
class ListLine:
    """One named list: who buys by it, in turn of preference, and how many prices it has today."""

    code: str
    name: str
    entity: str
    currency: str
    is_active: bool
    customers: list[str]
    groups: list[str]
    prices: int


@dataclass(frozen=True, slots=True)
class GroupLine:
    """One customer group with its own members (1,001 at most) and the lists that it holds."""

    code: str
    name: str
    parent: str
    members: list[str]
    lists: list[str]


@dataclass(frozen=True, slots=True)
class PromotionLine:
    """One promotion. `percent` is a share; `valid_until` the first day without it."""

    id: int
    code: str
    name: str
    kind: str
    entity: str
    home: str
    product: str
    category: str
    customer: str
    group: str
    min_quantity: Decimal
    percent: Decimal
    amount: Decimal
    currency: str
    buy_quantity: Decimal
    free_quantity: Decimal
    free_product: str
    stack: str
    valid_from: date
    valid_until: date | None
    is_active: bool
    entity_id: int
    product_id: int | None
    customer_id: int | None
    group_id: int | None
    free_product_id: int | None

    def when(self, on: date) -> str:
        """Return how it stands to a day: current, future or ended."""
        if not self.is_active or (self.valid_until is not None and self.valid_until <= on):
            return "ended"
        return "future" if self.valid_from > on else "current"


def list_board(
    *, entity_ids: Collection[int], on: date, code: str = "", after: str = "", limit: int = 100
) -> tuple[list[ListLine], str]:
    """Return a page of price lists by code, and the cursor of the next page (empty: no more)."""
    asked = {"entities": sorted(entity_ids), "on": on, **_by_code(code, after, limit)}
    found = [ListLine(**row) for row in records(LISTS, asked)]
    return found[:limit], found[limit - 1].code if len(found) > limit else NO_MORE


def group_board(
    *, entity_ids: Collection[int], code: str = "", after: str = "", limit: int = 100
) -> tuple[list[GroupLine], str]:
    """Return a page of customer groups by code, and the cursor of the next page."""
    asked = {"entities": sorted(entity_ids), **_by_code(code, after, limit)}
    found = [GroupLine(**row) for row in records(GROUPS, asked)]
    return found[:limit], found[limit - 1].code if len(found) > limit else NO_MORE


def members_elsewhere(*, code: str, entity_ids: Collection[int]) -> list[int]:
    """Return the members of a group whom none of these entities serves."""
    asked = {"code": code.replace("\0", ""), "entities": sorted(entity_ids)}
    return [int(row["id"]) for row in records(ELSEWHERE, asked)]


def promotion_board(
    *,
    entity_ids: Collection[int],
    on: date,
    when: str = "all",
    promotion_id: int = 0,
    after: str = "",
    limit: int = 100,
) -> tuple[list[PromotionLine], str]:
    """Return a page of promotions, the latest first. `when`: now, future, ended or all."""
    asked: Mapping[str, Any] = {
        "entities": sorted(entity_ids),
        "before": int(after) if after.isdecimal() and len(after) <= 18 else FIRST,  # noqa: PLR2004
        "id": promotion_id,
        "when": when,
        "on": on,
        "limit": limit + 1,
    }
    found = [PromotionLine(**row) for row in records(PROMOTIONS, asked)]
    return found[:limit], str(found[limit - 1].id) if len(found) > limit else NO_MORE


def _by_code(code: str, after: str, limit: int) -> dict[str, Any]:
    return {
        "code": code.replace("\0", ""),
        "after": after.replace("\0", "")[:40],
        "limit": limit + 1,
    }
