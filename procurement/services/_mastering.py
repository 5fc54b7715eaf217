"""Master data in sets: suppliers, what they offer, when we buy again."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from erp.accounts.models import User
from erp.governance.services import Change, record, refuse_conflict
from erp.kernel.sql import records, rows
from procurement.services._chaining import supplier_acts


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplierRow:
    """One supplier, found by its code."""

    code: str
    name: str
    country: str = ""
    city: str = ""
    address: str = ""
    region: str = ""
    postal_code: str = ""
    contact: str = ""
    email: str = ""
    phone: str = ""
    is_blocked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferRow:
    """What a supplier asks of an entity for a base unit of a product, and how it sells it.

    An empty currency is the entity's. With `drop_ships` it would send it straight to a customer.
    """

    supplier_id: int
    entity_id: int
    product_id: int
    unit_price: Decimal
    currency: str = ""
    moq: Decimal = Decimal(1)
    multiple: Decimal = Decimal(1)
    lead_time_days: int = 7
    rank: int = 1
    drop_ships: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleRow:
    """When an entity buys a product again for a node, and up to how much (base units)."""

    entity_id: int
    node_id: int
    product_id: int
    reorder_point: Decimal
    order_up_to: Decimal


SUPPLIERS = """
    INSERT INTO procurement_supplier AS kept (
        code, name, country, city, address, region, postal_code, contact, email, phone, is_blocked
    )
    SELECT * FROM unnest(
        %(code)s::text[], %(name)s::text[], %(country)s::text[], %(city)s::text[],
        %(address)s::text[], %(region)s::text[], %(postal_code)s::text[], %(contact)s::text[],
        %(email)s::text[], %(phone)s::text[], %(is_blocked)s::bool[]
    )
    ON CONFLICT (code) DO UPDATE SET (
        name, country, city, address, region, postal_code, contact, email, phone, is_blocked
    ) = ROW (
        excluded.name, excluded.country, excluded.city, excluded.address, excluded.region,
        excluded.postal_code, excluded.contact, excluded.email, excluded.phone, excluded.is_blocked
    )
    WHERE (kept.name, kept.country, kept.city, kept.address, kept.region, kept.postal_code,
           kept.contact, kept.email, kept.phone, kept.is_blocked)
        IS DISTINCT FROM (
           excluded.name, excluded.country, excluded.city, excluded.address, excluded.region,
           excluded.postal_code, excluded.contact, excluded.email, excluded.phone,
           excluded.is_blocked)
    RETURNING id, NULL::bigint AS entity_id, 'procurement.supplier:' || id AS thread,
        CASE WHEN old.id IS NOT NULL THEN jsonb_build_object(
            'name', old.name, 'country', old.country, 'blocked', old.is_blocked) END AS before,
        jsonb_build_object('name', new.name, 'country', new.country, 'blocked', new.is_blocked)
            AS after
"""
SUPPLIER_IDS = "SELECT code, id FROM procurement_supplier WHERE code = ANY(%(code)s)"
OFFERS = """
    INSERT INTO procurement_supplierproduct AS kept (
        supplier_id, entity_id, product_id, currency, unit_price, moq, multiple, lead_time_days,
        rank, drop_ships
    )
    SELECT o.supplier_id, o.entity_id, o.product_id, coalesce(nullif(o.currency, ''), e.currency),
           o.unit_price, o.moq, o.multiple, o.lead_time_days, o.rank,
           o.drop_ships
    FROM unnest(
        %(supplier_id)s::bigint[], %(entity_id)s::bigint[], %(product_id)s::bigint[],
        %(currency)s::text[], %(unit_price)s::numeric[], %(moq)s::numeric[],
        %(multiple)s::numeric[], %(lead_time_days)s::int[], %(rank)s::int[],
        %(drop_ships)s::bool[]
    ) AS o (supplier_id, entity_id, product_id, currency, unit_price, moq, multiple,
            lead_time_days, rank, drop_ships)
    JOIN accounts_entity e ON e.id = o.entity_id
    ON CONFLICT (product_id, entity_id, supplier_id) DO UPDATE SET (
        currency, unit_price, moq, multiple, lead_time_days, rank, drop_ships
    ) = ROW (
        excluded.currency, excluded.unit_price, excluded.moq, excluded.multiple,
        excluded.lead_time_days, excluded.rank, excluded.drop_ships
    )
    WHERE (kept.currency, kept.unit_price, kept.moq, kept.multiple, kept.lead_time_days, kept.rank,
           kept.drop_ships)
        IS DISTINCT FROM (
           excluded.currency, excluded.unit_price, excluded.moq, excluded.multiple,
           excluded.lead_time_days, excluded.rank, excluded.drop_ships)
    RETURNING id, entity_id, 'procurement.supplier:' || supplier_id AS thread,
        CASE WHEN old.id IS NOT NULL THEN jsonb_build_object(
            'unit_price', old.unit_price::text, 'currency', old.currency, 'moq', old.moq::text,
            'lead_time_days', old.lead_time_days) END AS before,
        jsonb_build_object('product', product_id, 'unit_price', new.unit_price::text,
            'currency', new.currency, 'moq', new.moq::text,
            'lead_time_days', new.lead_time_days) AS after
