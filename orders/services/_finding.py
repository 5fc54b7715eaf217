"""Finds the prices and promotions that fit lines: one query for any number of them."""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from erp.kernel.prepared import Prepared
from erp.kernel.sql import records
from orders.rules import Candidate, Offer

# Of each kind the nearest owner counts, then a price for the unit sold, then the deepest break
# that is reached. Dates of one series do not overlap, so no tie is left.
FITS = """
    r.product_id = p.id AND r.entity_id = l.entity_id AND r.currency = l.currency
    AND r.min_quantity <= base.quantity AND r.uom IN ('', l.unit)
    AND r.valid_from <= l.day AND (r.valid_until IS NULL OR r.valid_until > l.day)
"""
BEST = "r.uom = '', r.min_quantity DESC, r.valid_from DESC, r.id LIMIT 1"

FIND = Prepared(f"""
    WITH RECURSIVE asked AS MATERIALIZED (
        SELECT a.*, CASE WHEN a.uom = '' THEN p.base_uom ELSE a.uom END AS unit
        FROM unnest(
            %(entities)s::bigint[], %(customers)s::bigint[], %(currencies)s::text[],
            %(days)s::date[], %(products)s::bigint[], %(uoms)s::text[], %(quantities)s::numeric[],
            %(nodes)s::bigint[], %(priced)s::boolean[]
        ) WITH ORDINALITY AS a (
            entity_id, customer_id, currency, day, product_id, uom, quantity, node_id, priced, place
        )
        LEFT JOIN inventory_product p ON p.id = a.product_id
    ), buyer AS MATERIALIZED (
        SELECT c.id, c.group_id, c.tier FROM orders_customer c
        WHERE c.id IN (SELECT customer_id FROM asked)
    ), member AS (
        SELECT id AS customer_id, group_id, 1 AS depth FROM buyer WHERE group_id IS NOT NULL
        UNION ALL
        SELECT m.customer_id, g.parent_id, m.depth + 1
        FROM member m JOIN orders_customergroup g ON g.id = m.group_id
        WHERE g.parent_id IS NOT NULL AND m.depth < 20
    ), list AS MATERIALIZED (
        SELECT b.id AS customer_id, h.price_list_id, 0 AS depth, h.position
        FROM buyer b JOIN orders_listholder h ON h.customer_id = b.id
        UNION ALL
        SELECT m.customer_id, h.price_list_id, m.depth, h.position
        FROM member m JOIN orders_listholder h ON h.group_id = m.group_id
    )
    SELECT p.id AS product_id, p.code, p.base_uom, p.is_blocked, u.numerator, u.denominator,
           n.id AS node_id, b.tier, contract.id AS contract_id,
           contract.unit_price AS contract_price, contract.min_quantity AS contract_break,
           contract.uom AS contract_uom, grouped.id AS group_id,
           grouped.unit_price AS group_price, grouped.min_quantity AS group_break,
           grouped.uom AS group_uom, grouped.owner AS group_owner, listed.id AS list_id,
           listed.unit_price AS list_price, listed.min_quantity AS list_break,
           listed.uom AS list_uom, listed.owner AS list_owner, offers.found AS offers
    FROM asked l
    LEFT JOIN inventory_product p ON p.id = l.product_id
    LEFT JOIN inventory_productuom u
        ON u.product_id = p.id AND u.code = l.uom AND l.uom <> p.base_uom AND l.uom <> ''
    LEFT JOIN inventory_node n ON n.id = l.node_id AND n.is_active
    LEFT JOIN buyer b ON b.id = l.customer_id
    CROSS JOIN LATERAL (
        SELECT l.quantity * coalesce(u.numerator, 1) / coalesce(u.denominator, 1)
    ) AS base (quantity)
    LEFT JOIN LATERAL (
        SELECT r.id, r.unit_price, r.min_quantity, r.uom FROM orders_price r
        WHERE NOT l.priced AND r.kind = 'contract' AND r.customer_id = l.customer_id AND {FITS}
        ORDER BY {BEST}
    ) AS contract ON true
    LEFT JOIN LATERAL (
        SELECT r.id, r.unit_price, r.min_quantity, r.uom, g.code AS owner
        FROM member m
        JOIN orders_price r ON r.kind = 'group' AND r.group_id = m.group_id AND {FITS}
        JOIN orders_customergroup g ON g.id = m.group_id
        WHERE NOT l.priced AND m.customer_id = l.customer_id
        ORDER BY m.depth, {BEST}
    ) AS grouped ON true
    LEFT JOIN LATERAL (
        SELECT r.id, r.unit_price, r.min_quantity, r.uom, coalesce(o.code, '') AS owner
        FROM orders_price r
        LEFT JOIN list i ON i.price_list_id = r.price_list_id AND i.customer_id = l.customer_id
        LEFT JOIN orders_pricelist o ON o.id = r.price_list_id
        WHERE NOT l.priced AND r.kind = 'list' AND {FITS}
          AND (r.price_list_id IS NULL OR (i.price_list_id IS NOT NULL AND o.is_active))
        ORDER BY r.price_list_id IS NULL, i.depth, i.position, o.code, {BEST}
    ) AS listed ON true
    LEFT JOIN LATERAL (
        SELECT json_agg(json_build_object(
            'id', r.id, 'code', r.code, 'kind', r.kind, 'percent', r.percent::text,
            'amount', r.amount::text, 'buy_quantity', r.buy_quantity::text,
            'free_quantity', r.free_quantity::text, 'free_product_id', f.id,
            'free_code', f.code, 'free_uom', f.base_uom, 'free_blocked', f.is_blocked,
            'stack', r.stack)) AS found
        FROM orders_promotion r
        LEFT JOIN inventory_product f ON f.id = r.free_product_id
        WHERE NOT l.priced AND r.entity_id = l.entity_id AND r.is_active
          AND r.valid_from <= l.day AND (r.valid_until IS NULL OR r.valid_until > l.day)
          AND (r.product_id IS NULL OR r.product_id = p.id)
          AND r.category IN ('', p.category) AND r.currency IN ('', l.currency)
          AND (r.customer_id IS NULL OR r.customer_id = l.customer_id)
          AND r.min_quantity <= base.quantity
          AND (r.group_id IS NULL OR r.group_id IN (
              SELECT m.group_id FROM member m WHERE m.customer_id = l.customer_id))
    ) AS offers ON true
    ORDER BY l.place
""")  # noqa: S608  the parts are our own

