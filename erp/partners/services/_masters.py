"""Loads master data: each kind of row through the service that owns it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from erp.accounts.models import Entity, User
from erp.kernel.sql import rows
from erp.partners.rules.checking import Loadable
from finance.services import adjust_stock
from inventory.services import (
    CarrierDraft,
    ProductDraft,
    StockAdjustment,
    upsert_carriers,
    upsert_products,
)
from inventory.services.binning import BinDraft, upsert_bins
from orders.services import (
    AccountRow,
    CustomerRow,
    PriceRow,
    upsert_accounts,
    upsert_customers,
    upsert_prices,
)
from procurement.services import (
    OfferRow,
    RuleRow,
    SupplierRow,
    upsert_offers,
    upsert_rules,
    upsert_suppliers,
)

Values = dict[str, Any]
IDS = {
    "inventory.Product": "SELECT code, id FROM inventory_product WHERE code = ANY(%(codes)s)",
    "inventory.Carrier": "SELECT code, id FROM inventory_carrier WHERE code = ANY(%(codes)s)",
    "inventory.Node": "SELECT code, id FROM inventory_node WHERE code = ANY(%(codes)s)",
    "orders.Customer": "SELECT code, id FROM orders_customer WHERE code = ANY(%(codes)s)",
    "orders.CustomerGroup": "SELECT code, id FROM orders_customergroup WHERE code = ANY(%(codes)s)",
    "orders.PriceList": "SELECT code, id FROM orders_pricelist WHERE code = ANY(%(codes)s)",
    "procurement.Supplier": "SELECT code, id FROM procurement_supplier WHERE code = ANY(%(codes)s)",
}


@dataclass(frozen=True, slots=True)
class Load:
    """On whose behalf rows are loaded, and where: `actor` sent the file and answers for it."""

    entity: Entity
    reason: str
    actor: User | None
    now: datetime


@dataclass(frozen=True, slots=True)
class Touches:
    """The table whose rows a kind creates or changes, and how those of `loadable` are found."""

    model: str
    statement: str  # selects id and the row as JSON by %(codes)s, %(others)s, %(entity)s
    codes: str
    others: str = ""


_BY_CODE = "SELECT t.id, to_jsonb(t) FROM {0} t WHERE t.code = ANY(%(codes)s)"
_BY_PRODUCT = (
    "SELECT t.id, to_jsonb(t) FROM {0} t JOIN inventory_product p ON p.id = t.product_id"
    " WHERE p.code = ANY(%(codes)s) AND t.entity_id = %(entity)s"
)
TOUCHES: dict[str, list[Touches]] = {
    "products": [Touches("inventory.Product", _BY_CODE.format("inventory_product"), "code")],
    "carriers": [Touches("inventory.Carrier", _BY_CODE.format("inventory_carrier"), "code")],
    "suppliers": [Touches("procurement.Supplier", _BY_CODE.format("procurement_supplier"), "code")],
    "customers": [
        Touches("orders.Customer", _BY_CODE.format("orders_customer"), "code"),
        Touches(
            "orders.CreditAccount",
            "SELECT t.id, to_jsonb(t) FROM orders_creditaccount t"
            " JOIN orders_customer c ON c.id = t.customer_id"
            " WHERE c.code = ANY(%(codes)s) AND t.entity_id = %(entity)s",
            "code",
        ),
    ],
    "prices": [Touches("orders.Price", _BY_PRODUCT.format("orders_price"), "product")],
    "offers": [
        Touches(
            "procurement.SupplierProduct",
            _BY_PRODUCT.format("procurement_supplierproduct"),
            "product",
        )
    ],
    "replenishment": [
        Touches(
            "procurement.ReplenishmentRule",
            _BY_PRODUCT.format("procurement_replenishmentrule"),
            "product",
        )
    ],
    "bins": [
        Touches(
            "inventory.Bin",
            "SELECT t.id, to_jsonb(t) FROM inventory_bin t"
            " JOIN inventory_node n ON n.id = t.node_id"
            " WHERE t.code = ANY(%(codes)s) AND n.entity_id = %(entity)s",
            "code",
        )
    ],
    "stock": [
        Touches("inventory.Adjustment", _BY_PRODUCT.format("inventory_adjustment"), "product")
    ],
}


def load_masters(kind: str, loadable: Sequence[Loadable], load: Load) -> None:
    """Create or change the rows of one kind, set-based, as whoever sent the file.

    Raises:
        DutyConflict: a credit limit goes up for orders that the sender wrote.
    """
    LOADERS[kind]([row.values for row in loadable], load)


def ids_of(model: str, codes: set[Any]) -> dict[str, int]:
    """Return the id of each code that exists. One query."""
    return dict(rows(IDS[model], {"codes": sorted(code for code in codes if code)}))


def _given(values: Values, *names: str) -> Values:
    return {name: values[name] for name in names if values.get(name) is not None}


def _whole(values: Values, name: str) -> Values:
    return {name: int(values[name])} if values.get(name) is not None else {}


ADDRESS = ("address", "city", "region", "postal_code", "country")
CONTACT = ("contact", "email", "phone")


def _products(values: list[Values], load: Load) -> None:
    wanted = (
        "code",
        "name",
        "category",
        "base_uom",
        "weight",
        "barcode",
        "pack_note",
        "is_blocked",
        "is_discontinued",
        "export_code",
        "hazmat_class",
        "licence_required",
        "controlled_share",
        "order_min",
        "order_multiple",
    )
    upsert_products(
        drafts=[ProductDraft(**_given(v, *wanted)) for v in values], actor=load.actor, now=load.now
    )


def _carriers(values: list[Values], load: Load) -> None:
    carriers = [
        CarrierDraft(
            **_given(v, "code", "name", "phone", "base_rate", "rate_per_kg"),
            **_whole(v, "transit_days"),
            currency=load.entity.currency,
        )
        for v in values
    ]
    upsert_carriers(drafts=carriers, actor=load.actor, now=load.now)


def _suppliers(values: list[Values], load: Load) -> None:
    wanted = ("code", "name", *ADDRESS, *CONTACT)
    upsert_suppliers(suppliers=[SupplierRow(**_given(v, *wanted)) for v in values])


def _customers(values: list[Values], load: Load) -> None:
    wanted = ("code", "name", "tier", "tax_id", *ADDRESS, *CONTACT)
    upsert_customers(
        rows=[CustomerRow(**_given(v, *wanted)) for v in values], actor=load.actor, now=load.now
    )
    ids = ids_of("orders.Customer", {v["code"] for v in values})
    accounts = [
        AccountRow(
            entity_id=load.entity.pk,
            customer_id=ids[v["code"]],
            currency=load.entity.currency,
            **_given(v, "credit_limit", "penalty_rate"),
            **_whole(v, "terms_days"),
        )
        for v in values
    ]
    upsert_accounts(rows=accounts, actor=load.actor, now=load.now)


def _prices(values: list[Values], load: Load) -> None:
    products = ids_of("inventory.Product", {v["product"] for v in values})
    customers = ids_of("orders.Customer", {v.get("customer") for v in values})
    groups = ids_of("orders.CustomerGroup", {v.get("group") for v in values})
    lists = ids_of("orders.PriceList", {v.get("price_list") for v in values})
    prices = [
        PriceRow(
            entity_id=load.entity.pk,
            product_id=products[v["product"]],
            customer_id=customers.get(v.get("customer") or ""),
            group_id=groups.get(v.get("group") or ""),
            price_list_id=lists.get(v.get("price_list") or ""),
            currency=v.get("currency") or load.entity.currency,
            **_given(v, "unit_price", "valid_from", "valid_until", "min_quantity", "uom"),
        )
        for v in values
    ]
    upsert_prices(rows=prices, actor=load.actor, now=load.now)


def _offers(values: list[Values], load: Load) -> None:
    products = ids_of("inventory.Product", {v["product"] for v in values})
    suppliers = ids_of("procurement.Supplier", {v["supplier"] for v in values})
    offers = [
        OfferRow(
            entity_id=load.entity.pk,
            supplier_id=suppliers[v["supplier"]],
            product_id=products[v["product"]],
            currency=load.entity.currency,
            **_given(v, "unit_price", "moq", "multiple"),
            **_whole(v, "lead_time_days"),
        )
        for v in values
    ]
    upsert_offers(offers=offers)


def _replenishment(values: list[Values], load: Load) -> None:
    products = ids_of("inventory.Product", {v["product"] for v in values})
    nodes = ids_of("inventory.Node", {v["node"] for v in values})
    rules = [
        RuleRow(
            entity_id=load.entity.pk,
            node_id=nodes[v["node"]],
            product_id=products[v["product"]],
            reorder_point=v["reorder_point"],
            # Where the file does not say: cover twice the point, and at least one unit above it.
            order_up_to=v.get("order_up_to") or max(2 * v["reorder_point"], Decimal(1)),
        )
        for v in values
    ]
    upsert_rules(rules=rules)


def _bins(values: list[Values], load: Load) -> None:
    products = ids_of("inventory.Product", {v.get("product") for v in values})
    nodes = ids_of("inventory.Node", {v["node"] for v in values})
    bins = [
        BinDraft(
            **_given(v, "code", "kind", "capacity", "minimum"),
            **_whole(v, "sequence"),
            node_id=nodes[v["node"]],
            product_id=products.get(v.get("product") or ""),
        )
        for v in values
    ]
    upsert_bins(drafts=bins, actor=load.actor, now=load.now)


def _stock(values: list[Values], load: Load) -> None:
    products = ids_of("inventory.Product", {v["product"] for v in values})
    nodes = ids_of("inventory.Node", {v["node"] for v in values})
    adjust_stock(
        adjustments=[
            StockAdjustment(
                entity_id=load.entity.pk,
                node_id=nodes[v["node"]],
                product_id=products[v["product"]],
                quantity=v["quantity"],
                unit_value=v["unit_value"],
                reason=load.reason,
            )
            for v in values
            if v["quantity"]
        ],
        kind="opening",
        actor=load.actor,
        now=load.now,
    )


LOADERS: dict[str, Callable[[list[Values], Load], None]] = {
    "products": _products,
    "carriers": _carriers,
    "suppliers": _suppliers,
    "customers": _customers,
    "prices": _prices,
    "offers": _offers,
    "replenishment": _replenishment,
    "bins": _bins,
    "stock": _stock,
}
