"""The ways out of supply that is late or waits for approval, priced."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from erp.kernel.sql import records
from exceptions.models import ExceptionCase
from exceptions.rules.exposure import CENT, NOTHING, penalty
from exceptions.rules.plays import Loser, Play
from exceptions.selectors._hold_plays import role_label
from exceptions.selectors._sourcing_plays import usual_lateness
from procurement import permissions as procurement_permissions

BUYERS = "Buyer or planner"

APPROVAL = """
    SELECT po.id, po.number, po.total, po.currency, po.expected_date, a.permission, a.role
    FROM procurement_purchaseorder po
    JOIN governance_approval a ON a.document_kind = 'procurement.order'
        AND a.document_id = po.id AND a.state = 'pending'
    WHERE po.id = %(id)s AND po.state = 'pending'
"""
LATE = """
    SELECT po.id, po.number, po.entity_id, po.node_id, po.supplier_id, po.currency, po.state,
           po.for_id,
           v.name AS supplier, po.expected_date,
           (%(now)s::timestamptz AT TIME ZONE e.time_zone)::date AS today
    FROM procurement_purchaseorder po
    JOIN procurement_supplier v ON v.id = po.supplier_id
    JOIN accounts_entity e ON e.id = po.entity_id
    WHERE po.id = %(id)s AND po.state IN ('sent', 'acknowledged', 'partly_received')
"""
# What is still to come, and how much of it customers wait for.
OPEN = """
    SELECT pl.id, pl.product_id, pl.quantity - pl.received AS outstanding, pl.unit_price,
           pl.expected_date, least(pl.quantity - pl.received, coalesce(sum(l.waiting), 0)) AS wanted
    FROM procurement_purchaseorderline pl
    JOIN procurement_purchaseorder po ON po.id = pl.order_id
    LEFT JOIN orders_order o ON o.entity_id = po.entity_id
        AND o.state IN ('partly_allocated', 'backordered', 'fulfilling', 'partly_shipped')
    LEFT JOIN orders_orderline l ON l.order_id = o.id AND l.product_id = pl.product_id
        AND l.waiting > 0 AND coalesce(pl.demand_id = l.id, l.waiting > l.direct)
    WHERE pl.order_id = %(id)s AND pl.quantity > pl.received
    GROUP BY pl.id
    ORDER BY pl.id
"""
WAITING = """
    SELECT c.name, l.waiting * l.unit_price * (1 - l.discount) AS amount, a.penalty_rate,
           coalesce(l.first_promised_date, o.requested_date) AS due_date
    FROM procurement_purchaseorderline pl
    JOIN procurement_purchaseorder po ON po.id = pl.order_id
    JOIN orders_orderline l ON l.product_id = pl.product_id AND l.waiting > 0
        AND coalesce(pl.demand_id = l.id, l.waiting > l.direct)
    JOIN orders_order o ON o.id = l.order_id AND o.entity_id = po.entity_id
        AND o.state IN ('partly_allocated', 'backordered', 'fulfilling', 'partly_shipped')
    JOIN orders_creditaccount a ON a.id = o.account_id
    JOIN orders_customer c ON c.id = o.customer_id
    WHERE pl.order_id = %(id)s AND pl.quantity > pl.received
    ORDER BY 2 DESC, l.id
    LIMIT 20
"""
# The next supplier who offers every product that is asked for, in the entity's currency.
NEXT = """
    SELECT s.supplier_id, v.name AS supplier, max(s.lead_time_days) AS lead_time_days,
           array_agg(s.product_id) AS products, array_agg(s.unit_price) AS prices,
           array_agg(s.moq) AS least
    FROM procurement_supplierproduct s
    JOIN procurement_supplier v ON v.id = s.supplier_id AND NOT v.is_blocked
    WHERE s.entity_id = %(entity)s AND s.currency = %(currency)s
      AND s.product_id = ANY(%(products)s::bigint[]) AND s.supplier_id <> %(supplier)s
    GROUP BY s.supplier_id, v.name
    HAVING count(*) = %(count)s
    ORDER BY min(s.rank), max(s.lead_time_days), s.supplier_id
    LIMIT 1
