"""A company that is short, its other node, a sister company and a supplier."""

from datetime import date
from decimal import Decimal
from typing import Any

from erp.accounts.models import Entity, User
from erp.governance.services import activate_version, write_version
from inventory.models import Inbound, Lane, Node, Product, SourcingDecision
from orders.models import CreditAccount, Order, OrderLine
from orders.services.insisting import insist_customer
from procurement.models import Supplier
from procurement.services import OfferRow, upsert_offers
from tests.orders import factories as make

LANE_COST = Decimal(40)


def lane(origin: Node, target: Node, *, days: int = 3, cost: Decimal = LANE_COST) -> Lane:
    return Lane.objects.create(
        origin=origin, destination=target, days=days, cost=cost, currency="USD"
    )


def sister(code: str = "US02") -> tuple[Entity, Node]:
    other = make.company(code)
    return other, make.node(f"DC-{code}", entity=other)


def offered(part: Product, price: str = "6", days: int = 10, **values: Any) -> Supplier:
    code = values.pop("code", "ACME")
    supplier = Supplier.objects.get_or_create(code=code, defaults={"name": code.title()})[0]
    row: dict[str, Any] = {
        "supplier_id": supplier.pk,
        "entity_id": make.company().pk,
        "product_id": part.pk,
        "unit_price": Decimal(price),
        "lead_time_days": days,
    }
    upsert_offers(offers=[OfferRow(**row | values)])
    return supplier


def inbound(part: Product, quantity: str, on: date, label: str = "PO-7") -> Inbound:
    return Inbound.objects.create(
        entity=make.company(), product=part, node=make.node(), source_kind="test", source_id=1,
        quantity=Decimal(quantity), expected_date=on, source_label=label,
    )  # fmt: skip


def short(part: Product, quantity: str = "10", **values: Any) -> OrderLine:
    """Have an order of so much allocated; return its line."""
    make.node()
    order = make.allocated(make.account(), make.line(part, quantity), **values)
    return make.lines_of(order)[0]


def order_of(line: OrderLine) -> Order:
    return Order.objects.get(pk=line.order_id)


def receipt(line: OrderLine) -> SourcingDecision:
    found = SourcingDecision.objects.filter(demand_id=line.pk).order_by("-pk").first()
    assert found is not None
    return found


def told(line: OrderLine) -> dict[str, dict[str, Any]]:
    """Return the candidates of a line's last receipt, by mode (of several the best)."""
    found: dict[str, dict[str, Any]] = {}
    for each in receipt(line).candidates:
        found.setdefault(each["mode"], each)
    return found


def act(what: str, limit: str = "0") -> dict[str, Any]:
    return {"act": what, "limit": limit}


def weights(
    *, late_rate: str = "0.01", wait_days: int = -1, may_sell: bool = True
) -> dict[str, Any]:
    return {"late_rate": late_rate, "wait_days": wait_days, "may_sell": may_sell}


def says(rows: list[dict[str, Any]]) -> None:
    """Have the company's policy say what becomes of the best way."""
    _write("inventory.sourcing", rows)


def weighs(rows: list[dict[str, Any]]) -> None:
    """Have the company's policy say what lateness weighs, and who may sell."""
    _write("inventory.sourcing_weights", rows)


def _write(policy: str, rows: list[dict[str, Any]]) -> None:
    author, boss = (User.objects.get_or_create(username=name)[0] for name in ("author", "boss"))
    version = write_version(
        policy=policy, entity_id=make.company().pk, table={"rows": rows}, author=author,
        now=make.NOW,
    )  # fmt: skip
    activate_version(version_id=version.pk, actor=boss, now=make.NOW)


def only_from(on: CreditAccount, *codes: str) -> None:
    """Have everything of a customer leave from these nodes alone."""
    insist_customer(
        customer_id=on.customer_id, said={"nodes": list(codes)}, actor=None, now=make.NOW
    )
