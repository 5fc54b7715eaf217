"""The ways out of goods on their way, and of lots that expire, priced."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from erp.kernel.sql import records
from exceptions.models import ExceptionCase
from exceptions.rules.exposure import CENT, NOTHING
from exceptions.rules.plays import Loser, Play
from exceptions.selectors._coming_plays import transfer_of, write_off
from exceptions.selectors._other_plays import shipment_plays
from exceptions.selectors._shortage_plays import calendar_of
from inventory import permissions as inventory_permissions

SENDERS = "Shipping or operations lead"
CHASE_HOURS = 24
USAGE_DAYS = 28

SHIPMENT = """
    SELECT sh.id, sh.number, sh.state, sh.entity_id, o.currency, o.id AS order_id, c.name AS party,
           n.time_zone, n.country, n.code AS node, sh.carrier_id, car.name AS carrier,
           coalesce(car.transit_days, 2) AS transit_days, sh.promised_date,
           coalesce(car.base_rate, 0) AS base_rate, coalesce(car.rate_per_kg, 0) AS rate_per_kg,
           greatest(sh.weight, goods.weight) AS weight,
           (%(now)s::timestamptz AT TIME ZONE n.time_zone)::date AS today
    FROM inventory_shipment sh
    JOIN orders_order o ON o.id = sh.source_id AND sh.source_kind = 'orders.order'
    JOIN orders_customer c ON c.id = o.customer_id
    JOIN inventory_node n ON n.id = sh.node_id
    LEFT JOIN inventory_carrier car ON car.id = sh.carrier_id
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(coalesce(sl.picked, sl.quantity) * p.weight), 0) AS weight
        FROM inventory_shipmentline sl JOIN inventory_product p ON p.id = sl.product_id
        WHERE sl.shipment_id = sh.id
    ) goods
    WHERE sh.id = %(id)s AND sh.state = ANY(%(states)s::text[])
"""
CARRIERS = """
    SELECT id, name, transit_days, base_rate + rate_per_kg * %(weight)s AS freight
    FROM inventory_carrier
    WHERE is_active AND currency = %(currency)s AND id IS DISTINCT FROM %(carrier)s::bigint
    ORDER BY id
"""
LOT = """
    SELECT s.id, s.lot_id, lot.code AS lot, lot.blocked_at IS NULL AND lot.expired_at IS NULL
               AS may_move, s.entity_id, s.node_id, s.product_id, s.status, p.code AS product,
           e.currency, due.quantity, s.expires_on - due.today AS days_left,
           due.quantity * coalesce(pc.value / nullif(pc.quantity, 0), 0) AS value
    FROM inventory_stock s
    JOIN inventory_lot lot ON lot.id = s.lot_id
    JOIN accounts_entity e ON e.id = s.entity_id
    JOIN inventory_product p ON p.id = s.product_id
    LEFT JOIN inventory_productcost pc ON pc.product_id = s.product_id
        AND pc.entity_id = s.entity_id
    CROSS JOIN LATERAL (
        SELECT s.on_hand - s.reserved AS quantity,
               (%(now)s::timestamptz AT TIME ZONE e.time_zone)::date AS today
    ) due
    WHERE s.id = %(id)s AND due.quantity > 0
"""
# Where the product sells: the node of the company from which most of it left in the last weeks.
SELLS = """
    SELECT n.id, n.code, n.name, sum(-m.quantity) / {days} AS daily,
           coalesce(lane.days, 2) AS days,
           CASE WHEN lane.currency = %(currency)s THEN lane.cost ELSE 0 END AS truck
    FROM inventory_stockmove m
    JOIN inventory_node n ON n.id = m.node_id AND n.is_active AND n.entity_id = m.entity_id
    LEFT JOIN inventory_lane lane ON lane.origin_id = %(node)s AND lane.destination_id = n.id
    WHERE m.product_id = %(product)s AND m.entity_id = %(entity)s AND m.node_id <> %(node)s
      AND m.kind = 'shipment' AND m.at > %(now)s::timestamptz - interval '{days} days'
    GROUP BY n.id, lane.id
    HAVING sum(-m.quantity) > 0
    ORDER BY 4 DESC, n.id
    LIMIT 1
