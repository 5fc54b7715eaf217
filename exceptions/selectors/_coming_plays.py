"""The ways out of what is to come, priced: supply that moved, empty shelves, damaged goods."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from typing import Any

from erp.kernel.sql import records
from exceptions.models import ExceptionCase
from exceptions.rules.exposure import CENT, NOTHING
from exceptions.rules.plays import Loser, Play
from exceptions.selectors._sourcing_plays import usual_lateness
from exceptions.selectors._supply_plays import BUYERS, LATE, WAITING, late_plays, lateness, named
from inventory import permissions as inventory_permissions
from procurement import permissions as procurement_permissions

ADJUSTERS = "Operations lead or controller"
MOVERS = "Planner, buyer, warehouse or operations lead"
ORDERS_MAX = 500

BEHIND = """
    SELECT DISTINCT o.id
    FROM procurement_purchaseorderline pl
    JOIN procurement_purchaseorder po ON po.id = pl.order_id
    JOIN orders_orderline l ON l.product_id = pl.product_id AND l.waiting > 0
    JOIN orders_order o ON o.id = l.order_id AND o.entity_id = po.entity_id
        AND o.state IN ('partly_allocated', 'backordered', 'fulfilling', 'partly_shipped')
    WHERE po.id = %(id)s AND pl.quantity > pl.received
    ORDER BY o.id LIMIT 500
"""
# What the rule would have there, less what is free and what is on its way.
NEED = """
    SELECT r.id, r.entity_id, r.node_id, r.product_id, p.code AS product, n.code AS node,
           e.currency, (%(now)s::timestamptz AT TIME ZONE e.time_zone)::date AS today,
           greatest(r.order_up_to - free.quantity - coming.quantity, 1) AS wanted,
           coalesce(pc.value / nullif(pc.quantity, 0), 0) AS cost
    FROM procurement_replenishmentrule r
    JOIN accounts_entity e ON e.id = r.entity_id
    JOIN inventory_node n ON n.id = r.node_id
    JOIN inventory_product p ON p.id = r.product_id
    LEFT JOIN inventory_productcost pc ON pc.product_id = r.product_id
        AND pc.entity_id = r.entity_id
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(s.on_hand - s.reserved), 0) AS quantity FROM inventory_stock s
        WHERE s.product_id = r.product_id AND s.entity_id = r.entity_id
          AND s.node_id = r.node_id AND s.status = 'available' AND NOT s.is_barred
    ) free
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(i.quantity), 0) AS quantity FROM inventory_inbound i
        WHERE i.product_id = r.product_id AND i.entity_id = r.entity_id AND i.node_id = r.node_id
    ) coming
    WHERE r.id = %(id)s
"""
QUICKEST = """
    SELECT s.supplier_id, v.name AS supplier, s.lead_time_days, s.unit_price, s.moq, s.multiple
    FROM procurement_supplierproduct s
    JOIN procurement_supplier v ON v.id = s.supplier_id AND NOT v.is_blocked
    WHERE s.product_id = %(product)s AND s.entity_id = %(entity)s AND s.currency = %(currency)s
    ORDER BY s.lead_time_days, s.unit_price, s.id
    LIMIT 1
"""
# What another node of the company has beyond its own reorder point.
SPARE = """
    SELECT n.id, n.code, n.name, lane.days,
           CASE WHEN lane.currency = %(currency)s THEN lane.cost ELSE 0 END AS truck,
           sum(s.on_hand - s.reserved) - coalesce(max(r.reorder_point), 0) AS spare
    FROM inventory_stock s
    JOIN inventory_node n ON n.id = s.node_id AND n.is_active AND n.entity_id = s.entity_id
    LEFT JOIN procurement_replenishmentrule r ON r.node_id = n.id
        AND r.product_id = s.product_id AND r.entity_id = s.entity_id
    LEFT JOIN inventory_lane lane ON lane.origin_id = n.id AND lane.destination_id = %(node)s
    WHERE s.product_id = %(product)s AND s.entity_id = %(entity)s AND s.status = 'available'
      AND NOT s.is_barred AND n.id <> %(node)s
    GROUP BY n.id, lane.id
    HAVING sum(s.on_hand - s.reserved) - coalesce(max(r.reorder_point), 0) > 0
    ORDER BY lane.days, 6 DESC, n.id
    LIMIT 1
"""
DAMAGED = """
    SELECT s.entity_id, s.node_id, s.product_id, s.lot_id, s.status, p.code AS product, e.currency,
           s.on_hand - s.reserved AS quantity,
           (s.on_hand - s.reserved) * coalesce(pc.value / nullif(pc.quantity, 0), 0) AS value
    FROM inventory_stock s
    JOIN accounts_entity e ON e.id = s.entity_id
    JOIN inventory_product p ON p.id = s.product_id
    LEFT JOIN inventory_productcost pc ON pc.product_id = s.product_id
        AND pc.entity_id = s.entity_id
    WHERE s.id = %(id)s AND s.status = 'damaged' AND s.on_hand > s.reserved
