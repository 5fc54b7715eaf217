"""Posts moves: balances, what they cost and the moves themselves change in one statement."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from erp.kernel.prepared import Prepared
from erp.kernel.sql import rows, run
from inventory.rules import Pool

if TYPE_CHECKING:
    from erp.accounts.models import User

ENSURE = Prepared("""
    WITH key AS (
        SELECT DISTINCT entity_id, node_id, product_id, status
        FROM unnest(
            %(entities)s::bigint[], %(nodes)s::bigint[],
            %(products)s::bigint[], %(statuses)s::text[]
        ) AS key (entity_id, node_id, product_id, status)
    ), owned AS (
        INSERT INTO inventory_productcost (entity_id, product_id, quantity, value)
        SELECT DISTINCT entity_id, product_id, 0, 0 FROM key
        WHERE NOT EXISTS (
            SELECT FROM inventory_productcost c
            WHERE c.product_id = key.product_id AND c.entity_id = key.entity_id
        )
        ORDER BY product_id, entity_id
        ON CONFLICT DO NOTHING
    )
    INSERT INTO inventory_stock (entity_id, node_id, product_id, status, on_hand, reserved)
    SELECT entity_id, node_id, product_id, status, 0, 0 FROM key
    WHERE NOT EXISTS (
        SELECT FROM inventory_stock s
        WHERE s.product_id = key.product_id AND s.node_id = key.node_id
            AND s.entity_id = key.entity_id AND s.status = key.status
    )
    ORDER BY product_id, node_id, entity_id, status
    ON CONFLICT DO NOTHING
""")

# Costs are locked before balances, each in id order, by whoever needs both.
LOCK = Prepared("""
    WITH key AS (
        SELECT DISTINCT entity_id, node_id, product_id, status
        FROM unnest(
            %(entities)s::bigint[], %(nodes)s::bigint[],
            %(products)s::bigint[], %(statuses)s::text[]
        ) AS key (entity_id, node_id, product_id, status)
    ), cost AS MATERIALIZED (
        SELECT c.entity_id, c.product_id, c.quantity, c.value
        FROM inventory_productcost c
        WHERE (c.product_id, c.entity_id) IN (SELECT product_id, entity_id FROM key)
        ORDER BY c.id
        FOR UPDATE
    ), stock AS MATERIALIZED (
        SELECT s.id, s.entity_id, s.node_id, s.product_id, s.status, s.on_hand, s.reserved
        FROM inventory_stock s
        WHERE (SELECT count(*) FROM cost) > 0
            AND (s.product_id, s.node_id, s.entity_id, s.status)
                IN (SELECT product_id, node_id, entity_id, status FROM key)
        ORDER BY s.id
        FOR UPDATE
    )
    SELECT stock.entity_id, stock.node_id, stock.product_id, stock.status,
        stock.id, stock.on_hand - stock.reserved, cost.quantity, cost.value
    FROM stock JOIN cost USING (entity_id, product_id)
""")

# `released` is what a move lowers `reserved` by.
POST = """
    WITH move AS (
        SELECT * FROM unnest(
            %(move_stocks)s::bigint[], %(move_quantities)s::numeric[],
            %(move_released)s::numeric[], %(move_values)s::numeric[], %(move_causes)s::bigint[]
        ) AS move (stock_id, quantity, released, value, cause_id)
    ), locked AS MATERIALIZED (
        SELECT s.id, s.entity_id, s.node_id, s.product_id, s.status
        FROM inventory_stock s
        WHERE s.id IN (SELECT stock_id FROM move)
        ORDER BY s.id
        FOR UPDATE
    ), balance AS (
        UPDATE inventory_stock s
        SET on_hand = s.on_hand + d.quantity, reserved = s.reserved - d.released
        FROM locked
        JOIN (
            SELECT stock_id, sum(quantity) AS quantity, sum(released) AS released
            FROM move GROUP BY stock_id
        ) d ON d.stock_id = locked.id
        WHERE s.id = locked.id
    ), owned AS (
        UPDATE inventory_productcost c
        SET quantity = c.quantity + d.quantity, value = c.value + d.value
        FROM (
            SELECT locked.entity_id, locked.product_id, sum(move.quantity) AS quantity,
                sum(move.value) AS value
            FROM move JOIN locked ON locked.id = move.stock_id
            GROUP BY locked.entity_id, locked.product_id
        ) d
        WHERE c.product_id = d.product_id AND c.entity_id = d.entity_id
            AND (d.quantity <> 0 OR d.value <> 0)
    ), posted AS (
        INSERT INTO inventory_stockmove (at, kind, entity_id, node_id, product_id, status, quantity,
            value, cause_kind, cause_id, actor_id)
        SELECT %(now)s, %(move_kind)s, locked.entity_id, locked.node_id, locked.product_id,
            locked.status, move.quantity, move.value, %(cause_kind)s, move.cause_id, %(actor)s
        FROM move JOIN locked ON locked.id = move.stock_id
    )
"""

Key = tuple[int, int, int, str]  # entity, node, product, status


@dataclass(frozen=True, slots=True)
class Balance:
    """A locked stock row: what of it is free, and what its company owns of the product in all."""

    stock_id: int
    free: Decimal
    pool: Pool


@dataclass(frozen=True, slots=True)
class Movement:
    """A signed change of one balance and its signed value; `released` was reserved until now."""

    stock_id: int
    quantity: Decimal
    value: Decimal
    cause_id: int
    released: Decimal = Decimal(0)


def balances(keys: Collection[Key]) -> dict[Key, Balance]:
    """Return the rows of `keys`, made where they lack and locked. Two statements."""
    distinct = sorted(set(keys))
    params = {
        "entities": [key[0] for key in distinct],
        "nodes": [key[1] for key in distinct],
        "products": [key[2] for key in distinct],
        "statuses": [key[3] for key in distinct],
    }
    run(ENSURE, params)
    return {
        (entity, node, product, status): Balance(stock_id, free, Pool(quantity, value))
        for entity, node, product, status, stock_id, free, quantity, value in rows(LOCK, params)
    }


def posting_and(rest: str) -> Prepared:
    """Return a statement that posts moves and does `rest` at once; `rest` may read `locked`."""
    return Prepared(POST + rest)


def posting(
    movements: Sequence[Movement],
    *,
    kind: str,
    cause_kind: str,
    actor: "User | None",
    now: datetime,
) -> dict[str, Any]:
    """Return the parameters of the part of a statement that posts."""
    return {
        "move_stocks": [each.stock_id for each in movements],
        "move_quantities": [each.quantity for each in movements],
        "move_released": [each.released for each in movements],
        "move_values": [each.value for each in movements],
        "move_causes": [each.cause_id for each in movements],
        "move_kind": kind,
        "cause_kind": cause_kind,
        "actor": actor.pk if actor else None,
        "now": now,
    }