"""
RULES = """
    INSERT INTO procurement_replenishmentrule AS kept (
        entity_id, node_id, product_id, reorder_point, order_up_to
    )
    SELECT * FROM unnest(
        %(entity_id)s::bigint[], %(node_id)s::bigint[], %(product_id)s::bigint[],
        %(reorder_point)s::numeric[], %(order_up_to)s::numeric[]
    )
    ON CONFLICT (product_id, node_id, entity_id) DO UPDATE SET (
        reorder_point, order_up_to
    ) = ROW (excluded.reorder_point, excluded.order_up_to)
    WHERE (kept.reorder_point, kept.order_up_to)
        IS DISTINCT FROM (excluded.reorder_point, excluded.order_up_to)
    RETURNING id, entity_id, 'inventory.product:' || product_id AS thread,
        CASE WHEN old.id IS NOT NULL THEN jsonb_build_object(
            'reorder_point', old.reorder_point::text, 'order_up_to', old.order_up_to::text)
            END AS before,
        jsonb_build_object('node', node_id, 'reorder_point', new.reorder_point::text,
                           'order_up_to', new.order_up_to::text) AS after
"""


@transaction.atomic
def upsert_suppliers(
    *, suppliers: Sequence[SupplierRow], actor: User | None = None, now: datetime | None = None
) -> dict[str, int]:
    """Add suppliers or change those of the same code; return all ids by code. Three statements.

    The last row of a code counts. `now` None is the transaction's own time.

    Raises:
        DutyConflict: the person approved an open order of the supplier lately.
    """
    last = list({row.code: row for row in suppliers}.values())
    if not last:
        return {}
    when = now or rows("SELECT transaction_timestamp()")[0][0]
    if actor is not None:
        acts = supplier_acts([row.code for row in last])
        refuse_conflict(actor=actor, duty="procurement.change_supplier", acts=acts, now=when)
    _upsert(SUPPLIERS, "supplier", last, actor, when)
    return dict(rows(SUPPLIER_IDS, {"code": [row.code for row in last]}))


@transaction.atomic
def upsert_offers(
    *, offers: Sequence[OfferRow], actor: User | None = None, now: datetime | None = None
) -> int:
    """Add or change what suppliers offer; return how many changed. Two statements.

    `now` None is the transaction's own time.
    """
    last = {(row.product_id, row.entity_id, row.supplier_id): row for row in offers}
    return _upsert(OFFERS, "offer", list(last.values()), actor, now)


@transaction.atomic
def upsert_rules(
    *, rules: Sequence[RuleRow], actor: User | None = None, now: datetime | None = None
) -> int:
    """Add or change replenishment rules; return how many changed. Two statements.

    Nothing is proposed by it: `replenish` looks at what the rules now say. `now` None is the
    transaction's own time.
    """
    last = {(row.product_id, row.node_id, row.entity_id): row for row in rules}
    return _upsert(RULES, "rule", list(last.values()), actor, now)


def _upsert(
    statement: str, kind: str, wanted: Sequence[Any], actor: User | None, now: datetime | None
) -> int:
    if not wanted:
        return 0
    names = [field.name for field in fields(wanted[0])]
    columns = {name: [getattr(row, name) for row in wanted] for name in names}
    changed = records(statement, columns)
    record(
        changes=[
            Change(
                entity_id=row["entity_id"],
                action=f"procurement.save_{kind}",
                subject_kind=f"procurement.{kind}",
                subject_id=row["id"],
                thread=row["thread"],
                before=row["before"] and json.loads(row["before"]),
                after=json.loads(row["after"]),
            )
            for row in changed
        ],
        actor=actor,
        now=now or rows("SELECT transaction_timestamp()")[0][0],
    )
    return len(changed)
