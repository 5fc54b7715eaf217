"""The ways out of a shortage that bring goods in, priced: transfers, purchases, substitutes."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from typing import Any

from erp.governance.services import Question, ask_policy
from erp.kernel.sql import records
from exceptions.rules.exposure import CENT, NOTHING, penalty
from exceptions.rules.plays import Loser, Play
from inventory import permissions as inventory_permissions
from inventory.services.promising import promise_terms
from orders import permissions as orders_permissions
from procurement import permissions as procurement_permissions

HANDLING_DAYS = 1
PACES = """
    SELECT p90_days FROM inventory_supplierpace WHERE supplier_id = %(supplier)s AND samples >= 5
"""
# Free at other nodes of the company, or at nodes of the other companies of the group.
LANES = """
    SELECT n.id, n.code, n.name, n.entity_id, e.code AS company, e.name AS company_name,
           d.id AS destination_id, d.code AS destination, lane.days,
           CASE WHEN lane.currency = %(currency)s THEN lane.cost ELSE 0 END AS truck,
           sum(s.on_hand - s.reserved) AS free,
           coalesce(max(pc.value / nullif(pc.quantity, 0)), 0) * coalesce(max(fx.rate), 1) AS cost,
           e.currency = %(currency)s OR max(fx.rate) IS NOT NULL AS is_priced
    FROM inventory_stock s
    JOIN inventory_node n ON n.id = s.node_id AND n.is_active AND n.entity_id = s.entity_id
    JOIN accounts_entity e ON e.id = s.entity_id
    JOIN inventory_node d ON d.id = coalesce(%(node)s, (
        SELECT own.id FROM inventory_node own
        WHERE own.entity_id = %(entity)s AND own.is_active ORDER BY own.id LIMIT 1
    ))
    LEFT JOIN inventory_lane lane ON lane.origin_id = n.id AND lane.destination_id = d.id
    LEFT JOIN inventory_productcost pc ON pc.product_id = s.product_id
        AND pc.entity_id = s.entity_id
    LEFT JOIN LATERAL (
        SELECT r.rate FROM finance_exchangerate r
        WHERE r.base = e.currency AND r.quote = %(currency)s AND r.on_date <= %(today)s
        ORDER BY r.on_date DESC LIMIT 1
    ) fx ON true
    WHERE s.product_id = %(product)s AND s.status = 'available' AND NOT s.is_barred
      AND s.on_hand > s.reserved AND n.id <> d.id
      AND CASE WHEN %(own)s THEN s.entity_id = %(entity)s AND %(node)s::bigint IS NOT NULL
               ELSE s.entity_id <> %(entity)s END
    GROUP BY n.id, e.id, d.id, lane.id
    ORDER BY least(sum(s.on_hand - s.reserved), %(missing)s) DESC, lane.days, n.id
    LIMIT 1
"""
OFFERS = """
    SELECT s.supplier_id, v.name AS supplier, s.lead_time_days, s.unit_price, s.moq, s.multiple,
           n.id AS node_id
    FROM procurement_supplierproduct s
    JOIN procurement_supplier v ON v.id = s.supplier_id
    JOIN inventory_node n ON n.id = coalesce(%(node)s, (
        SELECT own.id FROM inventory_node own
        WHERE own.entity_id = %(entity)s AND own.is_active ORDER BY own.id LIMIT 1
    ))
    WHERE s.product_id = %(product)s AND s.entity_id = %(entity)s AND NOT v.is_blocked
      AND s.currency = %(currency)s
    ORDER BY s.rank, s.id
"""
# What is kept as a substitute, else the same kind of goods in the same unit, of which one node has
# enough for what is missing, in whole exchanges.
SUBSTITUTES = """
    SELECT p.id, p.code, p.name, n.code AS node, sum(s.on_hand - s.reserved) AS free,
           coalesce(max(pc.value / nullif(pc.quantity, 0)), 0) AS cost,
           coalesce(b.id, 0) AS pair_id,
           coalesce(b.units, 1) AS units, coalesce(b.per, 1) AS per,
           coalesce(b.price_rule, 'original') AS price_rule
    FROM inventory_product p
    JOIN inventory_stock s ON s.product_id = p.id AND s.entity_id = %(entity)s
        AND s.status = 'available' AND NOT s.is_barred AND s.on_hand > s.reserved
    JOIN inventory_node n ON n.id = s.node_id AND n.is_active
    LEFT JOIN inventory_productcost pc ON pc.product_id = p.id AND pc.entity_id = %(entity)s
    LEFT JOIN inventory_substitute b ON b.product_id = %(product)s AND b.other_id = p.id
        AND coalesce(b.valid_from, %(today)s) <= %(today)s
        AND coalesce(b.valid_until, %(today)s) >= %(today)s
    WHERE (b.consent <> 'never' OR b.id IS NULL AND p.category = %(category)s
           AND p.category <> '' AND p.base_uom = %(uom)s AND NOT p.is_discontinued)
      AND p.id <> %(product)s AND NOT p.is_blocked
    GROUP BY p.id, n.id, b.id
    HAVING CASE WHEN coalesce(b.units, 1) = 1 AND coalesce(b.per, 1) = 1
        THEN sum(s.on_hand - s.reserved) >= %(missing)s
        ELSE %(missing)s >= b.units
            AND sum(s.on_hand - s.reserved) >= floor(%(missing)s / b.units) * b.per END
    ORDER BY b.rank NULLS LAST, coalesce(max(pc.value / nullif(pc.quantity, 0)), 0), p.id, n.id
    LIMIT 1
