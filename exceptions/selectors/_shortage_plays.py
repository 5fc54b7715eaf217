"""The ways out of a shortage that need nobody else, priced: other nodes, other days, less."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from erp.kernel.calendars import BusinessCalendar, public_holidays
from erp.kernel.sql import records
from exceptions.models import ExceptionCase
from exceptions.rules.exposure import CENT, NOTHING, penalty
from exceptions.rules.plays import Loser, Play, arrival, extra_freight
from exceptions.selectors._proposals import proposed
from exceptions.selectors._sourcing_plays import sourcing_plays, usual_lateness
from orders import permissions as orders_permissions

TRANSIT_DAYS = 2  # where an order names no carrier
NODES_OFFERED = 3
PLANNERS = "Planner, order desk or operations lead"

LINE = """
    SELECT l.id, l.product_id, p.code AS product, p.base_uom AS uom, p.weight, l.node_id,
           l.waiting - l.direct AS missing,
           (l.waiting - l.direct) * l.unit_price * (1 - l.discount) AS amount,
           o.id AS order_id, o.entity_id, e.code AS company, o.currency, o.priority, o.created_at,
           l.unit_price, l.discount, l.promised_date, o.requested_date, o.number, o.customer_id,
           o.no_split, o.no_substitutes, p.category, (l.waiting - l.direct) * coalesce(pc.value
               / nullif(pc.quantity, 0), 0) AS goods_cost,
           a.penalty_rate, coalesce(l.first_promised_date, o.requested_date) AS due_date,
           (now_at.moment AT TIME ZONE e.time_zone)::date AS today,
           coalesce(car.transit_days, %(transit)s) AS transit_days,
           coalesce(car.base_rate, cheap.base_rate, 0) AS base_rate,
           coalesce(car.rate_per_kg, cheap.rate_per_kg, 0) AS rate_per_kg,
           coalesce(car.code, cheap.code, '') AS carrier,
           EXISTS (
               SELECT FROM orders_orderline other
               WHERE other.order_id = o.id AND other.reserved > 0
           ) AS travels_with_others
    FROM orders_orderline l
    JOIN orders_order o ON o.id = l.order_id
    JOIN orders_creditaccount a ON a.id = o.account_id
    JOIN accounts_entity e ON e.id = o.entity_id
    JOIN inventory_product p ON p.id = l.product_id
    LEFT JOIN inventory_productcost pc ON pc.product_id = l.product_id
        AND pc.entity_id = o.entity_id
    CROSS JOIN (SELECT %(now)s::timestamptz AS moment) now_at
    LEFT JOIN inventory_carrier car ON car.id = o.carrier_id AND car.currency = o.currency
    LEFT JOIN LATERAL (
        SELECT c.code, c.base_rate, c.rate_per_kg FROM inventory_carrier c
        WHERE c.currency = o.currency AND c.is_active
        ORDER BY c.base_rate + c.rate_per_kg * l.waiting * p.weight, c.id
        LIMIT 1
    ) cheap ON true
    WHERE l.id = %(line)s
"""

# What the entity has on the way, beside all that waits for it ahead of this line.
INCOMING = """
    SELECT po.number, po.supplier_id, n.id AS node_id, n.handling_days, n.time_zone, n.country,
           greatest(pl.expected_date, %(today)s::date + 1) AS expected,
           sum(pl.quantity - pl.received) OVER (ORDER BY pl.expected_date, pl.id) AS so_far
    FROM procurement_purchaseorderline pl
    JOIN procurement_purchaseorder po ON po.id = pl.order_id
    JOIN inventory_node n ON n.id = po.node_id
    WHERE pl.product_id = %(product)s AND po.entity_id = %(entity)s AND pl.quantity > pl.received
      AND po.state IN ('sent', 'acknowledged', 'partly_received') AND po.for_id IS NULL
    ORDER BY pl.expected_date, pl.id
"""
AHEAD = """
    SELECT coalesce(sum(l.waiting - l.direct), 0) AS quantity
    FROM orders_orderline l
    JOIN orders_order o ON o.id = l.order_id
    WHERE l.product_id = %(product)s AND o.entity_id = %(entity)s AND l.waiting > 0
      AND l.id <> %(line)s
      AND o.state IN ('partly_allocated', 'backordered', 'fulfilling', 'partly_shipped')
      AND (o.priority, o.id) < (%(priority)s, %(order)s)
"""
OFFER = """
    SELECT s.lead_time_days, v.name AS supplier, v.id AS supplier_id
    FROM procurement_supplierproduct s JOIN procurement_supplier v ON v.id = s.supplier_id
    WHERE s.product_id = %(product)s AND s.entity_id = %(entity)s AND NOT v.is_blocked
    ORDER BY s.rank, s.id
    LIMIT 1
"""
NODES = """
    SELECT n.id, n.code, n.name, n.handling_days, n.time_zone, n.country,
           sum(s.on_hand - s.reserved) AS free
    FROM inventory_stock s JOIN inventory_node n ON n.id = s.node_id
    WHERE s.product_id = %(product)s AND s.entity_id = %(entity)s AND s.status = 'available'
      AND NOT s.is_barred AND s.on_hand > s.reserved
      AND n.is_active AND n.id IS DISTINCT FROM %(node)s
    GROUP BY n.id
    ORDER BY least(sum(s.on_hand - s.reserved), %(missing)s) DESC, n.id
    LIMIT %(limit)s