"""

Row = Mapping[str, Any]


def approval_plays(case: ExceptionCase, now: datetime) -> list[Play]:
    """Return what can be done about a purchase order that waits for approval. One query."""
    plays: list[Play] = []
    for row in records(APPROVAL, {"id": case.subject_id}):
        common: dict[str, Any] = {
            "cost": NOTHING, "currency": row["currency"], "permission": row["permission"],
            "gate": f"{role_label(row['role'])}, and not who asked for it",
            "facts": {"order_id": row["id"]},
        }  # fmt: skip
        plays.append(
            Play(
                key="approve",
                title=f"Approve {row['number']}",
                detail=(
                    f"Buys for {row['total']:,.2f} {row['currency']},"
                    f" expected {row['expected_date']:%-d %b}."
                ),
                new_date=row["expected_date"],
                **common,
            )
        )
        plays.append(
            Play(
                key="send_back",
                title=f"Send {row['number']} back",
                detail="Its author may change it and submit it again. Who waits goes on waiting.",
                is_complete=False,
                **common,
            )
        )
    return plays


def late_plays(case: ExceptionCase, now: datetime) -> list[Play]:
    """Return what can be done about a purchase order that has not come. Seven queries at most."""
    plays: list[Play] = []
    for row in records(LATE, {"id": case.subject_id, "now": now}):
        lines = records(OPEN, {"id": row["id"]})
        waiting = records(WAITING, {"id": row["id"]})
        accepted = accept_late(row, lines, waiting, now)
        wanted = {one["product_id"]: one["wanted"] for one in lines if one["wanted"] > 0}
        everything = {one["product_id"]: one["outstanding"] for one in lines}
        plays += [accepted, close_rest(row, lines, waiting)]
        if row["for_id"] is not None:  # the layer proposes anew once this one is given up
            continue
        plays += elsewhere(row, lines, waiting, everything)
        if 0 < sum(wanted.values()) < sum(everything.values()):
            plays += apart(row, lines, waiting, accepted)
    return plays


def accept_late(row: Row, lines: Sequence[Row], waiting: Sequence[Row], now: datetime) -> Play:
    """Return the play of expecting it after the supplier's usual lateness, counted from today."""
    usual = usual_lateness(row["supplier_id"], row, {"now": now})
    comes = max(row["today"] + timedelta(days=1), row["expected_date"] + timedelta(days=usual))
    cost, losers = lateness(waiting, (comes - row["today"]).days, row)
    return Play(
        key="accept_late",
        title=f"Expect {row['number']} on {comes:%-d %b}",
        detail=f"{row['supplier']} is asked for it by then; who waits is promised anew by itself.",
        cost=cost,
        currency=row["currency"],
        permission=procurement_permissions.WRITE,
        gate=BUYERS,
        new_date=comes,
        p90_date=comes + timedelta(days=usual),
        losers=losers,
        facts={
            "purchase_id": row["id"], "days": ",".join(f"{one['id']}={comes}" for one in lines),
            "former": ",".join(f"{one['id']}={one['expected_date']}" for one in lines),
        },
    )  # fmt: skip


def close_rest(row: Row, lines: Sequence[Row], waiting: Sequence[Row]) -> Play:
    """Return the play of expecting nothing more of it; replenishment looks at the need again."""
    value = sum((one["outstanding"] * one["unit_price"] for one in lines), NOTHING).quantize(CENT)
    come = row["state"] == "partly_received"
    at_risk = sum((one["amount"] for one in waiting), NOTHING).quantize(CENT)
    return Play(
        key="close_rest",
        title=f"{'Close the rest of' if come else 'Call off'} {row['number']}",
        detail=f"Goods for {value:,.2f} {row['currency']} are not bought. What is needed is"
        " proposed anew.",
        cost=NOTHING,
        currency=row["currency"],
        permission=procurement_permissions.WRITE,
        gate=BUYERS,
        losers=(
            (Loser(name=named(waiting), what="the goods they wait for", amount=at_risk),)
            if at_risk
            else ()
        ),
        facts={"purchase_id": row["id"], "has_come": int(come)},
    )