"""

PRICED = {
    "original": "At the price of",
    "substitute": "At its own price, not that of",
    "lower": "At its own price or less: that of",
}
Row = Mapping[str, Any]


def sourcing_plays(line: Row, keys: Mapping[str, Any], party: str, now: datetime) -> list[Play]:
    """Return what brings the goods, or others in their place, to the line. Eight queries."""
    asked = {
        **keys, "currency": line["currency"], "category": line["category"], "uom": line["uom"],
    }  # fmt: skip
    offers = records(OFFERS, asked)
    return [
        *transfers(line, asked, party, now),
        *purchases(line, keys, offers, party, now),
        *substitutes(line, asked, party),
    ]


def transfers(line: Row, asked: Mapping[str, Any], party: str, now: datetime) -> Iterator[Play]:
    """Yield the play of bringing it from another node, and that of buying it within the group."""
    for is_own in (True, False):
        for row in records(LANES, {**asked, "own": is_own}):
            if row["is_priced"]:
                yield transfer(line, row, party, now, is_own=is_own)


def transfer(line: Row, row: Row, party: str, now: datetime, *, is_own: bool) -> Play:
    taken = min(line["missing"], row["free"])
    value = (row["cost"] * taken).quantize(CENT, rounding=ROUND_HALF_UP)
    facts = {
        "amount": value, "currency": line["currency"], "is_sale": not is_own,
        "origin": row["code"], "destination": row["destination"], "lines": 1,
    }  # fmt: skip
    question = Question(row["entity_id"], "inventory.node", row["id"], facts)
    (answer,) = ask_policy(policy="inventory.transfer", questions=[question], now=now)
    days = int(answer.decision.outcome["lane_days"]) if row["days"] is None else row["days"]
    markup = NOTHING if is_own else _markup(line, row, value, now)
    agreed = answer.decision.outcome["auto"]
    comes = line["today"] + timedelta(days=days + HANDLING_DAYS + line["transit_days"])
    late, cost, losers = lateness(line, taken, (comes - line["due_date"]).days, party)
    price = (value * (1 + markup)).quantize(CENT, rounding=ROUND_HALF_UP)
    landed = price + (row["truck"] or NOTHING)
    extra = cost + (row["truck"] or NOTHING) + max(NOTHING, price - _goods(line, taken))
    company = "" if is_own else f"{row['company_name']} sells them for {price:,.2f}. "
    return Play(
        key="transfer" if is_own else "transfer_group",
        title=f"Transfer {taken.normalize():f} from {row['code']}"
        + ("" if is_own else f" of {row['company']}"),
        detail=f"{row['free'].normalize():f} are free there. {company}Landed at"
        f" {row['destination']} for {landed:,.2f} {line['currency']}"
        + (f"; penalty {cost:,.2f} for {late} days." if cost else "."),
        cost=extra,
        currency=line["currency"],
        permission=inventory_permissions.REQUEST_TRANSFER,
        gate="Planner, buyer, warehouse or operations lead"
        + ("" if agreed else ", and whoever agrees to the transfer"),
        new_date=comes,
        margin=earned(line, taken) - landed - cost,
        losers=losers,
        is_complete=taken >= line["missing"],
        facts={
            "line_id": line["id"], "missing": str(taken), "quantity": str(taken),
            "product_id": line["product_id"], "seller_id": row["entity_id"],
            "entity_id": line["entity_id"], "origin_id": row["id"],
            "destination_id": row["destination_id"], "order": line["number"],
            "source": row["code"], "value": str(price),
            "promised": str(line["promised_date"] or ""),
        },
    )  # fmt: skip


def purchases(
    line: Row, keys: Mapping[str, Any], offers: Sequence[Row], party: str, now: datetime
) -> Iterator[Play]:
    """Yield buying where it is usually bought, and where it would be quicker."""
    if not offers:
        return
    yield purchase(line, keys, offers[0], party, "buy")
    quickest = min(offers, key=lambda one: (one["lead_time_days"], one["unit_price"]))
    if quickest["lead_time_days"] < offers[0]["lead_time_days"]:
        yield purchase(line, keys, quickest, party, "buy_expedited")


def purchase(line: Row, keys: Mapping[str, Any], offer: Row, party: str, key: str) -> Play:
    wanted = max(line["missing"], offer["moq"])
    packs = (wanted / offer["multiple"]).to_integral_value(rounding=ROUND_CEILING)
    bought = packs * offer["multiple"]
    days = offer["lead_time_days"] + HANDLING_DAYS + line["transit_days"]
    comes = line["today"] + timedelta(days=days)
    sure = comes + timedelta(days=usual_lateness(offer["supplier_id"], line, keys))
    late, cost, losers = lateness(line, line["missing"], (comes - line["due_date"]).days, party)
    price = (line["missing"] * offer["unit_price"]).quantize(CENT, rounding=ROUND_HALF_UP)
    total = (bought * offer["unit_price"]).quantize(CENT, rounding=ROUND_HALF_UP)
    said = "the quickest" if key == "buy_expedited" else "the usual supplier"
    return Play(
        key=key,
        title=f"Buy {bought.normalize():f} from {offer['supplier']}",
        detail=f"In {offer['lead_time_days']} days from {said}, {total:,.2f} {line['currency']} in"
        f" all" + (f"; penalty {cost:,.2f} for {late} days." if cost else "."),
        cost=cost + max(NOTHING, price - _goods(line, line["missing"])),
        currency=line["currency"],
        permission=procurement_permissions.WRITE,
        gate="Buyer or planner, and whoever approves the purchase",
        new_date=comes,
        p90_date=sure,
        margin=earned(line, line["missing"]) - price - cost,
        losers=losers,
        facts={
            "line_id": line["id"], "missing": str(line["missing"]), "quantity": str(bought),
            "product_id": line["product_id"], "entity_id": line["entity_id"],
            "supplier_id": offer["supplier_id"], "node_id": offer["node_id"],
            "source": str(offer["supplier_id"]), "value": str(price),
            "promised": str(line["promised_date"] or ""),
        },
    )  # fmt: skip


def substitutes(line: Row, asked: Mapping[str, Any], party: str) -> Iterator[Play]:
    """Yield sending other goods of the same kind at the line's price, unless the order forbids."""
    if line["no_substitutes"]:
        return
    for row in records(SUBSTITUTES, asked):
        missing, other = _exchanged(line["missing"], row["units"], row["per"])
        goods = (row["cost"] * other).quantize(CENT, rounding=ROUND_HALF_UP)
        kind = "kept as its substitute" if row["pair_id"] else "of the same kind"
        yield Play(
            key="substitute",
            title=f"Send {other.normalize():f} {row['code']} instead",
            detail=f"{row['name']}, {kind}; {row['free'].normalize():f} are free at"
            f" {row['node']}. {PRICED[row['price_rule']]} {line['product']}.",
            cost=max(NOTHING, goods - _goods(line, missing)),
            currency=line["currency"],
            permission=orders_permissions.SUBMIT,
            gate="Customer service or order desk, with the customer's word",
            margin=earned(line, missing) - goods,
            is_complete=missing >= line["missing"],
            losers=(Loser(name=party or "The customer", what=f"{line['product']} itself",
                          amount=NOTHING),),
            facts={
                "line_id": line["id"], "order_id": line["order_id"], "missing": str(missing),
                "product_id": row["id"], "other_quantity": str(other),
                "pair_id": row["pair_id"], "instead_of": line["product"],
            },
        )  # fmt: skip


