"""When people sit at their desks, and what is kept for customers who have not ordered yet."""

from datetime import datetime, time, timedelta
from decimal import Decimal

from erp.accounts.models import Role
from erp.kernel.sql import rows
from erp.web.demo.history import Past
from exceptions.services.desks import plan_shift
from inventory.services.protecting import (
    ProtectionDraft,
    SegmentDraft,
    save_protection,
    save_segment,
)
from inventory.services.substituting import SubstituteDraft, save_substitute
from orders.services.reserving import SetAsideDraft, set_aside
from orders.services.segmenting import assign_segment

HOURS = {
    Role.ORDER_DESK: (time(8), time(17)),
    Role.PLANNER: (time(7), time(15, 30)),
    Role.WAREHOUSE: (time(22), time(6)),
}
PAIRS, KEY_ACCOUNTS = 12, 5
ALIKE = """
    SELECT p.code, other.code
    FROM (SELECT product_id, sum(on_hand - reserved) AS free FROM inventory_stock
          WHERE status = 'available' GROUP BY 1 ORDER BY 2, 1 LIMIT %s) AS scarce
    JOIN inventory_product p ON p.id = scarce.product_id
    JOIN LATERAL (
        SELECT o.code FROM inventory_product o
        JOIN inventory_stock s ON s.product_id = o.id AND s.status = 'available'
        WHERE o.category = p.category AND o.id <> p.id AND o.base_uom = p.base_uom
        GROUP BY o.id, o.code ORDER BY sum(s.on_hand - s.reserved) DESC, o.id LIMIT 1
    ) AS other ON true
    ORDER BY p.code
"""
PLENTY = """
    SELECT s.entity_id, s.product_id, a.customer_id
    FROM (SELECT entity_id, product_id, sum(on_hand - reserved) AS free, min(id) AS id
          FROM inventory_stock WHERE status = 'available' GROUP BY 1, 2) s
    JOIN LATERAL (SELECT customer_id FROM orders_creditaccount
                  WHERE entity_id = s.entity_id ORDER BY id LIMIT 1) a ON true
    WHERE s.free > 200 ORDER BY s.id LIMIT %s
"""


def pair_scarce_goods(past: Past, now: datetime) -> None:
    """Say what may go out for goods that run short: the customer is asked, or never need be."""
    for place, (product, other) in enumerate(rows(ALIKE, [PAIRS])):
        draft = SubstituteDraft(
            product=product, other=other, consent="always" if place % 4 == 0 else "ask",
            price_rule="lower", reason="Same use, another size",
        )  # fmt: skip
        save_substitute(draft=draft, actor=past.people[Role.PLANNER], now=now)


def keep_shares(past: Past, now: datetime) -> None:
    """Keep a share of some goods for customers of tier A, and bound what the page's orders get."""
    planner = past.people[Role.PLANNER]
    for code, name, rank in (("KEY", "Key accounts", 1), ("WEB", "Orders by the page", 2)):
        draft = SegmentDraft(code=code, name=name, rank=rank)
        save_segment(draft=draft, actor=planner, now=now)
    assign_segment(kind="channel", code="page", segment="WEB", actor=planner, now=now)
    names = {product_id: code for code, product_id in past.products.items()}
    best = [each.code for each in past.company.customers if each.tier == "A"]
    for code in best[:KEY_ACCOUNTS]:
        assign_segment(kind="customer", code=code, segment="KEY", actor=planner, now=now)
    for place, (entity_id, product, _customer) in enumerate(rows(PLENTY, [4])):
        share = ProtectionDraft(
            segment="WEB" if place == 0 else "KEY", entity_id=entity_id,
            product=names[product], first_day=now.date(),
            last_day=now.date() + timedelta(days=60), floor=Decimal(0 if place == 0 else 60),
            cap=Decimal(120) if place == 0 else None, reason="Agreed with sales",
        )  # fmt: skip
        save_protection(draft=share, actor=planner, now=now)


def sit_down(past: Past, now: datetime) -> None:
    """Plan the shifts of three desks, one of them through the night; keep stock for two weeks."""
    keep_shares(past, now)
    lead = past.people[Role.OPERATIONS_LEAD]
    for entity in past.entities.values():
        for role, hours in HOURS.items():
            plan_shift(
                entity_id=entity.pk, role=role, user=None, weekdays="1111100", hours=hours,
                actor=lead, now=now,
            )  # fmt: skip
    for entity_id, product_id, customer_id in rows(PLENTY, [4]):
        draft = SetAsideDraft(
            entity_id=entity_id, customer_id=customer_id, product_id=product_id,
            quantity=Decimal(20), until=now + timedelta(days=14), note="For their trial run",
        )  # fmt: skip
        set_aside(draft=draft, actor=past.people[Role.ORDER_DESK], now=now)
