"""Master data in sets: suppliers, what they offer, when we buy again."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any

from django.db import transaction

from erp.kernel.sql import rows, run


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
    """What a supplier asks of an entity for a base unit of a product, and how it sells it."""

    supplier_id: int
    entity_id: int
    product_id: int
    currency: str
    unit_price: Decimal
    moq: Decimal = Decimal(1)
    multiple: Decimal = Decimal(1)
    lead_time_days: int = 7
    rank: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleRow:
    """When an entity buys a product again for a node, and up to how much (base units)."""

    entity_id: int
    node_id: int
    product_id: int
    reorder_point: Decimal
    order_up_to: Decimal


SUPPLIERS = """
    INSERT INTO procurement_supplier (
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
    RETURNING code, id
"""
OFFERS = """
    INSERT INTO procurement_supplierproduct (
        supplier_id, entity_id, product_id, currency, unit_price, moq, multiple, lead_time_days,
        rank
    )
    SELECT * FROM unnest(
        %(supplier_id)s::bigint[], %(entity_id)s::bigint[], %(product_id)s::bigint[],
        %(currency)s::text[], %(unit_price)s::numeric[], %(moq)s::numeric[],
        %(multiple)s::numeric[], %(lead_time_days)s::int[], %(rank)s::int[]
    )
    ON CONFLICT (product_id, entity_id, supplier_id) DO UPDATE SET (
        currency, unit_price, moq, multiple, lead_time_days, rank
    ) = ROW (
        excluded.currency, excluded.unit_price, excluded.moq, excluded.multiple,
        excluded.lead_time_days, excluded.rank
    )
"""
RULES = """
    INSERT INTO procurement_replenishmentrule (
        entity_id, node_id, product_id, reorder_point, order_up_to
    )
    SELECT * FROM unnest(
        %(entity_id)s::bigint[], %(node_id)s::bigint[], %(product_id)s::bigint[],
        %(reorder_point)s::numeric[], %(order_up_to)s::numeric[]
    )
    ON CONFLICT (product_id, node_id, entity_id) DO UPDATE SET (
        reorder_point, order_up_to
    ) = ROW (excluded.reorder_point, excluded.order_up_to)
"""


@transaction.atomic
def upsert_suppliers(*, suppliers: Sequence[SupplierRow]) -> dict[str, int]:
    """Add suppliers or change those of the same code; return the ids by code. One statement.

    The last row of a code counts.
    """
    last = {row.code: row for row in suppliers}
    return dict(rows(SUPPLIERS, _columns(SupplierRow, list(last.values())))) if last else {}


@transaction.atomic
def upsert_offers(*, offers: Sequence[OfferRow]) -> int:
    """Add or change what suppliers offer; return how many rows that were. One statement."""
    last = {(row.product_id, row.entity_id, row.supplier_id): row for row in offers}
    return run(OFFERS, _columns(OfferRow, list(last.values()))) if last else 0


@transaction.atomic
def upsert_rules(*, rules: Sequence[RuleRow]) -> int:
    """Add or change replenishment rules; return how many rows that were. One statement.

    Nothing is proposed by it: `replenish` looks at what the rules now say.
    """
    last = {(row.product_id, row.node_id, row.entity_id): row for row in rules}
    return run(RULES, _columns(RuleRow, list(last.values()))) if last else 0


def _columns(kind: type[Any], found: Sequence[Any]) -> dict[str, list[Any]]:
    return {field.name: [getattr(row, field.name) for row in found] for field in fields(kind)}
