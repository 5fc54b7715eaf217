"""Makes orders that a supplier is to send straight to the customer."""

from decimal import Decimal
from importlib import import_module
from typing import Any

from erp.accounts.models import User
from erp.governance.services import activate_version, write_version
from erp.kernel.invariants import by_code, check
from erp.kernel.sql import rows
from inventory.models import Product, Sourcing
from orders.models import Order, OrderLine
from procurement.models import PurchaseOrder, Supplier
from procurement.services import OfferRow, approve_order, send_order, upsert_offers
from procurement.services.dropping import drop_ship
from tests.finance.factories import NOW, World, allocated, product
from tests.procurement.factories import make_person, serial

APPS = ("inventory", "procurement", "orders", "finance")


def offered(
    where: World, part: Product, price: str = "6", days: int = 10, **values: Any
) -> Supplier:
    """Have a supplier offer to send it straight to customers."""
    code = values.pop("code", "ACME")
    supplier = Supplier.objects.get_or_create(code=code, defaults={"name": "Acme"})[0]
    row: dict[str, Any] = {
        "supplier_id": supplier.pk, "entity_id": where.entity.pk, "product_id": part.pk,
        "unit_price": Decimal(price), "lead_time_days": days, "drop_ships": True,
    }  # fmt: skip
    upsert_offers(offers=[OfferRow(**row | values)])
    return supplier


def says(where: World, act: str = "propose", limit: str = "0") -> None:
    """Have the company's policy say what becomes of the best way, a drop-ship among them."""
    author, boss = (User.objects.get_or_create(username=name)[0] for name in ("author", "boss"))
    version = write_version(
        policy="inventory.sourcing", entity_id=where.entity.pk, author=author, now=NOW,
        table={"rows": [{"when": [], "then": {"act": act, "limit": limit}}]},
    )  # fmt: skip
    activate_version(version_id=version.pk, actor=boss, now=NOW)


def proposed(
    where: World, quantity: str = "10", *, part: Product | None = None, price: str = "10",
    on_hand: str = "0", act: str = "propose",
) -> OrderLine:  # fmt: skip
    """Return an order line for which the layer proposes that a supplier sends it straight."""
    part = part or product(where, on_hand=on_hand)
    offered(where, part)
    says(where, act)
    order = allocated(where, (part, quantity, price))
    return OrderLine.objects.get(order=order)


def written(line: OrderLine) -> PurchaseOrder:
    """Have a person accept what is proposed for a line; somebody else agrees where that is due."""
    row = Sourcing.objects.get(demand_id=line.pk, state="proposed", mode="drop_ship")
    made = drop_ship(sourcing_id=row.pk, actor=None, now=NOW)
    if PurchaseOrder.objects.get(pk=made.pk).state == "pending":
        boss = make_person(f"b{next(serial)}", made.entity, "procurement.approve_purchase_order")
        approve_order(order_id=made.pk, actor=boss, now=NOW)
    return PurchaseOrder.objects.get(pk=made.pk)


def sent(line: OrderLine) -> PurchaseOrder:
    made = written(line)
    send_order(order_id=made.pk, actor=None, now=NOW)
    return PurchaseOrder.objects.get(pk=made.pk)


def line_of(line: OrderLine) -> OrderLine:
    return OrderLine.objects.get(pk=line.pk)


def order_of(line: OrderLine) -> Order:
    return Order.objects.get(pk=line.order_id)


def broken() -> dict[str, int]:
    """Return the broken promises of all apps, by code."""
    invariants = [each for app in APPS for each in import_module(f"{app}.selectors").INVARIANTS]
    return {code: n for code, n in by_code([check(each) for each in invariants]).items() if n}


def moves(part: Product) -> list[tuple[str, str, Decimal, Decimal]]:
    """Return (kind, node, quantity, value) of all moves of a product, the oldest first."""
    statement = """
        SELECT m.kind, n.code, m.quantity, m.value FROM inventory_stockmove m
        JOIN inventory_node n ON n.id = m.node_id WHERE m.product_id = %s ORDER BY m.id"""
    return [tuple(row) for row in rows(statement, [part.pk])]  # type: ignore[misc]
