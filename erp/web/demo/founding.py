"""Founds the demo company: entities, people, master data, opening stock. Set-based."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from django.contrib.auth.hashers import make_password

from erp.accounts.models import Entity, Role, User
from erp.accounts.services import assign_role, create_entity, create_user
from erp.kernel.sql import rows, run
from erp.web.demo.company import CENT, PENALTIES, TERMS, Company, DemoEntity, DemoProduct
from erp.web.demo.pricing import price_company
from erp.web.demo.week import plan_the_week
from finance.services import adjust_stock, open_books
from inventory.services import (
    CarrierDraft,
    NodeDraft,
    ProductDraft,
    StockAdjustment,
    UomDraft,
    upsert_carriers,
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
from procurement.services import (
    OfferRow,
    RuleRow,
    SupplierRow,
    upsert_offers,
    upsert_rules,
    upsert_suppliers,
)

PASSWORD = "crossdock-demo"  # noqa: S105  printed beside the logins; the demo has no secrets
ADMIN = "admin"
PEOPLE = {
    Role.CUSTOMER_SERVICE: ("Ana", "Sousa"),
    Role.ORDER_DESK: ("Karl", "Duarte"),
    Role.CREDIT: ("Mira", "Okafor"),
    Role.PRICING: ("Jonas", "Weber"),
    Role.PLANNER: ("Priya", "Nair"),
    Role.BUYER: ("Tom", "Halloran"),
    Role.WAREHOUSE: ("Lena", "Fischer"),
    Role.SHIPPING: ("Omar", "Haddad"),
    Role.AR: ("Grace", "Liu"),
    Role.AP: ("Piotr", "Nowak"),
    Role.CONTROLLER: ("Elise", "Moreau"),
    Role.OPERATIONS_LEAD: ("Dana", "Keller"),
    Role.EXECUTIVE: ("Ruth", "Abrams"),
    Role.STEWARD: ("Sven", "Aalto"),
    Role.ADMINISTRATOR: ("Noor", "Rahman"),
}
CARRIERS = (
    ("SWIFT", "Swift Parcel", "8.50", "0.45", 2),
    ("ROADLINE", "Roadline Freight", "42", "0.12", 4),
    ("AIRBRIDGE", "Airbridge Express", "65", "2.10", 1),
)
HISTORY_DAYS = 90
KEPT_ELSEWHERE = 0.6  # share of the products that an entity's second node keeps too


def found(company: Company, *, seed: int, today: date, now: datetime) -> dict[str, Entity]:
    """Write the company down as it was at the start of the history; return its entities by code.

    About 40,000 rows in some forty statements. Repeating it changes nothing but the stock.
    """
    opened = now - timedelta(days=HISTORY_DAYS + 1)
    entities = {each.code: _entity(each, opened) for each in company.entities}
    _people(list(entities.values()))
    _nodes(company, entities, opened)
    plan_the_week(entities, opened)
    _goods(company, opened)
    _buyers(company, entities, opened)
    _prices(company, entities, today - timedelta(days=400), opened)
    ids = {"products": codes("inventory_product"), "customers": codes("orders_customer")}
    price_company(
        company,
        entities,
        ids=ids,
        starts=today - timedelta(days=400),
        today=today,
        now=opened,
    )
    _sellers(company, entities, opened)
    count_rows()
    _stock(company, entities, Random(seed + 1), opened)  # noqa: S311
    return entities


def _entity(each: DemoEntity, at: datetime) -> Entity:
    entity = create_entity(
        code=each.code,
        name=each.name,
        currency=each.currency,
        country=each.country,
        time_zone=each.time_zone,
    )
    open_books(entity_id=entity.pk, now=at)
    return entity


def _people(entities: list[Entity]) -> None:
    password = make_password(PASSWORD)
    for role, (first, last) in PEOPLE.items():
        user = User.objects.filter(username=role.value).first() or create_user(
            username=role.value, password=password, first_name=first, last_name=last
        )
        for entity in entities:
            assign_role(user=user, entity=entity, role=role)
    if not User.objects.filter(username=ADMIN).exists():
        create_user(username=ADMIN, password=password, first_name="System", is_administrator=True)


def _nodes(company: Company, entities: dict[str, Entity], at: datetime) -> None:
    nodes = [
        NodeDraft(
            code=code,
            name=name,
            entity_id=entities[each.code].pk,
            country=each.country,
            city=city,
            time_zone=each.time_zone,
        )
        for each in company.entities
        for code, name, city in each.nodes
    ]
    upsert_nodes(drafts=nodes, actor=None, now=at)
    carriers = [
        CarrierDraft(
            code=code,
            name=name,
            currency="USD",
            base_rate=Decimal(base),
            rate_per_kg=Decimal(kg),
            transit_days=days,
        )
        for code, name, base, kg, days in CARRIERS
    ]
    upsert_carriers(drafts=carriers, actor=None, now=at)


def _goods(company: Company, at: datetime) -> None:
    goods = [
        ProductDraft(
            code=p.code,
            name=p.name,
            category=p.category,
            weight=p.weight,
            pack_note=f"case of {p.case}",
            uoms=(UomDraft(code="CASE", numerator=p.case),),
        )
        for p in company.products
    ]
    upsert_products(drafts=goods, actor=None, now=at)


def _buyers(company: Company, entities: dict[str, Entity], at: datetime) -> None:
    customers = [
        CustomerRow(
            code=c.code,
            name=c.name,
            tier=c.tier,
            country=c.entity.country,
            city=c.city,
            region=c.region,
            postal_code=c.postal_code,
            address=f"{10 + n % 90} Market Street",
            contact="Purchasing",
            email=f"orders@{c.code.lower()}.example",
            ship_complete=n % 25 == 0,
        )
        for n, c in enumerate(company.customers)
    ]
    upsert_customers(rows=customers, actor=None, now=at)
    ids = codes("orders_customer")
    accounts = [
        AccountRow(
            entity_id=entities[c.entity.code].pk,
            customer_id=ids[c.code],
            currency=c.entity.currency,
            credit_limit=c.limit,
            terms_days=TERMS[c.tier],
            penalty_rate=PENALTIES[c.tier],
        )
        for c in company.customers
    ]
    upsert_accounts(rows=accounts, actor=None, now=at)


def _prices(company: Company, entities: dict[str, Entity], valid_from: date, at: datetime) -> None:
    products, customers = codes("inventory_product"), codes("orders_customer")
    by_code = {p.code: p for p in company.products}
    prices = []
    for each in company.entities:
        shared: dict[str, Any] = {
            "entity_id": entities[each.code].pk,
            "currency": each.currency,
            "valid_from": valid_from,
        }
        for p in company.products:
            price = local(p.price, each)
            prices.append(PriceRow(product_id=products[p.code], unit_price=price, **shared))
            prices.append(
                PriceRow(
                    product_id=products[p.code],
                    min_quantity=Decimal(p.case * 10),
                    unit_price=(price * Decimal("0.95")).quantize(CENT),
                    **shared,
                )
            )
        prices += [
            PriceRow(
                product_id=products[code],
                customer_id=customers[c.code],
                unit_price=(local(by_code[code].price, each) * (1 - off)).quantize(CENT),
                **shared,
            )
            for c in company.customers
            if c.entity is each
            for code, off in c.contracts
        ]
    upsert_prices(rows=prices, actor=None, now=at)


def _sellers(company: Company, entities: dict[str, Entity], at: datetime) -> None:
    suppliers = [
        SupplierRow(
            code=s.code, name=s.name, country=s.country, email=f"sales@{s.code.lower()}.example"
        )
        for s in company.suppliers
    ]
    upsert_suppliers(suppliers=suppliers)
    sellers, products = codes("procurement_supplier"), codes("inventory_product")
    by_code = {p.code: p for p in company.products}
    seen: set[str] = set()
    offers = []
    for supplier in company.suppliers:
        for code in supplier.products:
            rank = 2 if code in seen else 1
            seen.add(code)
            product = by_code[code]
            offers += [
                OfferRow(
                    entity_id=entities[each.code].pk,
                    supplier_id=sellers[supplier.code],
                    product_id=products[code],
                    currency=each.currency,
                    unit_price=local(product.cost, each),
                    moq=Decimal(product.case * 2),
                    multiple=Decimal(product.case),
                    lead_time_days=supplier.lead_time_days,
                    rank=rank,
                )
                for each in company.entities
            ]
    upsert_offers(offers=offers)


def _stock(company: Company, entities: dict[str, Entity], random: Random, at: datetime) -> None:
    products, nodes = codes("inventory_product"), codes("inventory_node")
    adjustments, rules = [], []
    for each in company.entities:
        for number, (node, _, _) in enumerate(each.nodes):
            kept = [p for p in company.products if number == 0 or random.random() < KEPT_ELSEWHERE]
            for p in kept:
                quantity, point = _cover(p, random)
                key: dict[str, Any] = {
                    "entity_id": entities[each.code].pk,
                    "node_id": nodes[node],
                    "product_id": products[p.code],
                }
                adjustments.append(
                    StockAdjustment(
                        **key,
                        quantity=Decimal(quantity),
                        unit_value=local(p.cost, each),
                        reason="opening stock",
                    )
                )
                rules.append(
                    RuleRow(
                        **key, reorder_point=Decimal(point), order_up_to=Decimal(point + 8 * p.case)
                    )
                )
    adjust_stock(adjustments=adjustments, kind="opening", actor=None, now=at)
    upsert_rules(rules=rules)


def _cover(product: DemoProduct, random: Random) -> tuple[int, int]:
    """Return what lies at a node at the start and the reorder point, in base units."""
    fast = round(260 * product.demand)
    return product.case * random.randint(3, 9) + fast, product.case + fast // 4


def local(dollars: Decimal, entity: DemoEntity) -> Decimal:
    """Return a made-up US price in the entity's currency, half up to the cent."""
    return (dollars * entity.rate).quantize(CENT)


def count_rows() -> None:
    """Let the planner know how large the tables are: nobody else sees them before the commit."""
    run("ANALYZE")


def codes(table: str) -> dict[str, int]:
    """Return the id of every code of a master-data table."""
    return dict(rows(f"SELECT code, id FROM {table}"))  # noqa: S608  a table of ours
