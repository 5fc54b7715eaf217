"""Posts moves: balances, what they cost and the moves themselves change in one statement."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from erp.kernel.errors import DomainError
from erp.kernel.prepared import Prepared
from erp.kernel.sql import rows, run
from inventory.rules import Draw, Pool
from inventory.services._layering import decided, layered

if TYPE_CHECKING:
    from erp.accounts.models import User

# A key whose lot does not suit how its product is tracked has no row, and gets none.
KEYS = """
    WITH key AS MATERIALIZED (
        SELECT DISTINCT key.*
        FROM unnest(
            %(entities)s::bigint[], %(nodes)s::bigint[], %(products)s::bigint[],
            %(statuses)s::text[], %(lots)s::bigint[]
        ) AS key (entity_id, node_id, product_id, status, lot)
        JOIN inventory_product p
            ON p.id = key.product_id AND (p.tracking = 'lot') = (key.lot > 0)
    )
"""


def _of_keys(rest: str) -> Prepared:
    return Prepared(KEYS + rest)


ENSURE = _of_keys("""
    , owned AS (
        INSERT INTO inventory_productcost (entity_id, product_id, method, quantity, value)
        SELECT DISTINCT entity_id, product_id, '', 0, 0 FROM key
        WHERE NOT EXISTS (
            SELECT FROM inventory_productcost c
            WHERE c.product_id = key.product_id AND c.entity_id = key.entity_id
        )
        ORDER BY product_id, entity_id
        ON CONFLICT DO NOTHING
    )
    INSERT INTO inventory_stock (entity_id, node_id, product_id, lot_id, status, on_hand, reserved)
    SELECT entity_id, node_id, product_id, nullif(lot, 0), status, 0, 0 FROM key
    WHERE NOT EXISTS (
        SELECT FROM inventory_stock s
        WHERE s.product_id = key.product_id AND s.node_id = key.node_id
            AND s.entity_id = key.entity_id AND s.status = key.status
            AND coalesce(s.lot_id, 0) = key.lot
    )
    ORDER BY product_id, node_id, entity_id, status, lot
    ON CONFLICT DO NOTHING
""")

# Costs are locked before balances, each in id order, by whoever needs both.
LOCK = _of_keys("""
    , cost AS MATERIALIZED (
        SELECT c.entity_id, c.product_id, c.quantity, c.value, c.method
        FROM inventory_productcost c
        WHERE (c.product_id, c.entity_id) IN (SELECT product_id, entity_id FROM key)
        ORDER BY c.id
        FOR NO KEY UPDATE
    ), stock AS MATERIALIZED (
        SELECT s.id, s.entity_id, s.node_id, s.product_id, s.status, coalesce(s.lot_id, 0) AS lot,
            s.on_hand, s.reserved, s.binned, s.is_serial
        FROM inventory_stock s
        WHERE (SELECT count(*) FROM cost) > 0
            AND (s.product_id, s.node_id, s.entity_id, s.status, coalesce(s.lot_id, 0))
                IN (SELECT product_id, node_id, entity_id, status, lot FROM key)
        ORDER BY s.id
        FOR NO KEY UPDATE
    )
    SELECT stock.entity_id, stock.node_id, stock.product_id, stock.status, stock.lot,
        stock.id, stock.on_hand - stock.reserved, cost.quantity, cost.value, cost.method,
        CASE WHEN cost.method = '' THEN (
            SELECT ARRAY[e.code, p.category] FROM accounts_entity e, inventory_product p
            WHERE e.id = cost.entity_id AND p.id = cost.product_id
        ) END,
        stock.binned, stock.is_serial
    FROM stock JOIN cost USING (entity_id, product_id)