""".replace("{days}", str(USAGE_DAYS))
PIECES = """
    SELECT t.id, t.number, t.to_entity_id AS entity_id, t.destination_id, e.currency,
           here.code AS origin, there.code AS node, array_agg(p.id ORDER BY p.id) AS pieces,
           array_agg(gone.quantity ORDER BY p.id) AS quantities, sum(gone.quantity) AS missing,
           sum(coalesce(p.landed, 0) * gone.quantity / p.quantity) AS value,
           (SELECT array_agg(s.id ORDER BY s.id) FROM inventory_stock s
            WHERE s.node_id = t.destination_id AND s.entity_id = t.to_entity_id
              AND s.status = 'available' AND s.product_id = ANY (array_agg(l.product_id)))
               AS stocks
    FROM inventory_transfer t
    JOIN accounts_entity e ON e.id = t.to_entity_id
    JOIN inventory_node here ON here.id = t.origin_id
    JOIN inventory_node there ON there.id = t.destination_id
    JOIN inventory_transferline l ON l.transfer_id = t.id
    JOIN inventory_transferpiece p ON p.line_id = l.id
    CROSS JOIN LATERAL (
        SELECT p.quantity - p.received - p.damaged - p.returned - p.lost AS quantity
    ) gone
    WHERE t.id = %(id)s AND t.state = 'received' AND gone.quantity > 0
    GROUP BY t.id, e.id, here.id, there.id