def elsewhere(
    row: Row, lines: Sequence[Row], waiting: Sequence[Row], wanted: Mapping[int, Decimal]
) -> Iterator[Play]:
    """Yield calling it off and buying all that is outstanding from the next supplier."""
    for offer in records(NEXT, asked(row, wanted)):
        extra, total = dearer(lines, offer, wanted)
        comes = row["today"] + timedelta(days=offer["lead_time_days"])
        fine, losers = lateness(waiting, offer["lead_time_days"], row)
        yield Play(
            key="resource",
            title=f"Buy it from {offer['supplier']} instead",
            detail=f"{row['number']} is called off. {total:,.2f} {row['currency']} in all, in"
            f" {offer['lead_time_days']} days.",
            cost=max(NOTHING, extra) + fine,
            currency=row["currency"],
            permission=procurement_permissions.WRITE,
            gate=f"{BUYERS}, and whoever approves the purchase",
            new_date=comes,
            losers=losers,
            facts={
                "purchase_id": row["id"], "has_come": int(row["state"] == "partly_received"),
                **ordered(row, offer, wanted),
            },
        )  # fmt: skip


def apart(row: Row, lines: Sequence[Row], waiting: Sequence[Row], accepted: Play) -> Iterator[Play]:
    """Yield buying what customers wait for elsewhere, and leaving the rest where it is."""
    cuts = {one["id"]: one["wanted"] for one in lines if 0 < one["wanted"] < one["outstanding"]}
    wanted = {one["product_id"]: one["wanted"] for one in lines if one["id"] in cuts}
    for offer in records(NEXT, asked(row, wanted)) if wanted else ():
        extra, total = dearer(lines, offer, wanted)
        fine, losers = lateness(waiting, offer["lead_time_days"], row)
        yield Play(
            key="split_purchase",
            title=f"Buy what is waited for from {offer['supplier']}",
            detail=f"{total:,.2f} {row['currency']} of it; the rest of {row['number']} is expected"
            f" on {accepted.new_date:%-d %b}.",
            cost=max(NOTHING, extra) + fine,
            currency=row["currency"],
            permission=procurement_permissions.WRITE,
            gate=f"{BUYERS}, and whoever approves the purchase",
            new_date=row["today"] + timedelta(days=offer["lead_time_days"]),
            losers=losers,
            facts={
                **accepted.facts, **ordered(row, offer, wanted),
                "cuts": ",".join(f"{line}={cut}" for line, cut in cuts.items()),
            },
        )  # fmt: skip


def asked(row: Row, wanted: Mapping[int, Decimal]) -> dict[str, Any]:
    return {
        "entity": row["entity_id"], "currency": row["currency"], "supplier": row["supplier_id"],
        "products": list(wanted), "count": len(wanted),
    }  # fmt: skip


def ordered(row: Row, offer: Row, wanted: Mapping[int, Decimal]) -> dict[str, str | int]:
    """Return what ordering it of the next supplier takes, at least what they sell."""
    least = dict(zip(offer["products"], offer["least"], strict=True))
    said = (f"{product}={max(quantity, least[product])}" for product, quantity in wanted.items())
    return {
        "entity_id": row["entity_id"], "node_id": row["node_id"],
        "supplier_id": offer["supplier_id"], "products": ",".join(said),
    }  # fmt: skip


def dearer(
    lines: Sequence[Row], offer: Row, wanted: Mapping[int, Decimal]
) -> tuple[Decimal, Decimal]:
    """Return by how much the next supplier is dearer, and what they ask in all."""
    prices = dict(zip(offer["products"], offer["prices"], strict=True))
    paid = {one["product_id"]: one["unit_price"] for one in lines}
    total = sum((prices[one] * quantity for one, quantity in wanted.items()), NOTHING)
    now = sum((paid[one] * quantity for one, quantity in wanted.items()), NOTHING)
    return (total - now).quantize(CENT, rounding=ROUND_HALF_UP), total.quantize(CENT)


def lateness(waiting: Sequence[Row], days: int, row: Row) -> tuple[Decimal, tuple[Loser, ...]]:
    """Return the penalties of who waits for it so many days more, and who that is."""
    cost = NOTHING
    for one in waiting:
        late = max(0, (row["today"] + timedelta(days=days) - one["due_date"]).days)
        cost += penalty(rate=one["penalty_rate"], amount=one["amount"], days=late)
    if not waiting:
        return NOTHING, ()
    return cost, (Loser(name=named(waiting), what=f"{days} days more", amount=NOTHING),)


def named(waiting: Sequence[Row]) -> str:
    names = list(dict.fromkeys(one["name"] for one in waiting))
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more" if names else ""