""")

NAME = "SELECT code, tracking FROM inventory_product WHERE id = %s"

# `released` is what a move lowers `reserved` by.
POST = """
    WITH move AS (
        SELECT * FROM unnest(
            %(move_stocks)s::bigint[], %(move_quantities)s::numeric[],
            %(move_released)s::numeric[], %(move_values)s::numeric[], %(move_causes)s::bigint[]
        ) AS move (stock_id, quantity, released, value, cause_id)
    ), locked AS MATERIALIZED (
        SELECT s.id, s.entity_id, s.node_id, s.product_id, s.lot_id, s.status,
            s.is_barred, s.is_serial
        FROM inventory_stock s
        WHERE s.id IN (SELECT stock_id FROM move)
        ORDER BY s.id
        FOR NO KEY UPDATE
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
        RETURNING c.entity_id, c.product_id, c.method
    ), posted AS (
        INSERT INTO inventory_stockmove (at, kind, entity_id, node_id, product_id, lot_id, status,
            quantity, value, cause_kind, cause_id, actor_id)
        SELECT %(now)s, %(move_kind)s, locked.entity_id, locked.node_id, locked.product_id,
            locked.lot_id, locked.status, move.quantity, move.value, %(cause_kind)s, move.cause_id,
            %(actor)s
        FROM move JOIN locked ON locked.id = move.stock_id
    )
"""

# What a batch does to layers: only said where something of it is valued by them.
LAYERS = """
    , draw AS (
        SELECT * FROM unnest(
            %(draw_layers)s::bigint[], %(draw_sources)s::bigint[], %(draw_causes)s::bigint[],
            %(draw_quantities)s::numeric[], %(draw_values)s::numeric[]
        ) AS draw (layer_id, source_id, cause_id, quantity, value)
    ), came AS (
        SELECT locked.entity_id, locked.product_id, move.cause_id, sum(move.quantity) AS quantity,
            sum(move.value) AS value
        FROM owned
        JOIN locked ON locked.product_id = owned.product_id AND locked.entity_id = owned.entity_id
        JOIN move ON move.stock_id = locked.id
        WHERE owned.method = 'fifo'
        GROUP BY locked.entity_id, locked.product_id, move.cause_id
        HAVING sum(move.quantity) > 0
    ), layered AS (
        INSERT INTO inventory_costlayer (entity_id, product_id, at, cause_kind, cause_id, quantity,
            value, quantity_left, value_left)
        SELECT came.entity_id, came.product_id, %(now)s, %(cause_kind)s, came.cause_id,
            came.quantity, came.value, came.quantity - coalesce(d.quantity, 0),
            came.value - coalesce(d.value, 0)
        FROM came
        LEFT JOIN (
            SELECT source_id, sum(quantity) AS quantity, sum(value) AS value
            FROM draw WHERE layer_id = 0 GROUP BY source_id
        ) d ON d.source_id = came.cause_id
        ORDER BY came.cause_id
        RETURNING id, cause_id
    ), drawn AS (
        UPDATE inventory_costlayer l
        SET quantity_left = l.quantity_left - d.quantity, value_left = l.value_left - d.value
        FROM (
            SELECT layer_id, sum(quantity) AS quantity, sum(value) AS value
            FROM draw WHERE layer_id > 0 GROUP BY layer_id
        ) d
        WHERE l.id = d.layer_id
    ), issued AS (
        INSERT INTO inventory_layerissue (layer_id, at, kind, cause_kind, cause_id, quantity, value)
        SELECT coalesce(layered.id, draw.layer_id), %(now)s, %(move_kind)s, %(cause_kind)s,
            draw.cause_id, -draw.quantity, -draw.value
        FROM draw
        LEFT JOIN layered ON draw.layer_id = 0 AND layered.cause_id = draw.source_id
    )