"""

Row = Mapping[str, Any]


def failed_plays(case: ExceptionCase, now: datetime) -> list[Play]:
    """Return what can be done about a shipment that did not arrive. Two queries."""
    asked = {"id": case.subject_id, "now": now, "states": ["failed"]}
    return [
        play
        for row in records(SHIPMENT, asked)
        for play in (*ways(row, case), arrived(row, "It came after all: somebody has signed."))
    ]


def delivery_plays(case: ExceptionCase, now: datetime) -> list[Play]:
    """Return what can be done where nobody said that goods arrived. One query."""
    asked = {"id": case.subject_id, "now": now, "states": ["shipped"]}
    return [
        play
        for row in records(SHIPMENT, asked)
        for play in (
            arrived(row, "The customer, or the carrier's proof, says so."),
            chase(row, case),
            lost(row),
        )
    ]


def overdue_plays(case: ExceptionCase, now: datetime) -> list[Play]:
    """Return what can be done about a shipment that should have left. Three queries."""
    asked = {"id": case.subject_id, "now": now, "states": ["planned", "picked", "packed"]}
    ways_ = [play for row in records(SHIPMENT, asked) for play in ways(row, case)]
    return [*shipment_plays(case, now), *ways_]


def ways(row: Row, case: ExceptionCase) -> Iterator[Play]:
    """Yield sending it with its carrier, with the cheapest other one, and with the fastest one."""
    has_failed = row["state"] == "failed"
    same = (row["base_rate"] + row["rate_per_kg"] * row["weight"]).quantize(
        CENT, rounding=ROUND_HALF_UP
    )
    paid = NOTHING if has_failed else same  # a second journey is paid once more
    if row["carrier_id"] or not has_failed:
        yield way(row, "redeliver", row, same - paid, has_failed=has_failed)
    others = records(
        CARRIERS,
        {"weight": row["weight"], "currency": row["currency"], "carrier": row["carrier_id"]},
    )
    if others:
        cheap = min(others, key=lambda one: (one["freight"], one["id"]))
        yield way(row, "reroute", cheap, cheap["freight"] - paid, has_failed=has_failed)
        fast = min(others, key=lambda one: (one["transit_days"], one["freight"]))
        if fast["transit_days"] < row["transit_days"]:
            yield way(row, "expedite", fast, fast["freight"] - paid, has_failed=has_failed)


def way(row: Row, key: str, by: Row, extra: Decimal, *, has_failed: bool) -> Play:
    """Return the play of sending it by somebody from the next working day."""
    calendar = calendar_of(row, row["today"])
    leaves = calendar.next_working_day(row["today"], days=1 if has_failed else 0)
    comes = leaves + timedelta(days=by["transit_days"])
    name = row["carrier"] or "the usual carrier" if key == "redeliver" else by["name"]
    late = max(0, (comes - row["promised_date"]).days) if row["promised_date"] else 0
    loser = Loser(name=row["party"], what=f"{late} days after the promise", amount=NOTHING)
    verb = "Send it once more" if has_failed else "Let it leave"
    return Play(
        key=key,
        title=f"{verb} with {name}",
        detail=f"Leaves {row['node']} on {leaves:%-d %b}, {by['transit_days']} days on the road.",
        cost=max(NOTHING, extra).quantize(CENT, rounding=ROUND_HALF_UP),
        currency=row["currency"],
        permission=inventory_permissions.SHIP,
        gate=SENDERS,
        new_date=comes,
        losers=(loser,) if late else (),
        facts={
            "shipment_id": row["id"], "leaves": str(leaves),
            "carrier_id": 0 if key == "redeliver" else by["id"],
        },
    )  # fmt: skip


def arrived(row: Row, why: str) -> Play:
    return Play(
        key="note_arrival",
        title=f"Note that {row['number']} arrived",
        detail=why,
        cost=NOTHING,
        currency=row["currency"],
        permission=inventory_permissions.SHIP,
        gate=SENDERS,
        facts={"shipment_id": row["id"]},
    )


def lost(row: Row) -> Play:
    return Play(
        key="note_failure",
        title=f"Give {row['number']} up",
        detail="It is noted as failed: what becomes of it is asked then.",
        cost=NOTHING,
        currency=row["currency"],
        permission=inventory_permissions.SHIP,
        gate=SENDERS,
        losers=(Loser(name=row["party"], what="the goods, until they are sent again",
                      amount=NOTHING),),
        is_complete=False,
        facts={"shipment_id": row["id"]},
    )  # fmt: skip


def chase(row: Row, case: ExceptionCase) -> Play:
    """Return the play of asking the carrier and looking again tomorrow."""
    return Play(
        key="chase",
        title="Ask the carrier",
        detail=f"The case waits on them and is asked about again in {CHASE_HOURS} hours.",
        cost=NOTHING,
        currency=row["currency"],
        permission="",
        gate="Whoever works this case",
        is_complete=False,
        facts={"case_id": case.pk},
    )


def transfer_plays(case: ExceptionCase, now: datetime) -> list[Play]:
    """Return what can be done about a transfer of which not all came. One query."""
    plays: list[Play] = []
    for row in records(PIECES, {"id": case.subject_id}):
        value = Decimal(row["value"]).quantize(CENT, rounding=ROUND_HALF_UP)
        missing = f"{row['missing'].normalize():f}"
        pairs = zip(row["pieces"], row["quantities"], strict=True)
        common: dict[str, Any] = {
            "currency": row["currency"], "permission": inventory_permissions.SETTLE_TRANSFER,
            "gate": "Operations lead or controller",
            "facts": {
                "transfer_id": row["id"],
                "pieces": ",".join(f"{piece}={quantity}" for piece, quantity in pairs),
            },
        }  # fmt: skip
        plays += [
            Play(
                key="accept_loss", title=f"Accept the loss of {missing}", cost=value,
                detail=f"{value:,.2f} {row['currency']} leave the stock account.", **common,
            ),
            Play(
                key="came_late", title=f"{missing} came to {row['node']} after all", cost=NOTHING,
                detail="They were found, or came with a later truck.", **common,
            ),
            Play(
                key="came_back", title=f"{missing} are back at {row['origin']}", cost=NOTHING,
                detail="They never left, or came back: they are free there again.", **common,
            ),
            chase(row, case),
        ]  # fmt: skip
        if row["stocks"]:
            plays.append(count_there(row, case))
    return plays


def count_there(row: Row, case: ExceptionCase) -> Play:
    return Play(
        key="count_there",
        title=f"Count it at {row['node']}",
        detail="A sheet of what lies there of these goods; what is found is said by it.",
        cost=NOTHING,
        currency=row["currency"],
        permission=inventory_permissions.PLAN_COUNT,
        gate="Operations lead or controller",
        is_complete=False,
        facts={
            "entity_id": row["entity_id"], "node_id": row["destination_id"],
            "stocks": ",".join(str(one) for one in row["stocks"][:50]), "number": row["number"],
        },
    )  # fmt: skip


def expiring_plays(case: ExceptionCase, now: datetime) -> list[Play]:
    """Return what becomes of a lot that nobody has and that expires. Two queries."""
    plays: list[Play] = []
    for row in records(LOT, {"id": case.subject_id, "now": now}):
        plays.append(write_off(row, "Nobody will have them in time"))
        if not row["may_move"]:
            continue
        plays.append(block(row))
        asked = {
            "product": row["product_id"], "entity": row["entity_id"], "node": row["node_id"],
            "currency": row["currency"], "now": now,
        }  # fmt: skip
        for lane in records(SELLS, asked) if row["status"] == "available" else ():
            days = row["days_left"] - lane["days"]
            can = (lane["daily"] * max(0, days)).quantize(Decimal(1))
            taken = min(row["quantity"], can)
            if taken > 0:
                why = f"{lane['daily']:.1f} a day leave there, and {days} days are left on arrival."
                plays += transfer_of(row, lane, taken, why=why)
    return plays


def block(row: Row) -> Play:
    return Play(
        key="block_lot",
        title=f"Block lot {row['lot']}",
        detail="Nothing of it is promised or leaves, wherever it lies, until it is let go.",
        cost=NOTHING,
        currency=row["currency"],
        permission=inventory_permissions.BLOCK_LOT,
        gate="Operations lead or steward",
        is_complete=False,
        facts={"lot_id": row["lot_id"]},
    )
