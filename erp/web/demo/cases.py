"""Cases of the last weeks that are over: what the analytics of exceptions tell of."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from erp.accounts.models import User
from erp.kernel.sql import records
from erp.outbox.publishing import telling_the_past
from erp.web.demo.history import Past
from exceptions.selectors import Condition, Exposure
from exceptions.services import raise_cases, refresh, resolve

WEEKS, A_WEEK, MOST = 12, 24, 320
# Orders that are done, purchases that came: the world in which these conditions are over.
SUBJECTS = """
    (SELECT 'orders.shortage' AS type, 'orders.line' AS kind, l.id, o.number || ' · line '
            || l.position AS label, o.entity_id, o.currency, o.id AS order_id, c.name AS party,
            c.tier, l.amount AS worth, p.code AS what, pl.order_id AS cause
     FROM orders_orderline l
     JOIN orders_order o ON o.id = l.order_id AND o.state IN ('invoiced', 'closed', 'shipped')
     JOIN orders_customer c ON c.id = o.customer_id
     JOIN inventory_product p ON p.id = l.product_id
     LEFT JOIN LATERAL (
         SELECT pl.order_id FROM procurement_purchaseorderline pl
         JOIN procurement_purchaseorder po ON po.id = pl.order_id AND po.entity_id = o.entity_id
         WHERE pl.product_id = l.product_id ORDER BY pl.id LIMIT 1
     ) pl ON true
     ORDER BY l.id DESC LIMIT %(most)s)
    UNION ALL
    (SELECT 'procurement.late_supply', 'procurement.order', po.id, po.number, po.entity_id,
            po.currency, NULL, s.name, '', po.total, s.name, NULL
     FROM procurement_purchaseorder po JOIN procurement_supplier s ON s.id = po.supplier_id
     WHERE po.state IN ('received', 'closed') ORDER BY po.id DESC LIMIT %(most)s)
    UNION ALL
    (SELECT 'inventory.delivery_overdue', 'inventory.shipment', sh.id, sh.number, sh.entity_id,
            o.currency, o.id, c.name, c.tier, o.total, n.code, NULL
     FROM inventory_shipment sh
     JOIN orders_order o ON o.id = sh.source_id AND sh.source_kind = 'orders.order'
     JOIN orders_customer c ON c.id = o.customer_id
     JOIN inventory_node n ON n.id = sh.node_id
     WHERE sh.state = 'delivered' ORDER BY sh.id DESC LIMIT %(most)s)
"""
SAID = {
    "orders.shortage": "{what} was short for a while",
    "procurement.late_supply": "{what} came later than it said",
    "inventory.delivery_overdue": "left {what}, and arrived late",
}
SHARES = {"orders.shortage": 14, "procurement.late_supply": 6, "inventory.delivery_overdue": 4}
HOW = (
    "Shipped from another node.", "The supplier sent a part by air.", "Agreed on a later day.",
    "The carrier found it.",
)  # fmt: skip


def remember_cases(past: Past, now: datetime) -> int:
    """Open cases of twelve weeks as they were, and let them end; return how many.

    Each is opened and ended by the ordinary services at the moment of the past. About a quarter is
    resolved by a person; the rest cleared by itself.
    """
    chance = past.random
    found = records(SUBJECTS, {"most": MOST})
    waiting: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in found:
        waiting[row["type"]].append(row)
    people = list(User.objects.filter(is_active=True, roles__role="operations_lead").distinct())
    made = 0
    with telling_the_past():
        for week in range(WEEKS, 0, -1):
            at = now - timedelta(weeks=week, hours=chance.randint(1, 60))
            batch = [
                row
                for code, share in SHARES.items()
                for row in _taken(waiting[code], share, chance)
            ]
            made += _happen(batch, at, people, chance)
    return made


def _taken(rows: list[dict[str, Any]], share: int, chance: Random) -> list[dict[str, Any]]:
    count = min(len(rows), max(1, share + chance.randint(-2, 2)))
    return [rows.pop(chance.randrange(len(rows))) for _ in range(count)]


def _happen(
    batch: Sequence[dict[str, Any]], at: datetime, people: Sequence[User], chance: Random
) -> int:
    raised = raise_cases(conditions=[_condition(row, chance) for row in batch], now=at)
    by_hand = [pk for pk in raised.opened if people and chance.random() < 1 / 4]
    for pk in by_hand:
        later = at + timedelta(hours=chance.randint(2, 70))
        resolve(case_id=pk, resolution=chance.choice(HOW), actor=chance.choice(people), now=later)
    for code in SHARES:
        subjects = [row["id"] for row in batch if row["type"] == code]
        later = at + timedelta(hours=chance.randint(3, 96))
        if subjects:
            refresh(type=code, subject_ids=subjects, now=later)
    return len(raised.opened)


def _condition(row: dict[str, Any], chance: Random) -> Condition:
    cause = ("procurement.order", row["cause"]) if row["cause"] else None
    return Condition(
        type=row["type"],
        subject_kind=row["kind"],
        subject_id=row["id"],
        subject_label=row["label"][:120],
        entity_id=row["entity_id"],
        currency=row["currency"],
        order_id=row["order_id"],
        party=row["party"][:200],
        summary=SAID[row["type"]].format(what=row["what"])[:300],
        exposure=Exposure(
            p_miss=Decimal(chance.choice(("0.2", "0.4", "0.95"))),
            revenue=Decimal(row["worth"]),
            currency=row["currency"],
            tier=row["tier"],
            days_late=chance.randint(0, 6),
        ),
        cause=cause if chance.random() < 1 / 2 else None,
    )
