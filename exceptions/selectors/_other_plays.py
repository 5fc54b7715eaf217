"""The ways out of the other cases, priced."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from erp.kernel.sql import records
from exceptions.models import ExceptionCase
from exceptions.rules.exposure import CENT, NOTHING
from exceptions.rules.plays import Play
from finance import permissions as finance_permissions
from inventory import permissions as inventory_permissions
from orders import permissions as orders_permissions

SHORT_PICK = """
    SELECT sl.id, sh.entity_id, sh.node_id, sl.product_id, p.code AS product, e.currency,
           st.lot_id, st.status, least(sl.quantity - sl.picked, st.on_hand) AS quantity,
           least(sl.quantity - sl.picked, st.on_hand)
               * coalesce(pc.value / nullif(pc.quantity, 0), 0) AS value
    FROM inventory_shipmentline sl
    JOIN inventory_shipment sh ON sh.id = sl.shipment_id
    JOIN accounts_entity e ON e.id = sh.entity_id
    JOIN inventory_product p ON p.id = sl.product_id
    JOIN inventory_stock shelf ON shelf.id = sl.stock_id
    JOIN inventory_stock st ON st.product_id = sl.product_id AND st.node_id = sh.node_id
        AND st.entity_id = sh.entity_id AND st.on_hand > 0
        AND coalesce(st.lot_id, 0) = coalesce(shelf.lot_id, 0)
        AND st.status = CASE sl.short_reason WHEN 'damaged' THEN 'damaged'
                        WHEN 'expired' THEN 'quarantine' ELSE 'inspection' END
    LEFT JOIN inventory_productcost pc ON pc.product_id = sl.product_id
        AND pc.entity_id = sh.entity_id
    WHERE sl.id = %(id)s AND sl.picked < sl.quantity
"""
# Where else there is what a picker did not find, for the order line that waits for it again.
ELSEWHERE = """
    SELECT l.id AS line_id, n.id AS node_id, n.code, n.name, p.code AS product, o.currency,
           o.requested_date, least(l.waiting, sum(s.on_hand - s.reserved)) AS quantity
    FROM inventory_shipmentline sl
    JOIN inventory_shipment sh ON sh.id = sl.shipment_id
    JOIN orders_orderline l ON l.id = sl.demand_id AND sl.demand_kind = 'orders.line'
        AND l.waiting > 0
    JOIN orders_order o ON o.id = l.order_id
        AND o.state IN ('partly_allocated', 'backordered', 'fulfilling', 'partly_shipped')
    JOIN inventory_product p ON p.id = l.product_id
    JOIN inventory_stock s ON s.product_id = l.product_id AND s.entity_id = o.entity_id
        AND s.status = 'available' AND NOT s.is_barred AND s.on_hand > s.reserved
        AND s.node_id <> sh.node_id
    JOIN inventory_node n ON n.id = s.node_id AND n.is_active
    WHERE sl.id = %(id)s
    GROUP BY l.id, o.id, n.id, p.id
    ORDER BY least(l.waiting, sum(s.on_hand - s.reserved)) DESC, n.id
    LIMIT 1
"""
OVERDUE = """
    SELECT sh.id, sh.number, sh.planned_date, n.code AS node, o.currency, o.requested_date
    FROM inventory_shipment sh
    JOIN inventory_node n ON n.id = sh.node_id
    JOIN orders_order o ON o.id = sh.source_id AND sh.source_kind = 'orders.order'
    WHERE sh.id = %(id)s AND sh.state IN ('planned', 'picked', 'packed')
"""

Row = Mapping[str, Any]


def short_pick_plays(case: ExceptionCase, now: datetime) -> list[Play]:
    """Return what can be done about stock that was not there to pick. Two queries."""
    plays = []
    for row in records(SHORT_PICK, {"id": case.subject_id}):
        quantity = f"{row['quantity'].normalize():f} {row['product']}"
        facts = {
            "entity_id": row["entity_id"], "node_id": row["node_id"],
            "product_id": row["product_id"], "lot_id": row["lot_id"], "status": row["status"],
            "quantity": str(row["quantity"]),
        }  # fmt: skip
        common: dict[str, Any] = {
            "currency": row["currency"], "permission": inventory_permissions.ADJUST,
            "gate": "Operations lead or controller", "facts": facts,
        }  # fmt: skip
        value = Decimal(row["value"]).quantize(CENT)
        plays.append(
            Play(
                key="put_back",
                title=f"Put {quantity} back on the shelf",
                detail="They were found, and are fit to sell.",
                cost=NOTHING,
                **common,
            )
        )
        plays.append(
            Play(
                key="write_off",
                title=f"Write off {quantity}",
                detail=f"They are gone: {value:,.2f} {row['currency']} of stock is lost.",
                cost=value,
                **common,
            )
        )
    return [*plays, *repick(case)]


def billing_plays(case: ExceptionCase, now: datetime) -> list[Play]:
    """Return what can be done about a shipment that stands on no invoice."""
    return [
        Play(
            key="invoice",
            title=f"Invoice {case.subject_label} now",
            detail="The invoice is numbered, posted and sent as it would have been.",
            cost=NOTHING,
            currency=case.currency,
            permission=finance_permissions.POST_INVOICE,
            gate="Accounts receivable or controller",
            facts={"shipment_id": case.subject_id},
        )
    ]


def replay_plays(case: ExceptionCase, now: datetime) -> list[Play]:
    """Return what can be done about a fact that its handler could not take."""
    return [
        Play(
            key="replay",
            title="Deliver it again",
            detail="From the first try, once what hindered it is mended.",
            cost=NOTHING,
            currency=case.currency,
            permission="",
            gate="Whoever works this case",
            facts={"delivery_id": case.subject_id},
        )
    ]


def shipment_plays(case: ExceptionCase, now: datetime) -> list[Play]:
    """Return what can be done about a shipment that should have left. One query."""
    return [
        Play(
            key="replan",
            title=f"Plan {row['number']} anew",
            detail=f"What was picked goes back to its shelf at {row['node']} and stays reserved;"
            " a new shipment is planned from today.",
            cost=NOTHING,
            currency=row["currency"],
            permission=inventory_permissions.SHIP,
            gate="Shipping, warehouse or operations lead",
            facts={"shipment_id": row["id"]},
        )
        for row in records(OVERDUE, {"id": case.subject_id})
    ]


def repick(case: ExceptionCase) -> list[Play]:
    """Return the play of picking elsewhere what was not found. One query."""
    return [
        Play(
            key="repick",
            title=f"Pick {row['quantity'].normalize():f} {row['product']} at {row['code']}",
            detail=f"They are free at {row['name']}. What was not found stays to be looked for.",
            cost=NOTHING,
            currency=row["currency"],
            permission=orders_permissions.ALLOCATE,
            gate="Planner, order desk or operations lead",
            is_complete=False,
            facts={"line_id": row["line_id"], "node_id": row["node_id"]},
        )
        for row in records(ELSEWHERE, {"id": case.subject_id})
    ]
