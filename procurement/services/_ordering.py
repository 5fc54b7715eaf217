"""Purchase orders by hand: writing, submitting, agreeing, sending, calling off."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar

from django.db import transaction

from erp.accounts.models import User
from erp.governance.services import Change, record
from erp.kernel.errors import DomainError
from erp.kernel.quantity import QUANTITY_MAX
from erp.kernel.sql import records, rows, run
from procurement.models import PurchaseOrder
from procurement.rules import total_of

LINES_MAX = 10_000
PRICE_MAX = Decimal(10) ** 15


class BadOrder(DomainError):
    """What is written cannot be ordered. `errors` names each field, as `lines[3].quantity`."""

    code: ClassVar[str] = "bad_order"

    def __init__(self, field: str, message: str) -> None:
        self.errors = [{"field": field, "code": self.code, "message": message}]
        super().__init__(f"{field}: {message}" if field else message)


class NotDraft(DomainError):
    """Only a draft can be rewritten."""

    code: ClassVar[str] = "not_draft"


@dataclass(frozen=True, slots=True)
class PurchaseLine:
    """So many base units of a product.

    Price (per base unit) and date are those of the supplier's offer where they are left out. With a
    demand (`orders.line`) it is all for that one.
    """

    product_id: int
    quantity: Decimal
    unit_price: Decimal | None = None
    expected_date: date | None = None
    demand_kind: str = ""
    demand_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SentTo:
    """Where a supplier sends a purchase straight to, and for which document (`orders.order`)."""

    kind: str
    id: int
    label: str
    ship_to: Mapping[str, Any]


FACTS = """
    SELECT e.currency, s.is_blocked, n.entity_id AS node_entity, n.is_direct,
           (%(now)s AT TIME ZONE e.time_zone)::date AS today
    FROM accounts_entity e
    LEFT JOIN procurement_supplier s ON s.id = %(supplier)s
    LEFT JOIN inventory_node n ON n.id = %(node)s AND (n.is_active OR n.is_direct)
    WHERE e.id = %(entity)s
"""
OFFERS = """
    SELECT p.id, p.code, o.unit_price, o.lead_time_days, o.currency
    FROM inventory_product p
    LEFT JOIN procurement_supplierproduct o
        ON o.product_id = p.id AND o.entity_id = %(entity)s AND o.supplier_id = %(supplier)s
    WHERE p.id = ANY(%(products)s)
"""
LINES = """
    INSERT INTO procurement_purchaseorderline (
        order_id, position, product_id, quantity, received, unit_price, expected_date,
        demand_kind, demand_id
    )
    SELECT %(order)s, position, product_id, quantity, 0, unit_price, expected_date, demand_kind,
        demand_id
    FROM unnest(
        %(products)s::bigint[], %(quantities)s::numeric[], %(prices)s::numeric[], %(dates)s::date[],
        %(kinds)s::text[], %(demands)s::bigint[]
    ) WITH ORDINALITY AS line (product_id, quantity, unit_price, expected_date, demand_kind,
        demand_id, position)