"""


class Key(NamedTuple):
    """Which balance. `lot_id` 0 is no lot."""

    entity_id: int
    node_id: int
    product_id: int
    status: str
    lot_id: int = 0


class LotNeeded(DomainError):
    """A product that is tracked by lot was named without one, or another with one."""

    code: ClassVar[str] = "lot_needed"

    def __init__(self, product: str, tracking: str) -> None:
        says = "say which lot" if tracking == "lot" else "it is not kept by lot"
        super().__init__(f"{product}: {says}.")
        self.product = product
        self.errors = [{"field": "lot", "code": self.code, "message": str(self)}]


@dataclass(frozen=True, slots=True)
class Balance:
    """A locked stock row: what of it is free, and what its company owns of the product in all.

    `binned` is how much of it lies in bins; where `is_serial` it is kept by serial number.
    """

    stock_id: int
    free: Decimal
    pool: Pool
    binned: Decimal = Decimal(0)
    is_serial: bool = False


@dataclass(frozen=True, slots=True)
class Movement:
    """A signed change of one balance and its signed value; `released` was reserved until now.

    `draws` says of which layers it is taken, where its product is valued by them.
    """

    stock_id: int
    quantity: Decimal
    value: Decimal
    cause_id: int
    released: Decimal = Decimal(0)
    draws: Sequence[Draw] = ()


def balances(keys: Collection[Key], *, now: datetime | None = None) -> dict[Key, Balance]:
    """Return the rows of `keys`, made where they lack and locked. Two statements.

    With `now`, the policy decides how what a company never owned before is valued: one more each
    for that, and for the layers of what is valued by them.

    Raises:
        LotNeeded: a key has no lot although its product is kept by lot, or the other way round.
    """
    distinct = sorted(set(keys))
    params = {
        "entities": [key.entity_id for key in distinct],
        "nodes": [key.node_id for key in distinct],
        "products": [key.product_id for key in distinct],
        "statuses": [key.status for key in distinct],
        "lots": [key.lot_id for key in distinct],
    }
    run(ENSURE, params)
    found = rows(LOCK, params)
    methods = {(row[0], row[2]): str(row[9]) for row in found}
    if now is not None:
        about = {(row[0], row[2]): tuple(row[10]) for row in found if row[10]}
        methods |= decided(about, now=now)
    pools = layered({(row[0], row[2]): Pool(row[7], row[8]) for row in found}, methods)
    held = {
        Key(*row[:5]): Balance(row[5], row[6], pools[row[0], row[2]], *row[11:13]) for row in found
    }
    for key in distinct:
        if key not in held:
            raise LotNeeded(*rows(NAME, [key.product_id])[0])
    return held


@dataclass(frozen=True, slots=True)
class PostingStatement:
    """A statement that posts moves, without and with what that does to layers."""

    plain: Prepared
    layered: Prepared

    def of(self, params: Mapping[str, Any]) -> Prepared:
        """Return the shorter one where nothing in `params` may touch a layer."""
        return self.layered if params["by_layers"] else self.plain


def posting_and(rest: str) -> PostingStatement:
    """Return a statement that posts moves and does `rest` at once; `rest` may read `locked`."""
    return PostingStatement(Prepared(POST + rest), Prepared(POST + LAYERS + rest))


def posting(
    movements: Sequence[Movement],
    *,
    kind: str,
    cause_kind: str,
    actor: "User | None",
    now: datetime,
    pools: Iterable[Pool] | None = None,
) -> dict[str, Any]:
    """Return the parameters of the part of a statement that posts.

    `pools` are all the moves touch; without them, whatever comes is held to be valued by layers.
    """
    drawn = [(each, draw) for each in movements for draw in each.draws]
    return {
        "by_layers": bool(drawn) or _may_layer(movements, pools),
        "draw_layers": [draw.layer.id for _, draw in drawn],
        "draw_sources": [draw.layer.source for _, draw in drawn],
        "draw_causes": [each.cause_id for each, _ in drawn],
        "draw_quantities": [draw.quantity for _, draw in drawn],
        "draw_values": [draw.value for _, draw in drawn],
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


def _may_layer(movements: Sequence[Movement], pools: Iterable[Pool] | None) -> bool:
    if pools is not None:
        return any(pool.layers is not None for pool in pools)
    came: dict[int, Decimal] = defaultdict(Decimal)
    for each in movements:
        came[each.cause_id] += each.quantity
    return any(quantity > 0 for quantity in came.values())
