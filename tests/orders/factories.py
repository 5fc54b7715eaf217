"""Makes orders' rows for tests: the least that a test needs, by name."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import count
from typing import Any

from erp.accounts.models import Entity, Role, RoleAssignment, User
from inventory.models import Product, Shipment
from inventory.services import Pack, Pick, ShippedLine, pack_shipments, ship_shipments
from orders.models import (
    CreditAccount,
    Customer,
    CustomerGroup,
    ListHolder,
    Order,
    OrderLine,
    PriceList,
    Promotion,
)
from orders.services import (
    LineDraft,
    OrderDraft,
    PriceRow,
    ShippedAmount,
    allocate_orders,
    create_order,
    lock_orders,
    pick_shipments,
    record_shipped,
    submit_order,
    upsert_prices,
)
from tests.inventory.factories import company, node, product, stocked

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)  # a Monday
TODAY = date(2026, 11, 23)
_serial = count(1)

__all__ = ["company", "node", "product", "stocked"]


def customer(code: str = "", **values: Any) -> Customer:
    code = code or f"C-{next(_serial)}"
    defaults = {"name": f"Customer {code}", "city": "Dayton", "country": "US"} | values
    return Customer.objects.get_or_create(code=code, defaults=defaults)[0]


def account(
    of: Customer | None = None, entity: Entity | None = None, limit: str = "100000", **values: Any
) -> CreditAccount:
    owner = entity or company()
    return CreditAccount.objects.create(
        customer=of or customer(),
        entity=owner,
        currency=values.pop("currency", owner.currency),
        credit_limit=Decimal(limit),
        **values,
    )


def priced(
    price: str = "10", code: str = "", entity: Entity | None = None, **values: Any
) -> Product:
    """Make a product that is sold at a list price per base unit."""
    owner = entity or company()
    made = product(code, **values)
    listed(made, price, entity=owner)
    return made


def listed(of: Product, price: str, *, entity: Entity | None = None, **values: Any) -> None:
    owner = entity or company()
    row: dict[str, Any] = {
        "entity_id": owner.pk,
        "product_id": of.pk,
        "currency": owner.currency,
        "unit_price": Decimal(price),
        "valid_from": date(2026, 1, 1),
    }
    upsert_prices(rows=[PriceRow(**row | values)], actor=None, now=NOW)


def group(code: str, parent: CustomerGroup | None = None) -> CustomerGroup:
    return CustomerGroup.objects.create(code=code, name=code.title(), parent=parent)


def price_list(
    code: str, *, of: Customer | CustomerGroup | None = None, position: int = 1
) -> PriceList:
    """Make a list of the company, and give it to a customer or a group."""
    made = PriceList.objects.get_or_create(
        code=code, defaults={"entity": company(), "name": code.title(), "currency": "USD"}
    )[0]
    if of is not None:
        holder = {"customer": of} if isinstance(of, Customer) else {"group": of}
        ListHolder.objects.create(price_list=made, position=position, **holder)
    return made


def promotion(code: str, kind: str = "percent", **values: Any) -> Promotion:
    defaults: dict[str, Any] = {
        "entity": company(),
        "name": code.title(),
        "valid_from": date(2026, 1, 1),
    }
    return Promotion.objects.create(code=code, kind=kind, **defaults | values)


def line(of: Product, quantity: str | int = 1, **values: Any) -> LineDraft:
    return LineDraft(product_id=of.pk, quantity=Decimal(quantity), **values)


def draft(on: CreditAccount, *lines: LineDraft, **values: Any) -> OrderDraft:
    return OrderDraft(
        entity_id=on.entity_id, customer_id=on.customer_id, lines=list(lines), **values
    )


def created(
    on: CreditAccount, *lines: LineDraft, actor: User | None = None, **values: Any
) -> Order:
    made = create_order(draft=draft(on, *lines, **values), actor=actor, now=NOW)
    return Order.objects.get(pk=made.id)


def submitted(
    on: CreditAccount, *lines: LineDraft, actor: User | None = None, **values: Any
) -> Order:
    order = created(on, *lines, actor=actor, **values)
    submit_order(order_id=order.pk, actor=actor, now=NOW)
    return Order.objects.get(pk=order.pk)


def allocated(on: CreditAccount, *lines: LineDraft, **values: Any) -> Order:
    order = submitted(on, *lines, **values)
    allocate_orders(order_ids=[order.pk], cause="test", now=NOW)
    return Order.objects.get(pk=order.pk)


def shipments_of(order: Order) -> list[int]:
    return list(
        Shipment.objects.filter(source_id=order.pk, state__in=["planned", "picked", "packed"])
        .order_by("pk")
        .values_list("pk", flat=True)
    )


def picked(on: CreditAccount, *lines: LineDraft, **values: Any) -> Order:
    order = allocated(on, *lines, **values)
    picks = [Pick(shipment_id=pk) for pk in shipments_of(order)]
    pick_shipments(picks=picks, actor=None, now=NOW)
    return Order.objects.get(pk=order.pk)


def left(order: Order) -> tuple[list[ShippedLine], list[ShippedAmount]]:
    """Let all live shipments of a picked order leave, as finance would."""
    ids = shipments_of(order)
    lock_orders(order_ids=[order.pk])
    pack_shipments(packs=[Pack(shipment_id=pk) for pk in ids], actor=None, now=NOW)
    gone = ship_shipments(shipment_ids=ids, actor=None, now=NOW)
    return gone, record_shipped(lines=gone, now=NOW)


def floor(order: Order, *, ships: bool) -> None:
    """Pick what is planned for an order, and let it leave if asked to."""
    planned = Shipment.objects.filter(source_id=order.pk, state="planned")
    picks = [Pick(shipment_id=pk) for pk in planned.order_by("pk").values_list("pk", flat=True)]
    if picks:
        pick_shipments(picks=picks, actor=None, now=NOW)
    if ships and shipments_of(order):
        left(order)


def lines_of(order: Order) -> Sequence[OrderLine]:
    return list(OrderLine.objects.filter(order=order).order_by("position"))


def person(name: str, role: Role | str = "", entity: Entity | None = None, **values: Any) -> User:
    user = User.objects.create_user(name, **values)
    if role:
        RoleAssignment.objects.create(user=user, entity=entity or company(), role=str(role))
    return user