"""

Row = Mapping[str, Any]


def shortage_plays(case: ExceptionCase, now: datetime) -> list[Play]:
    """Return what can be done about a short line. A dozen queries at most."""
    found = records(LINE, {"line": case.subject_id, "now": now, "transit": TRANSIT_DAYS})
    if not found or found[0]["missing"] <= 0:
        return []
    line = found[0]
    keys = {
        "product": line["product_id"],
        "entity": line["entity_id"],
        "line": line["id"],
        "priority": line["priority"],
        "order": line["order_id"],
        "today": line["today"],
        "node": line["node_id"],
        "missing": line["missing"],
        "limit": NODES_OFFERED,
        "now": now,
    }
    nodes = records(NODES, keys)
    waiting = backorder(line, keys, case.party)
    plays = [*from_nodes(line, nodes, now), *from_several(line, nodes, waiting, now)]
    if waiting:
        plays += [waiting, *other_day(line, waiting, case.party)]
    plays += [*sourcing_plays(line, keys, case.party, now), cancel_line(line, case.party)]
    return proposed(plays, line, case.party)


def from_several(
    line: Row, nodes: Sequence[Row], waiting: Play | None, now: datetime
) -> Iterator[Play]:
    """Yield what one node alone cannot do: all of them together, or a part now and a part later."""
    if not nodes or nodes[0]["free"] >= line["missing"] or line["no_split"]:
        return
    left, chosen = line["missing"], []
    for node in nodes:
        if left > 0:
            chosen.append(from_node(line, node, now, best=False, wanted=left))
            left -= min(left, node["free"])
    facts: dict[str, str | int] = {
        "line_id": line["id"],
        "node_ids": ",".join(str(one.facts["node_id"]) for one in chosen),
    }
    together = {
        "cost": sum((one.cost for one in chosen), NOTHING),
        "currency": line["currency"],
        "permission": orders_permissions.ALLOCATE,
        "gate": PLANNERS,
    }
    said = "; ".join(one.title for one in chosen)
    last = max((one.new_date for one in chosen if one.new_date), default=None)
    if left <= 0 or len(chosen) > 1:
        taken = line["missing"] - max(left, NOTHING)
        yield Play(
            key="split",
            title=f"Ship {taken.normalize():f} from {len(chosen)} nodes",
            detail=f"{said}. It travels in {len(chosen)} parcels.",
            new_date=last,
            margin=margin(line, taken, together["cost"]),
            is_complete=left <= 0,
            facts=facts,
            **together,
        )
    if left > 0 and waiting is not None:
        late = waiting.cost * left / line["missing"]
        cost = (together["cost"] + late).quantize(CENT)
        yield Play(
            key="partial",
            title=f"{said}, backorder {left.normalize():f}",
            detail=f"The rest follows. {waiting.detail}",
            new_date=waiting.new_date,
            p90_date=waiting.p90_date,
            losers=waiting.losers,
            margin=margin(line, line["missing"], cost),
            facts=facts | {"missing": str(left), "promised": str(line["promised_date"] or "")},
            **together | {"cost": cost},
        )


def other_day(line: Row, waiting: Play, party: str) -> Iterator[Play]:
    """Yield the plays of keeping the line waiting, by its pegs or by an agreed day."""
    if waiting.facts["is_inbound"]:
        yield replace(
            waiting,
            key="pegged_inbound",
            title=f"Hold to {waiting.facts['supply']}",
            detail=f"{waiting.detail} The promise moves by itself when the supplier's day does.",
        )
    agreed = waiting.new_date
    if agreed is not None and agreed > line["requested_date"]:
        late = (agreed - line["due_date"]).days
        yield replace(
            waiting,
            key="redate",
            title=f"Agree {agreed:%-d %b} with {party or 'the customer'}",
            detail="The order asks for that day from then on. No penalty once it is agreed.",
            cost=NOTHING,
            margin=margin(line, line["missing"], NOTHING),
            permission=orders_permissions.SUBMIT,
            gate="Customer service or order desk, with the customer's word",
            losers=(
                Loser(name=party or "The customer", what=f"{late} days, by their own word",
                      amount=waiting.cost),
            ),
        )  # fmt: skip


def cancel_line(line: Row, party: str) -> Play:
    """Return the play of giving up what is short; the customer loses the goods."""
    short = f"{line['missing'].normalize():f} {line['uom']} of {line['product']}"
    return Play(
        key="cancel_line",
        title=f"Cancel {line['missing'].normalize():f} {line['product']}",
        detail="What is short is not delivered. The rest of the order goes on.",
        cost=max(NOTHING, margin(line, line["missing"], NOTHING)),
        currency=line["currency"],
        permission=orders_permissions.CANCEL,
        gate="Customer service, order desk or operations lead",
        margin=NOTHING,
        losers=(Loser(name=party or "The customer", what=short, amount=line["amount"]),),
        facts={
            "line_id": line["id"],
            "order_id": line["order_id"],
            "missing": str(line["missing"]),
        },
    )


def backorder(line: Row, keys: Mapping[str, Any], party: str) -> Play | None:
    """Return the play of waiting for supply; None when nobody supplies it."""
    (ahead,) = records(AHEAD, keys)
    needed = ahead["quantity"] + line["missing"]
    source = next((po for po in records(INCOMING, keys) if po["so_far"] >= needed), None)
    if source is not None:
        calendar = calendar_of(source, line["today"])
        supplied, handling, why = source["expected"], source["handling_days"], source["number"]
    else:
        offers = records(OFFER, keys)
        if not offers:
            return None
        calendar = BusinessCalendar(ZoneInfo("UTC"))
        supplied = line["today"] + timedelta(days=offers[0]["lead_time_days"])
        handling, why = 1, f"{offers[0]['supplier']}'s lead time"
    promised, sure = (
        arrival(
            supplied=supplied + timedelta(days=days), handling_days=handling,
            transit_days=line["transit_days"], calendar=calendar,
        )
        for days in (0, usual_lateness(source["supplier_id"] if source else None, line, keys))
    )  # fmt: skip
    late = max(0, (promised - line["due_date"]).days)
    cost = penalty(rate=line["penalty_rate"], amount=line["amount"], days=late)
    loses = Loser(
        name=party or "The customer",
        what=f"{line['missing'].normalize():f} {line['uom']} {late} days late",
        amount=NOTHING,
    )
    return Play(
        key="backorder",
        title=f"Backorder to {promised:%-d %b}",
        detail=(
            f"Supplied by {why} on {supplied:%-d %b}."
            + (f" Penalty for {late} days." if cost else " No penalty.")
        ),
        cost=cost,
        currency=line["currency"],
        permission=orders_permissions.ALLOCATE,
        gate=PLANNERS,
        new_date=promised,
        p90_date=sure,
        margin=margin(line, line["missing"], cost),
        losers=(loses,) if late else (),
        facts={
            "line_id": line["id"], "order_id": line["order_id"], "missing": str(line["missing"]),
            "supply": why, "promised": str(line["promised_date"] or ""),
            "requested": str(line["requested_date"]), "is_inbound": int(source is not None),
        },
    )  # fmt: skip


def from_nodes(line: Row, nodes: Sequence[Row], now: datetime) -> list[Play]:
    """Return the plays of sending it from each node that has some of it free, best first."""
    return [from_node(line, node, now, best=number == 0) for number, node in enumerate(nodes)]


def from_node(
    line: Row, node: Row, now: datetime, *, best: bool, wanted: Decimal | None = None
) -> Play:
    """Return the play of sending what one node has of it, of `wanted` or of all that is missing."""
    taken = min(line["missing"] if wanted is None else wanted, node["free"])
    share = taken / line["missing"]
    calendar = calendar_of(node, line["today"])
    promised = arrival(
        supplied=now.astimezone(calendar.zone).date(), handling_days=node["handling_days"],
        transit_days=line["transit_days"], calendar=calendar,
    )  # fmt: skip
    late = max(0, (promised - line["due_date"]).days)
    freight = extra_freight(
        base=line["base_rate"], per_kg=line["rate_per_kg"], weight=taken * line["weight"],
        travels_with_others=line["travels_with_others"],
    )  # fmt: skip
    fine = penalty(rate=line["penalty_rate"], amount=line["amount"] * share, days=late)
    parts = [f"{freight:,.2f} more freight" if freight else "No more freight"]
    if line["carrier"]:
        parts[0] += f" with {line['carrier']}"
    if fine:
        parts.append(f"penalty {fine:,.2f} for {late} days")
    if taken < line["missing"]:
        parts.append(f"{(line['missing'] - taken).normalize():f} stay short")
    return Play(
        key="other_node" if best else f"other_node.{node['code']}",
        title=f"Ship {taken.normalize():f} from {node['code']}",
        detail=f"{node['free'].normalize():f} are free at {node['name']}. {'; '.join(parts)}.",
        cost=freight + fine,
        currency=line["currency"],
        permission=orders_permissions.ALLOCATE,
        gate=PLANNERS,
        new_date=promised,
        margin=margin(line, taken, freight + fine),
        is_complete=taken >= line["missing"],
        facts={"line_id": line["id"], "node_id": node["id"], "quantity": str(taken)},
    )


def margin(line: Row, quantity: Decimal, cost: Decimal) -> Decimal:
    """Return what `quantity` of the line earns over the goods' average cost, less `cost`."""
    share = quantity / line["missing"]
    earned: Decimal = (line["amount"] - line["goods_cost"]) * share - cost
    return earned.quantize(CENT, rounding=ROUND_HALF_UP)


def calendar_of(place: Row, today: date) -> BusinessCalendar:
    """Return the working days of a node."""
    return BusinessCalendar(
        ZoneInfo(place["time_zone"]),
        holidays=public_holidays(country=place["country"], year=today.year),
    )