"""

Row = Mapping[str, Any]


def change_plays(case: ExceptionCase, now: datetime) -> list[Play]:
    """Return what can be done where a supplier moved the day. Nine queries at most."""
    plays = [play for play in late_plays(case, now) if play.key != "accept_late"]
    for row in records(LATE, {"id": case.subject_id, "now": now}):
        waiting = records(WAITING, {"id": row["id"]})
        orders = [one["id"] for one in records(BEHIND, {"id": row["id"]})]
        days = max(0, (row["expected_date"] - row["today"]).days)
        cost, losers = lateness(waiting, days, row)
        usual = usual_lateness(row["supplier_id"], row, {"now": now})
        plays.append(
            Play(
                key="accept_change",
                title=f"Take {row['expected_date']:%-d %b} as it is",
                detail=f"{len(orders)} orders of {named(waiting)} are promised anew by it.",
                cost=cost,
                currency=row["currency"],
                permission=procurement_permissions.WRITE,
                gate=BUYERS,
                new_date=row["expected_date"],
                p90_date=row["expected_date"] + timedelta(days=usual),
                losers=losers,
                facts={"purchase_id": row["id"], "orders": ",".join(str(one) for one in orders)},
            )
        )
    return plays


def stockout_plays(case: ExceptionCase, now: datetime) -> list[Play]:
    """Return what fills a shelf before it is empty. Three queries."""
    plays: list[Play] = []
    for row in records(NEED, {"id": case.subject_id, "now": now}):
        asked = {
            "product": row["product_id"], "entity": row["entity_id"], "node": row["node_id"],
            "currency": row["currency"],
        }  # fmt: skip
        plays += [stock_up(row, offer) for offer in records(QUICKEST, asked)]
        plays += [move_in(row, lane) for lane in records(SPARE, asked)]
    return plays


def stock_up(row: Row, offer: Row) -> Play:
    """Return the play of buying it now from who brings it first, up to what the rule wants."""
    least = max(row["wanted"], offer["moq"])
    packs = (least / offer["multiple"]).to_integral_value(rounding=ROUND_CEILING)
    bought: Decimal = packs * offer["multiple"]
    total = (bought * offer["unit_price"]).quantize(CENT, rounding=ROUND_HALF_UP)
    dearer = (bought * (offer["unit_price"] - row["cost"])).quantize(CENT, rounding=ROUND_HALF_UP)
    return Play(
        key="stock_up",
        title=f"Buy {bought.normalize():f} from {offer['supplier']}",
        detail=f"{total:,.2f} {row['currency']} in all, in {offer['lead_time_days']} days: up to"
        " what its rule wants there.",
        cost=max(NOTHING, dearer) if row["cost"] else NOTHING,
        currency=row["currency"],
        permission=procurement_permissions.WRITE,
        gate=f"{BUYERS}, and whoever approves the purchase",
        new_date=row["today"] + timedelta(days=offer["lead_time_days"]),
        is_complete=False,
        facts={
            "entity_id": row["entity_id"], "supplier_id": offer["supplier_id"],
            "node_id": row["node_id"], "product_id": row["product_id"], "quantity": str(bought),
        },
    )  # fmt: skip


def move_in(row: Row, lane: Row) -> Play:
    """Return the play of bringing over what another node can spare."""
    taken: Decimal = min(row["wanted"], lane["spare"])
    days = 2 if lane["days"] is None else lane["days"]
    return Play(
        key="move_in",
        title=f"Transfer {taken.normalize():f} from {lane['code']}",
        detail=f"{lane['name']} can spare {lane['spare'].normalize():f} and stays above its own"
        f" reorder point; {days} working days.",
        cost=Decimal(lane["truck"] or 0).quantize(CENT),
        currency=row["currency"],
        permission=inventory_permissions.REQUEST_TRANSFER,
        gate=MOVERS,
        new_date=row["today"] + timedelta(days=days),
        facts={
            "entity_id": row["entity_id"], "origin_id": lane["id"],
            "destination_id": row["node_id"], "product_id": row["product_id"],
            "quantity": str(taken),
        },
    )  # fmt: skip


def damaged_plays(case: ExceptionCase, now: datetime) -> list[Play]:
    """Return what becomes of goods that stand damaged. One query."""
    return [
        play
        for row in records(DAMAGED, {"id": case.subject_id})
        for play in (put_back(row), write_off(row))
    ]


def put_back(row: Row) -> Play:
    return Play(
        key="put_back",
        title=f"Put {row['quantity'].normalize():f} {row['product']} back on the shelf",
        detail="They were looked at, and are fit to sell.",
        cost=NOTHING,
        **_moved(row),
    )


def write_off(row: Row, lost_for: str = "They cannot be sold") -> Play:
    """Return the play of taking stock off the books at what it cost."""
    value = Decimal(row["value"]).quantize(CENT, rounding=ROUND_HALF_UP)
    return Play(
        key="write_off",
        title=f"Write off {row['quantity'].normalize():f} {row['product']}",
        detail=f"{lost_for}: {value:,.2f} {row['currency']} of stock is lost.",
        cost=value,
        **_moved(row),
    )


def transfer_of(row: Row, lane: Row, taken: Decimal, *, why: str) -> Iterator[Play]:
    """Yield the play of moving part of a lot to where it sells before it expires."""
    yield Play(
        key="move_lot",
        title=f"Transfer {taken.normalize():f} to {lane['code']}",
        detail=why,
        cost=Decimal(lane["truck"] or 0).quantize(CENT),
        currency=row["currency"],
        permission=inventory_permissions.REQUEST_TRANSFER,
        gate=MOVERS,
        losers=(Loser(name=lane["name"], what="room for fresher goods", amount=NOTHING),),
        is_complete=taken >= row["quantity"],
        facts={
            "entity_id": row["entity_id"], "origin_id": row["node_id"],
            "destination_id": lane["id"], "product_id": row["product_id"], "quantity": str(taken),
        },
    )  # fmt: skip


def _moved(row: Row) -> dict[str, Any]:
    facts = {
        "entity_id": row["entity_id"], "node_id": row["node_id"], "product_id": row["product_id"],
        "status": row["status"], "quantity": str(row["quantity"]),
    }  # fmt: skip
    if row["lot_id"]:
        facts["lot_id"] = row["lot_id"]
    return {
        "currency": row["currency"], "permission": inventory_permissions.ADJUST,
        "gate": ADJUSTERS, "facts": facts,
    }  # fmt: skip