KINDS = ("contract", "group", "list")


def find_prices(columns: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """Return what is known of each line of `columns`, in order. One query."""
    return records(FIND, columns)


def candidates_of(row: Mapping[str, Any]) -> list[Candidate]:
    """Return the best price of each kind that a line has."""
    return [
        Candidate(
            kind=kind,
            id=row[f"{kind}_id"],
            unit_price=row[f"{kind}_price"],
            min_quantity=row[f"{kind}_break"],
            owner=row.get(f"{kind}_owner") or "",
            uom=row[f"{kind}_uom"],
        )
        for kind in KINDS
        if row[f"{kind}_id"] is not None
    ]


def offers_of(row: Mapping[str, Any]) -> tuple[list[Offer], dict[int, dict[str, Any]]]:
    """Return the promotions that fit a line, and the goods that some of them give, by promotion."""
    found = row["offers"] or []
    raw = json.loads(found) if isinstance(found, str) else found
    raw = [each for each in raw if not each["free_blocked"]]
    goods = {each["id"]: each for each in raw if each["free_product_id"] is not None}
    return [_offer(each) for each in raw], goods


def _offer(raw: Mapping[str, Any]) -> Offer:
    return Offer(
        id=raw["id"],
        code=raw["code"],
        kind=raw["kind"],
        percent=Decimal(raw["percent"]),
        amount=Decimal(raw["amount"]),
        buy_quantity=Decimal(raw["buy_quantity"]),
        free_quantity=Decimal(raw["free_quantity"]),
        free_product_id=raw["free_product_id"],
        stack=raw["stack"],
    )
