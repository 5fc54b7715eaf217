"""Keeps stock for a while: for a quote or a cart that may become an order."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import ClassVar

from django.db import transaction

from erp.kernel.errors import DomainError
from erp.kernel.sql import rows, run
from erp.outbox.publishing import publish_all
from inventory.events import ReservationsExpired
from inventory.rules import Policy
from inventory.services._allocating import Allocation, Demand, allocate
from inventory.services._telling import received


class NotLater(DomainError):
    """What is kept for a while ends in the future, and an extension ends later than before."""

    code: ClassVar[str] = "not_later"


class NotKept(DomainError):
    """What was kept for a demand has been given back, or nothing ever was."""

    code: ClassVar[str] = "not_kept"


EXPIRE_AT = """
    UPDATE inventory_reservation SET expires_at = %(until)s
    WHERE demand_kind = %(kind)s AND demand_id = ANY(%(demands)s) AND closed_at IS NULL
"""

# Balances are locked before reservations, each in id order, as everywhere; a reservation that was
# extended, converted or closed while the lock was waited for is seen as it is now.
LAPSED = """
    SELECT DISTINCT stock_id FROM (
        SELECT stock_id FROM inventory_reservation
        WHERE closed_at IS NULL AND expires_at <= %(now)s
        ORDER BY expires_at, id LIMIT %(limit)s
    ) due ORDER BY stock_id
"""
LOCK = "SELECT id FROM inventory_stock WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE"
BALANCES = """
    SELECT id FROM inventory_stock
    WHERE entity_id = %(entity)s AND product_id = ANY(%(products)s::bigint[])
    ORDER BY id FOR NO KEY UPDATE
"""
LAPSE = """
    WITH due AS (
        SELECT id FROM inventory_reservation
        WHERE stock_id = ANY(%(stocks)s) AND closed_at IS NULL AND expires_at <= %(now)s
        ORDER BY id FOR NO KEY UPDATE
    ), closed AS (
        UPDATE inventory_reservation r SET closed_at = %(now)s, closed_as = 'released'
        FROM due WHERE r.id = due.id
        RETURNING r.stock_id, r.demand_kind, r.demand_id, r.quantity
    ), freed AS (
        UPDATE inventory_stock s SET reserved = s.reserved - c.quantity
        FROM (SELECT stock_id, sum(quantity) AS quantity FROM closed GROUP BY stock_id) c
        WHERE s.id = c.stock_id
        RETURNING s.id, s.entity_id, s.node_id, s.product_id, s.is_barred
    )
    SELECT freed.entity_id, freed.node_id, freed.product_id, freed.is_barred, closed.demand_kind,
        closed.demand_id, closed.quantity
    FROM closed JOIN freed ON freed.id = closed.stock_id
"""

HELD = """
    SELECT stock_id FROM inventory_reservation
    WHERE demand_kind = %(kind)s AND demand_id = %(demand)s AND closed_at IS NULL
    ORDER BY stock_id
"""
# What the new demand has already of a balance grows; the rest changes hands.
CONVERT = """
    WITH given AS (
        DELETE FROM inventory_reservation
        WHERE demand_kind = %(kind)s AND demand_id = %(demand)s AND closed_at IS NULL
            AND (expires_at IS NULL OR expires_at > %(now)s)
        RETURNING stock_id, quantity, created_at
    )
    INSERT INTO inventory_reservation AS r
        (stock_id, demand_kind, demand_id, quantity, created_at, closed_as)
    SELECT stock_id, %(new_kind)s, %(new_demand)s, quantity, created_at, '' FROM given
    ON CONFLICT (demand_id, demand_kind, stock_id) WHERE closed_at IS NULL
        DO UPDATE SET quantity = r.quantity + excluded.quantity
    RETURNING r.stock_id
"""
KEPT = """
    SELECT coalesce(sum(quantity), 0) FROM inventory_reservation
    WHERE demand_kind = %(new_kind)s AND demand_id = %(new_demand)s AND closed_at IS NULL
