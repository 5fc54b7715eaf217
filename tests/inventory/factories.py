"""Makes inventory's rows for tests: the least that a test needs, by name."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import count
from typing import Any

from erp.accounts.models import Entity
from inventory.models import Bin, Carrier, Lot, Node, Product, Stock
from inventory.services import (
    Allocation,
    Demand,
    Pack,
    Pick,
    PlannedShipment,
    ShipmentSource,
    StockAdjustment,
    adjust_stock,
    allocate,
    pack_shipments,
    pick_shipments,
    plan_shipments,
)
from inventory.services.binning import BinDraft, BinTransfer, move_in_bins, save_bin

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
DUE = date(2026, 11, 30)
KIND = "orders.line"
_serial = count(1)


def company(code: str = "US01", currency: str = "USD") -> Entity:
    return Entity.objects.get_or_create(
        code=code, defaults={"name": code, "currency": currency, "country": "US"}
    )[0]


def product(code: str = "", **values: Any) -> Product:
    code = code or f"P-{next(_serial)}"
    return Product.objects.get_or_create(code=code, defaults={"name": code} | values)[0]


def node(code: str = "DC-A", **values: Any) -> Node:
    defaults = {"name": code, "country": "US", "time_zone": "UTC"} | values
    defaults.setdefault("entity", company())
    return Node.objects.get_or_create(code=code, defaults=defaults)[0]


def carrier(code: str = "TRUCK", **values: Any) -> Carrier:
    defaults = {"name": code, "currency": "USD", "base_rate": 5, "rate_per_kg": "0.5"} | values
    return Carrier.objects.get_or_create(code=code, defaults=defaults)[0]


def lot(product: Product, code: str = "", **values: Any) -> Lot:
    defaults = {"created_at": NOW} | values
    return Lot.objects.create(product=product, code=code or f"L-{next(_serial)}", **defaults)


def stocked(
    product: Product,
    quantity: str | int,
    *,
    node: Node | None = None,
    entity: Entity | None = None,
    unit_value: str = "2",
    status: str = "available",
    lot: Lot | None = None,
    serials: Sequence[str] = (),
) -> Stock:
    """Put so much of a product on a shelf, through the service that keeps the books right."""
    place = node or globals()["node"]()
    owner = entity or company()
    adjust_stock(
        adjustments=[
            StockAdjustment(
                entity_id=owner.pk,
                node_id=place.pk,
                product_id=product.pk,
                quantity=Decimal(quantity),
                reason="Opening",
                unit_value=Decimal(unit_value),
                status=status,
                lot_id=lot.pk if lot else None,
                serials=serials,
            )
        ],
        kind="opening",
        actor=None,
        now=NOW,
    )
    return Stock.objects.get(entity=owner, node=place, product=product, status=status, lot=lot)


def bin_of(code: str, kind: str = "reserve", **values: Any) -> Bin:
    place = values.pop("node", None) or node()
    for name in ("capacity", "minimum"):
        if values.get(name) is not None:
            values[name] = Decimal(values[name])
    home = values.pop("product", None)
    draft = BinDraft(node_id=place.pk, code=code, kind=kind, product_id=home and home.pk, **values)
    return Bin.objects.get(pk=save_bin(draft=draft, actor=None, now=NOW))


def put(
    stock: Stock, quantity: str | int, into: Bin | None, out_of: Bin | None = None
) -> list[int]:
    """Put so much of a balance from the floor, or from another bin, into a bin."""
    move = BinTransfer(
        stock_id=stock.pk,
        quantity=Decimal(quantity),
        target_id=into and into.pk,
        source_id=out_of and out_of.pk,
    )
    return move_in_bins(moves=[move], actor=None, now=NOW)


def lying(stock: Stock) -> dict[str, Decimal]:
    """Return what of a balance lies in which bin, by code."""
    return dict(stock.bins.values_list("bin__code", "quantity"))


def demand(product: Product, quantity: str | int, **values: Any) -> Demand:
    number = values.pop("id", None) or next(_serial)
    defaults: dict[str, Any] = {
        "kind": KIND,
        "id": number,
        "entity_id": company().pk,
        "product_id": product.pk,
        "quantity": Decimal(quantity),
        "node_id": None,
        "priority": 50,
        "due": DUE,
        "group_id": number,
    }
    return Demand(**defaults | values)


def reserved(*demands: Demand, **options: Any) -> Allocation:
    return allocate(demands=demands, cause="test", policy_version="", now=NOW, **options)


def planned(demands: Sequence[Demand], order_id: int = 1, **values: Any) -> list[PlannedShipment]:
    """Reserve for an order, and plan its shipments."""
    reserved(*demands)
    defaults: dict[str, Any] = {
        "kind": "orders.order",
        "id": order_id,
        "number": f"SO-{order_id}",
        "entity_id": demands[0].entity_id,
        "ship_to": {"name": "Miller", "city": "Dayton"},
        "carrier_id": None,
        "promised_date": DUE,
        "demand_kind": KIND,
        "demand_ids": [each.id for each in demands],
    }
    return plan_shipments(orders=[ShipmentSource(**defaults | values)], now=NOW)


def picked(demands: Sequence[Demand], order_id: int = 1) -> list[int]:
    shipments = planned(demands, order_id)
    picks = [Pick(shipment_id=each.id) for each in shipments]
    return pick_shipments(picks=picks, actor=None, now=NOW).picked_ids


def packed(demands: Sequence[Demand], order_id: int = 1) -> list[int]:
    packs = [Pack(shipment_id=each) for each in picked(demands, order_id)]
    return pack_shipments(packs=packs, actor=None, now=NOW)
