"""A small company for a browser: two nodes, three products, one customer, one person a desk."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal

from erp.accounts.models import Entity, Role, User
from erp.accounts.services import assign_role, create_entity, create_user
from erp.kernel.sql import rows
from finance.services import adjust_stock, open_books
from inventory.services import (
    NodeDraft,
    ProductDraft,
    StockAdjustment,
    UomDraft,
    upsert_nodes,
    upsert_products,
)
from orders.services import (
    AccountRow,
    CustomerRow,
    PriceRow,
    upsert_accounts,
    upsert_customers,
    upsert_prices,
)

DESKS = (
    Role.ORDER_DESK,
    Role.WAREHOUSE,
    Role.SHIPPING,
    Role.AR,
    Role.PLANNER,
    Role.OPERATIONS_LEAD,
)
STOCK = {
    "HX-110": {"DC-NORTH": 200},
    "HX-220": {"DC-NORTH": 20, "DC-WEST": 300},
    "KT-014": {"DC-NORTH": 90, "DC-WEST": 40},
}


@dataclass(frozen=True)
class SmallCompany:
    entity: Entity
    people: dict[Role, User]


def found_small_company() -> SmallCompany:
    """Found it through the ordinary services."""
    now = datetime.now(UTC)
    entity = create_entity(code="NEUS", name="Crossdock Northeast", currency="USD", country="US")
    open_books(entity_id=entity.pk, now=now)
    people = {}
    for role in DESKS:
        people[role] = create_user(username=role.value, password=None, first_name=role.label)
        assign_role(user=people[role], entity=entity, role=role)
    upsert_nodes(
        drafts=[
            NodeDraft(code=code, name=code, entity_id=entity.pk, country="US", handling_days=0)
            for code in ("DC-NORTH", "DC-WEST")
        ],
        actor=None,
        now=now,
    )
    upsert_products(
        drafts=[
            ProductDraft(
                code=code, name=name, uoms=(UomDraft(code="CASE", numerator=12),), barcode=code
            )
            for code, name in (
                ("HX-110", "Sterile drape"),
                ("HX-220", "Surgical gown L"),
                ("KT-014", "Suture kit"),
            )
        ],
        actor=None,
        now=now,
    )
    upsert_customers(
        rows=[
            CustomerRow(
                code="HALDEN", name="Halden Medical", tier="A", country="US", city="Boston",
                address="1 Harbor Street", postal_code="02110",
            )
        ],
        actor=None,
        now=now,
    )  # fmt: skip
    products = dict(rows("SELECT code, id FROM inventory_product"))
    nodes = dict(rows("SELECT code, id FROM inventory_node"))
    customer = rows("SELECT id FROM orders_customer")[0][0]
    upsert_accounts(
        rows=[
            AccountRow(
                entity_id=entity.pk, customer_id=customer, currency="USD",
                credit_limit=Decimal(100_000), penalty_rate=Decimal("0.02"),
            )
        ],
        actor=None,
        now=now,
    )  # fmt: skip
    prices = {"HX-110": "4.10", "HX-220": "23.84", "KT-014": "31.50"}
    upsert_prices(
        rows=[
            PriceRow(
                entity_id=entity.pk, product_id=products[code], currency="USD",
                unit_price=Decimal(price), valid_from=date(2020, 1, 1),
            )
            for code, price in prices.items()
        ],
        actor=None,
        now=now,
    )  # fmt: skip
    adjust_stock(
        adjustments=[
            StockAdjustment(
                entity_id=entity.pk, node_id=nodes[node], product_id=products[code],
                quantity=Decimal(quantity), unit_value=Decimal(prices[code]) / 2, reason="opening",
            )
            for code, places in STOCK.items()
            for node, quantity in places.items()
        ],
        kind="opening",
        actor=None,
        now=now,
    )  # fmt: skip
    return SmallCompany(entity=entity, people=people)
