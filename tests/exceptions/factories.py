"""Makes the conditions of the world that cases are about: the least that a test needs, by name."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from erp.accounts.models import Entity, RoleAssignment, User
from erp.governance.services import ensure_builtin_policies
from exceptions.models import ExceptionCase
from exceptions.services import refresh
from inventory.models import Carrier, Node, Product, Stock
from orders.models import CreditAccount, Customer, Hold, Order, OrderLine
from procurement.models import PurchaseOrder, PurchaseOrderLine, Supplier, SupplierProduct

NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)  # a Monday, 9 o'clock in New York
TODAY = date(2026, 11, 23)
_serial = count(1)


def company(code: str = "US01", **values: Any) -> Entity:
    defaults = {
        "name": code, "currency": "USD", "country": "US", "time_zone": "America/New_York",
    } | values  # fmt: skip
    return Entity.objects.update_or_create(code=code, defaults=defaults)[0]


def person(name: str, *roles: str, entity: Entity | None = None) -> User:
    """Somebody who has `roles` in the entity, with what the roles may do."""
    user = User.objects.get_or_create(username=name, defaults={"first_name": name.title()})[0]
    for role in roles:
        RoleAssignment.objects.get_or_create(user=user, entity=entity or company(), role=role)
    user.__dict__.pop("granted", None)
    return user


def policies() -> None:
    ensure_builtin_policies(now=NOW)


def node(code: str = "DC-EAST", **values: Any) -> Node:
    defaults = {"name": code, "country": "US", "time_zone": "America/New_York"} | values
    defaults.setdefault("entity", company())
    return Node.objects.get_or_create(code=code, defaults=defaults)[0]


def carrier(code: str = "TRUCK", **values: Any) -> Carrier:
    defaults = {"name": code, "currency": "USD", "base_rate": 25, "rate_per_kg": "0.5"} | values
    return Carrier.objects.get_or_create(code=code, defaults=defaults)[0]


def account(
    tier: str = "C", *, entity: Entity | None = None, code: str = "", **values: Any
) -> CreditAccount:
    number = next(_serial)
    customer = Customer.objects.get_or_create(
        code=code or f"C-{number}", defaults={"name": f"Customer {number}", "tier": tier}
    )[0]
    owner = entity or company()
    defaults = {"currency": owner.currency, "credit_limit": 100_000} | values
    return CreditAccount.objects.get_or_create(customer=customer, entity=owner, defaults=defaults)[
        0
    ]


def product(**values: Any) -> Product:
    number = next(_serial)
    return Product.objects.create(
        **{"code": f"P-{number}", "name": f"Product {number}", "weight": 2} | values
    )


def order(state: str = "backordered", **values: Any) -> Order:
    buyer = values.pop("account", None) or account(values.pop("tier", "C"))
    defaults = {
        "entity": buyer.entity, "customer": buyer.customer, "account": buyer, "state": state,
        "currency": buyer.currency, "requested_date": TODAY + timedelta(days=3),
        "created_at": NOW, "submitted_at": NOW,
        "released_at": None if state in ("draft", "held", "submitted") else NOW,
    }  # fmt: skip
    made = Order.objects.create(**defaults | values)
    made.refresh_from_db(fields=["number"])
    return made


def short_line(
    quantity: str | int = 10, *, missing: str | int | None = None, unit_price: str | int = 10,
    item: Product | None = None, line: dict[str, Any] | None = None, **of_order: Any,
) -> OrderLine:  # fmt: skip
    """An order's only line, of which `missing` (default: all) is reserved nowhere."""
    wanted = Decimal(quantity)
    short = wanted if missing is None else Decimal(missing)
    sold = wanted * Decimal(unit_price)
    parent = order(**{"subtotal": sold, "total": sold} | of_order)
    return OrderLine.objects.create(
        order=parent, position=1, product=item or product(), uom="EA", uom_quantity=wanted,
        quantity=wanted, unit_price=Decimal(unit_price), amount=sold, reserved=wanted - short,
        **line or {},
    )  # fmt: skip


def held_order(total: str | int = 1000, kind: str = "credit", **of_order: Any) -> Hold:
    parent = order("held", **{"subtotal": Decimal(total), "total": Decimal(total)} | of_order)
    return Hold.objects.create(
        order=parent, kind=kind, owner_role="credit", reason="Over the limit", placed_at=NOW
    )


def stock(item: Product, quantity: str | int, **values: Any) -> Stock:
    place = values.pop("node", None) or node()
    return Stock.objects.create(
        **{"entity": company(), "node": place, "product": item, "on_hand": Decimal(quantity)}
        | values
    )


def purchase(
    item: Product, quantity: str | int = 10, *, expected: date = TODAY + timedelta(days=9),
    state: str = "sent", **values: Any,
) -> PurchaseOrder:  # fmt: skip
    number = next(_serial)
    supplier = Supplier.objects.create(code=f"S-{number}", name=f"Supplier {number}")
    made = PurchaseOrder.objects.create(
        **{
            "entity": company(), "node": node(), "supplier": supplier, "currency": "USD",
            "state": state, "expected_date": expected, "total": Decimal(100), "created_at": NOW,
            "submitted_at": NOW, "approved_at": NOW, "sent_at": NOW,
        } | values
    )  # fmt: skip
    PurchaseOrderLine.objects.create(
        order=made, position=1, product=item, quantity=Decimal(quantity), unit_price=5,
        expected_date=expected,
    )  # fmt: skip
    made.refresh_from_db(fields=["number"])
    return made


def offer(item: Product, *, lead_time_days: int = 12, **values: Any) -> SupplierProduct:
    number = next(_serial)
    supplier = Supplier.objects.create(code=f"S-{number}", name=f"Supplier {number}")
    return SupplierProduct.objects.create(
        **{
            "supplier": supplier, "entity": company(), "product": item, "currency": "USD",
            "unit_price": 5, "lead_time_days": lead_time_days,
        } | values
    )  # fmt: skip


def shortage_case(now: datetime = NOW, **values: Any) -> ExceptionCase:
    """A live case about a short line, opened as the event would open it."""
    line = short_line(**values)
    refresh(type="orders.shortage", subject_ids=[line.pk], now=now)
    return ExceptionCase.objects.get(type="orders.shortage", subject_id=line.pk)


def hold_case(now: datetime = NOW, **values: Any) -> ExceptionCase:
    """A live case about an order on credit hold."""
    hold = held_order(**values)
    refresh(type="orders.credit_hold", subject_ids=[hold.pk], now=now)
    return ExceptionCase.objects.get(type="orders.credit_hold", subject_id=hold.pk)
