"""The smallest valid things of procurement, varied by keyword."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import count
from typing import Any

from erp.accounts.models import Entity, User
from inventory.models import Node, Product, Stock
from procurement.models import PurchaseOrder, Supplier
from procurement.services import (
    OfferRow,
    PurchaseLine,
    RuleRow,
    SupplierRow,
    approve_order,
    send_order,
    submit_order,
    upsert_offers,
    upsert_rules,
    upsert_suppliers,
    write_order,
)
from tests.conftest import NOW, grant

serial = count(1)


def make_entity(code: str = "US01", currency: str = "USD") -> Entity:
    return Entity.objects.get_or_create(
        code=code, defaults={"name": code, "currency": currency, "country": code[:2]}
    )[0]


def make_node(entity: Entity, code: str = "") -> Node:
    code = code or f"N{next(serial)}"
    return Node.objects.create(code=code, name=code, entity=entity, country="US")


def make_product(code: str = "") -> Product:
    code = code or f"P-{next(serial)}"
    return Product.objects.create(code=code, name=f"Product {code}")


def make_supplier(**values: Any) -> Supplier:
    code = values.pop("code", f"S{next(serial)}")
    ids = upsert_suppliers(suppliers=[SupplierRow(code=code, name=f"Supplier {code}", **values)])
    return Supplier.objects.get(pk=ids[code])


def make_person(name: str, entity: Entity, *permissions: str, employee_ref: str = "") -> User:
    person = User.objects.create_user(name, employee_ref=employee_ref)
    for permission in permissions:
        grant(person, permission, entity)
    return person


@dataclass(frozen=True)
class Need:
    """One product at one node, its stock, its rule (reorder at 10, up to 50) and its supplier."""

    entity: Entity
    node: Node
    product: Product
    supplier: Supplier

    @property
    def key(self) -> tuple[int, int, int]:
        return self.entity.pk, self.node.pk, self.product.pk


def make_need(
    *,
    on_hand: str = "0",
    reserved: str = "0",
    entity: Entity | None = None,
    node: Node | None = None,
    supplier: Supplier | None = None,
    offered: bool = True,
    reorder_point: str = "10",
    order_up_to: str = "50",
    **offer: Any,
) -> Need:
    entity = entity or make_entity()
    node = node or make_node(entity)
    product = make_product()
    supplier = supplier or make_supplier()
    Stock.objects.create(
        entity=entity, node=node, product=product, on_hand=Decimal(on_hand),
        reserved=Decimal(reserved),
    )  # fmt: skip
    upsert_rules(
        rules=[
            RuleRow(
                entity_id=entity.pk,
                node_id=node.pk,
                product_id=product.pk,
                reorder_point=Decimal(reorder_point),
                order_up_to=Decimal(order_up_to),
            )
        ]
    )
    if offered:
        make_offer(entity, product, supplier, **offer)
    return Need(entity, node, product, supplier)


def make_offer(entity: Entity, product: Product, supplier: Supplier, **offer: Any) -> None:
    values = {"unit_price": Decimal("2.5000"), "currency": entity.currency} | offer
    upsert_offers(
        offers=[
            OfferRow(supplier_id=supplier.pk, entity_id=entity.pk, product_id=product.pk, **values)
        ]
    )


def make_order(
    *,
    entity: Entity | None = None,
    lines: Sequence[tuple[str, str]] = (("10", "2.50"),),
    actor: User | None = None,
    now: datetime = NOW,
) -> PurchaseOrder:
    """Write a draft; `lines` are (quantity, unit price), each of a product of its own."""
    entity = entity or make_entity()
    return write_order(
        entity_id=entity.pk,
        supplier_id=make_supplier().pk,
        node_id=make_node(entity).pk,
        lines=[
            PurchaseLine(make_product().pk, Decimal(quantity), Decimal(price))
            for quantity, price in lines
        ],
        actor=actor,
        now=now,
    )


def make_sent_order(**values: Any) -> PurchaseOrder:
    """Write an order that was approved by somebody else and sent."""
    order = make_order(**values)
    boss = make_person(f"boss{next(serial)}", order.entity, "procurement.approve_purchase_order")
    submit_order(order_id=order.pk, actor=order.created_by, now=NOW)
    approve_order(order_id=order.pk, actor=boss, now=NOW)
    return send_order(order_id=order.pk, actor=None, now=NOW)