def _exchanged(missing: Decimal, units: int, per: int) -> tuple[Decimal, Decimal]:
    """Return how much of what is missing whole exchanges replace, and by how much."""
    if units == per == 1:
        return missing, missing
    times = missing // units
    return times * units, times * per


def usual_lateness(supplier_id: int | None, line: Row, keys: Mapping[str, Any]) -> int:
    """Return by how many days a delivery is late at most, nine times of ten."""
    found = records(PACES, {"supplier": supplier_id}) if supplier_id else []
    if found:
        return max(0, int(found[0]["p90_days"]))
    terms = promise_terms(entity_id=line["entity_id"], now=keys["now"]).terms
    return max(0, int(terms.usual.p90))


def _markup(line: Row, row: Row, value: Decimal, now: datetime) -> Decimal:
    facts = {
        "seller": row["company"], "buyer": line["company"], "amount": value,
        "currency": line["currency"],
    }  # fmt: skip
    asked = Question(row["entity_id"], "inventory.node", row["id"], facts)
    (answer,) = ask_policy(policy="finance.transfer_price", questions=[asked], now=now)
    return Decimal(answer.decision.outcome["markup"])


def lateness(
    line: Row, quantity: Decimal, days: int, party: str
) -> tuple[int, Decimal, tuple[Loser, ...]]:
    """Return the days late, their penalty, and who loses by them."""
    late = max(0, days)
    share = quantity / line["missing"]
    cost = penalty(rate=line["penalty_rate"], amount=line["amount"] * share, days=late)
    what = f"{quantity.normalize():f} {line['uom']} {late} days late"
    loses = Loser(name=party or "The customer", what=what, amount=NOTHING)
    return late, cost, (loses,) if late else ()


def _goods(line: Row, quantity: Decimal) -> Decimal:
    """Return what so many of the line's goods are worth at average cost."""
    worth: Decimal = line["goods_cost"] * quantity / line["missing"]
    return worth.quantize(CENT, rounding=ROUND_HALF_UP)


def earned(line: Row, quantity: Decimal) -> Decimal:
    """Return what so many of the line are sold for."""
    sold: Decimal = line["amount"] * quantity / line["missing"]
    return sold.quantize(CENT, rounding=ROUND_HALF_UP)