"""


@transaction.atomic
def keep_until(
    *,
    demands: Sequence[Demand],
    until: datetime,
    cause: str,
    now: datetime,
    policy_version: str = "",
    policy: Policy | None = None,
    only_nodes: Mapping[int, Sequence[int]] | None = None,
) -> Allocation:
    """Keep available stock for `demands` until a moment; what is left then is given back by itself.

    As `allocate`: a shortage is no refusal, and it is not repeatable by itself.

    Raises:
        NotLater: the moment is over.

    Publishes:
        StockFell
    """
    if until <= now:
        raise NotLater("What is kept for a while is kept until a moment in the future.")
    kept = allocate(
        demands=demands,
        cause=cause,
        policy_version=policy_version,
        policy=policy,
        only_nodes=only_nodes,
        now=now,
    )
    if demands:
        ids = [demand.id for demand in demands]
        run(EXPIRE_AT, {"kind": demands[0].kind, "demands": ids, "until": until})
    return kept


@transaction.atomic(savepoint=False)  # a step of its caller: it refuses nothing
def hold_balances(*, entity_id: int, product_ids: Collection[int]) -> None:
    """Lock every balance of these products of an entity, in id order.

    For who gives stock back and takes it again at once: nobody comes between, and the rows that the
    second step locks are locked already.
    """
    asked = {"entity": entity_id, "products": sorted(product_ids)}
    rows(BALANCES, asked)


@transaction.atomic
def extend(*, demand_kind: str, demand_ids: Collection[int], until: datetime, now: datetime) -> int:
    """Keep what is kept for these demands until a later moment; return how many reservations.

    What lapsed before is not brought back. Extending again to the same moment changes nothing.
    Locks the balances in id order.

    Raises:
        NotLater: the moment is over.
        NotKept: nothing is kept for them any more.
    """
    if until <= now:
        raise NotLater("An extension ends in the future.")
    params = {"kind": demand_kind, "demands": list(demand_ids), "until": until, "now": now}
    stocks = rows(
        "SELECT stock_id FROM inventory_reservation WHERE demand_kind = %(kind)s"
        " AND demand_id = ANY(%(demands)s) AND closed_at IS NULL",
        params,
    )
    rows(LOCK, [[row[0] for row in stocks]])
    changed = run(EXPIRE_AT + " AND expires_at > %(now)s", params)
    if not changed:
        raise NotKept("Nothing is kept any more: keep it anew.")
    return changed


@transaction.atomic
def release_lapsed(*, now: datetime, limit: int = 500) -> int:
    """Give back what was kept until now or before; return how many reservations. Repeatable.

    Each is given back once, whoever sweeps at the same moment. Call it until it returns nothing.
    Locks the balances, then the reservations, each in id order.

    Publishes:
        ReservationsExpired
        StockReceived
    """
    stocks = [row[0] for row in rows(LAPSED, {"now": now, "limit": limit})]
    if not stocks:
        return 0
    rows(LOCK, [stocks])
    closed = rows(LAPSE, {"stocks": stocks, "now": now})
    freed: dict[tuple[int, int, int], Decimal] = defaultdict(Decimal)
    lapsed: dict[tuple[int, str], set[int]] = defaultdict(set)
    for entity_id, node_id, product_id, is_barred, kind, demand_id, quantity in closed:
        lapsed[entity_id, kind].add(demand_id)
        if not is_barred:
            freed[entity_id, node_id, product_id] += quantity
    publish_all(
        [
            *(
                ReservationsExpired(
                    entity_id=entity_id,
                    demand_kind=kind,
                    demand_ids=",".join(map(str, sorted(ids))),
                )
                for (entity_id, kind), ids in sorted(lapsed.items())
            ),
            *received(freed),
        ]
    )
    return len(closed)


@transaction.atomic
def convert(
    *, demand_kind: str, demand_id: int, new_kind: str, new_id: int, now: datetime
) -> Decimal:
    """Keep for one demand what is kept for another: a quote's for its order. Return all it has now.

    It does not expire any more, and no moment passes in which somebody else could take it. Done
    before, it changes nothing. Locks the balances in id order.

    Raises:
        NotKept: nothing is kept for either: it lapsed.
    """
    params = {
        "kind": demand_kind,
        "demand": demand_id,
        "new_kind": new_kind,
        "new_demand": new_id,
        "now": now,
    }
    rows(LOCK, [[row[0] for row in rows(HELD, params)]])
    rows(CONVERT, params)
    kept: Decimal = rows(KEPT, params)[0][0]
    if not kept:
        raise NotKept("What was kept has been given back: allocate anew.")
    return kept
