"""Replenishment: what fell to its reorder point is proposed for purchase, once."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from erp.governance.services import Change, record
from erp.kernel.sql import records, rows, run
from erp.outbox.publishing import publish_all
from procurement.events import PurchaseProposed

Key = tuple[int, int, int]  # entity, node, product

# Rules are locked first, in order, so that two workers look at the same need one after the other:
# the second one's next statement sees the proposal, or the order it became.
LOCK_ALL = """
    SELECT id FROM procurement_replenishmentrule ORDER BY id FOR NO KEY UPDATE
"""
LOCK = """
    SELECT r.id
    FROM procurement_replenishmentrule r
    JOIN unnest(%(entities)s::bigint[], %(nodes)s::bigint[], %(products)s::bigint[])
        AS asked (entity_id, node_id, product_id)
        ON asked.entity_id = r.entity_id AND asked.node_id = r.node_id
        AND asked.product_id = r.product_id
    ORDER BY r.id
    FOR NO KEY UPDATE OF r
"""
PROPOSE = """
    WITH due AS (
        SELECT r.*, stock.available, ordered.incoming, waited.waiting,
               stock.available + ordered.incoming - waited.waiting AS projected
        FROM procurement_replenishmentrule r
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(s.on_hand - s.reserved), 0) AS available
            FROM inventory_stock s
            WHERE s.product_id = r.product_id AND s.node_id = r.node_id
              AND s.entity_id = r.entity_id AND s.status = 'available' AND NOT s.is_barred
        ) stock
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(greatest(l.quantity - l.received, 0)), 0) AS incoming
            FROM procurement_purchaseorderline l
            JOIN procurement_purchaseorder o ON o.id = l.order_id
            WHERE l.product_id = r.product_id AND o.node_id = r.node_id
              AND o.entity_id = r.entity_id AND o.state = ANY(%(under_way)s)
        ) ordered
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(w.quantity), 0) AS waiting
            FROM procurement_waitingdemand w
            WHERE w.product_id = r.product_id AND w.entity_id = r.entity_id
              AND r.node_id = coalesce(w.node_id, (
                  SELECT min(other.node_id) FROM procurement_replenishmentrule other
                  WHERE other.product_id = w.product_id AND other.entity_id = w.entity_id))
        ) waited
        WHERE r.id = ANY(%(rules)s)
          AND NOT EXISTS (
              SELECT FROM procurement_purchaseproposal p
              WHERE p.product_id = r.product_id AND p.node_id = r.node_id
                AND p.entity_id = r.entity_id AND p.state = 'open')
    ), needed AS (
        SELECT due.*, offer.supplier_id, offer.unit_price, offer.currency, offer.lead_time_days,
               offer.rank, offer.moq, offer.multiple, offer.others,
               (%(now)s AT TIME ZONE e.time_zone)::date AS today,
               greatest(due.order_up_to - due.projected, offer.moq) AS wanted
        FROM due
        JOIN accounts_entity e ON e.id = due.entity_id
        CROSS JOIN LATERAL (
            SELECT o.*, count(*) OVER () - 1 AS others
            FROM procurement_supplierproduct o
            JOIN procurement_supplier s ON s.id = o.supplier_id AND NOT s.is_blocked
            WHERE o.product_id = due.product_id AND o.entity_id = due.entity_id
            ORDER BY o.rank, o.unit_price, o.lead_time_days, o.supplier_id
            LIMIT 1
        ) offer
        WHERE due.projected <= due.reorder_point
          AND NOT EXISTS (
              SELECT FROM procurement_purchaseproposal said_no
              WHERE said_no.product_id = due.product_id AND said_no.node_id = due.node_id
                AND said_no.entity_id = due.entity_id AND said_no.state = 'rejected'
                AND said_no.decided_at > %(now)s - interval '7 days'
                AND (said_no.reasons ->> 'projected')::numeric <= due.projected)
    )
    INSERT INTO procurement_purchaseproposal (
        entity_id, node_id, product_id, supplier_id, quantity, unit_price, currency, need_by,
        reasons, state, created_at, decision_reason
    )
    SELECT entity_id, node_id, product_id, supplier_id,
           (div(wanted, multiple) + (mod(wanted, multiple) > 0)::int) * multiple,
           unit_price, currency, today + lead_time_days,
           jsonb_build_object(
               'cause', %(cause)s, 'available', available::text, 'incoming', incoming::text,
               'waiting', waiting::text, 'projected', projected::text,
               'reorder_point', reorder_point::text, 'order_up_to', order_up_to::text,
               'moq', moq::text, 'multiple', multiple::text,
               'lead_time_days', lead_time_days, 'supplier_rank', rank, 'other_offers', others),
           'open', %(now)s, ''
    FROM needed
    ORDER BY product_id, node_id, entity_id
    ON CONFLICT (product_id, node_id, entity_id) WHERE state = 'open' DO NOTHING
    RETURNING id, entity_id, node_id, product_id, quantity, reasons