"""


@transaction.atomic
def write_order(
    *,
    entity_id: int,
    supplier_id: int,
    node_id: int,
    lines: Sequence[PurchaseLine],
    actor: User | None,
    now: datetime,
    order_id: int | None = None,
    sent_to: SentTo | None = None,
) -> PurchaseOrder:
    """Write a draft order in the entity's currency, or rewrite the draft `order_id`.

    With `sent_to` the supplier sends it straight there, and every line names its demand; the node
    is then the entity's direct one. Such a draft is not rewritten.

    Raises:
        BadOrder: supplier, node or a line cannot be ordered; the field is named.
        NotDraft: the order to rewrite has been submitted.
        PurchaseOrder.DoesNotExist: the entity has no order `order_id`.
    """
    asked = {"entity": entity_id, "supplier": supplier_id, "node": node_id, "now": now}
    facts = _checked_facts(asked, is_direct=sent_to is not None)
    priced = _priced(lines, asked, facts)
    values: dict[str, Any] = {
        "supplier_id": supplier_id,
        "node_id": node_id,
        "expected_date": max(line.expected_date for line in priced),  # type: ignore[type-var]
        "total": total_of((line.quantity, line.unit_price) for line in priced),  # type: ignore[misc]
    }
    if values["total"] >= PRICE_MAX:
        raise BadOrder("lines", "The total is larger than an order can be.")
    if order_id is None:
        order = PurchaseOrder.objects.create(
            entity_id=entity_id,
            currency=facts["currency"],
            created_at=now,
            created_by=actor,
            **values,
            **({} if sent_to is None else _straight(sent_to)),
        )
    else:
        order = _rewritten(order_id, entity_id, values)
    run(
        LINES,
        {
            "order": order.pk,
            "products": [line.product_id for line in priced],
            "quantities": [line.quantity for line in priced],
            "prices": [line.unit_price for line in priced],
            "dates": [line.expected_date for line in priced],
            "kinds": [line.demand_kind for line in priced],
            "demands": [line.demand_id for line in priced],
        },
    )
    note(order, "write", actor, now, after={"total": order.total, "lines": len(priced)})
    return order


def note(
    order: PurchaseOrder,
    verb: str,
    actor: User | None,
    now: datetime,
    *,
    before: str = "",
    after: Mapping[str, Any] | None = None,
    reason: str = "",
    policy_version: str = "",
) -> None:
    """Write what happened to an order into its timeline; `before` is the state it was in."""
    change = Change(
        entity_id=order.entity_id,
        action=f"procurement.{verb}",
        subject_kind="procurement.order",
        subject_id=order.pk,
        thread=f"procurement.order:{order.pk}",
        before={"state": before} if before else None,
        after={"state": str(order.state), **(after or {})},
        reason=reason,
        policy_version=policy_version,
    )
    record(changes=[change], actor=actor, now=now)


def _checked_facts(asked: Mapping[str, Any], *, is_direct: bool) -> Mapping[str, Any]:
    found = records(FACTS, asked)
    if not found:
        raise BadOrder("entity", "There is no such entity.")
    if found[0]["is_blocked"] is None:
        raise BadOrder("supplier", "There is no such supplier.")
    if found[0]["is_blocked"]:
        raise BadOrder("supplier", "This supplier is blocked.")
    if found[0]["node_entity"] is None or found[0]["is_direct"] != is_direct:
        raise BadOrder("node", "There is no such node.")
    return found[0]


def _priced(
    lines: Sequence[PurchaseLine], asked: Mapping[str, Any], facts: Mapping[str, Any]
) -> list[PurchaseLine]:
    if not lines:
        raise BadOrder("lines", "Order at least one product.")
    if len(lines) > LINES_MAX:
        raise BadOrder("lines", f"An order has at most {LINES_MAX:,} lines.")
    wanted = {"products": list({line.product_id for line in lines})}
    offers = {row[0]: row[1:] for row in rows(OFFERS, {**asked, **wanted})}
    return [
        _priced_line(number, line, offers.get(line.product_id), facts)
        for number, line in enumerate(lines)
    ]


def _priced_line(
    number: int, line: PurchaseLine, offer: tuple[Any, ...] | None, facts: Mapping[str, Any]
) -> PurchaseLine:
    where = f"lines[{number}]"
    if offer is None:
        raise BadOrder(f"{where}.product", "There is no such product.")
    code, offered, lead_time, currency = offer
    quantity, price = line.quantity, line.unit_price
    if not quantity.is_finite() or not 0 < quantity <= QUANTITY_MAX:
        raise BadOrder(f"{where}.quantity", "The quantity must be above zero, and not that large.")
    if round(quantity, 3) != quantity:
        raise BadOrder(f"{where}.quantity", "A quantity has at most three decimals.")
    if price is None:
        if offered is None or currency != facts["currency"]:
            raise BadOrder(f"{where}.price", f"This supplier offers no price for {code}.")
        price = offered
    if not price.is_finite() or not 0 <= price < PRICE_MAX:
        raise BadOrder(f"{where}.price", "The price must not be negative, nor that large.")
    if round(price, 4) != price:
        raise BadOrder(f"{where}.price", "A price has at most four decimals.")
    due = line.expected_date or facts["today"] + timedelta(days=lead_time or 0)
    return replace(line, unit_price=price, expected_date=due)


def _straight(sent_to: SentTo) -> dict[str, Any]:
    return {
        "ship_to": dict(sent_to.ship_to),
        "for_kind": sent_to.kind,
        "for_id": sent_to.id,
        "for_label": sent_to.label,
    }


def _rewritten(order_id: int, entity_id: int, values: Mapping[str, Any]) -> PurchaseOrder:
    order = PurchaseOrder.objects.lock(order_id)
    if order.entity_id != entity_id:
        raise PurchaseOrder.DoesNotExist
    if order.for_id is not None:
        raise NotDraft(f"{order.number} goes straight to a customer: cancel it instead.")
    if order.state != PurchaseOrder.State.DRAFT:
        raise NotDraft(f"{order.number} has been submitted: cancel it and write another one.")
    order.lines.all().delete()
    for name, value in values.items():
        setattr(order, name, value)
    order.save(update_fields=list(values))
    return order