"""
UNDER_WAY = ["draft", "pending", "approved", "sent", "acknowledged", "partly_received"]


@transaction.atomic
def replenish(
    *, keys: Collection[Key] | None, now: datetime, cause: str = "replenishment"
) -> list[int]:
    """Propose to buy what stands at or below its reorder point; return the new proposals' ids.

    `keys` are (entity, node, product); None looks at every rule. What stands is free stock plus
    everything ordered and not yet received, less what is waited for. There is at most one open
    proposal per key; what somebody rejected is not proposed again for a week, unless it stands
    worse. What nobody offers is left alone. Locks the rules in order. Four statements.

    Publishes:
        PurchaseProposed
    """
    locked = _lock(keys)
    if not locked:
        return []
    asked = {"rules": locked, "now": now, "cause": cause, "under_way": UNDER_WAY}
    made = records(PROPOSE, asked)
    record(
        changes=[
            Change(
                entity_id=row["entity_id"],
                action="procurement.propose",
                subject_kind="procurement.proposal",
                subject_id=row["id"],
                thread=f"inventory.product:{row['product_id']}",
                after={"quantity": row["quantity"], "node_id": row["node_id"]},
                reason=cause,
            )
            for row in made
        ],
        actor=None,
        now=now,
    )
    publish_all(
        [
            PurchaseProposed(
                proposal_id=row["id"],
                entity_id=row["entity_id"],
                node_id=row["node_id"],
                product_id=row["product_id"],
                quantity=str(row["quantity"]),
            )
            for row in made
        ]
    )
    return sorted(row["id"] for row in made)


def _lock(keys: Collection[Key] | None) -> list[int]:
    if keys is None:
        return [row[0] for row in rows(LOCK_ALL)]
    asked = sorted(set(keys))
    columns = {
        "entities": [entity for entity, _, _ in asked],
        "nodes": [node for _, node, _ in asked],
        "products": [product for _, _, product in asked],
    }
    return [row[0] for row in rows(LOCK, columns)] if asked else []


@dataclass(frozen=True, slots=True)
class Waiting:
    """So many base units that one demand waits for; zero when it waits no longer.

    `node_id` None: any node may serve it.
    """

    demand_kind: str
    demand_id: int
    entity_id: int
    product_id: int
    quantity: Decimal
    node_id: int | None = None


TELL = """
    INSERT INTO procurement_waitingdemand AS w (
        demand_kind, demand_id, entity_id, node_id, product_id, quantity
    )
    SELECT * FROM unnest(
        %(kinds)s::text[], %(ids)s::bigint[], %(entities)s::bigint[], %(nodes)s::bigint[],
        %(products)s::bigint[], %(quantities)s::numeric[]
    ) AS told (demand_kind, demand_id, entity_id, node_id, product_id, quantity)
    WHERE quantity > 0
    ORDER BY demand_id
    ON CONFLICT (demand_id, demand_kind) DO UPDATE
    SET quantity = excluded.quantity, node_id = excluded.node_id
"""
FORGET = """
    DELETE FROM procurement_waitingdemand w
    USING unnest(%(kinds)s::text[], %(ids)s::bigint[], %(quantities)s::numeric[])
        AS told (demand_kind, demand_id, quantity)
    WHERE w.demand_kind = told.demand_kind AND w.demand_id = told.demand_id
      AND told.quantity <= 0
"""
SERVED = """
    DELETE FROM procurement_waitingdemand
    WHERE demand_kind = %(kind)s AND demand_id = ANY(%(ids)s)
"""
CONCERNED = """
    SELECT DISTINCT r.entity_id, r.node_id, r.product_id
    FROM procurement_replenishmentrule r
    JOIN unnest(%(entities)s::bigint[], %(products)s::bigint[]) AS told (entity_id, product_id)
        USING (entity_id, product_id)
"""


@transaction.atomic
def note_waiting(*, demands: Sequence[Waiting], now: datetime) -> list[int]:
    """Remember what is waited for beyond what stock can serve, and buy what that calls for.

    The apps above tell it; the last word about a demand counts. Returns the new proposals' ids.
    """
    last = sorted(
        {(d.demand_kind, d.demand_id): d for d in demands}.values(), key=lambda d: d.demand_id
    )
    if not last:
        return []
    told = {
        "kinds": [d.demand_kind for d in last],
        "ids": [d.demand_id for d in last],
        "entities": [d.entity_id for d in last],
        "nodes": [d.node_id for d in last],
        "products": [d.product_id for d in last],
        "quantities": [d.quantity for d in last],
    }
    run(FORGET, told)
    run(TELL, told)
    concerned = [(entity, node, product) for entity, node, product in rows(CONCERNED, told)]
    return replenish(keys=concerned, now=now, cause="shortage")


@transaction.atomic
def note_served(*, demand_kind: str, demand_ids: Collection[int]) -> int:
    """Forget demands that wait no longer; return how many had waited. One statement."""
    return run(SERVED, {"kind": demand_kind, "ids": list(demand_ids)})
