"""Gives the demo company groups, named lists and promotions. Set-based, no chance in it."""

from datetime import date, datetime, timedelta
from decimal import Decimal

from erp.accounts.models import Entity
from erp.web.demo.company import CENT, Company, DemoEntity
from orders.services import (
    GroupRow,
    PartNumberRow,
    PriceListRow,
    PriceRow,
    PromotionRow,
    save_price_masters,
    upsert_prices,
)

GROUPS = {
    "HEALTH": ("Health care", ("Medical", "Clinics", "Hospital Group", "Labs")),
    "TRADE": ("Trade", ("Retail", "Supply", "Outfitters")),
    "BUILD": ("Builders' trade", ("Builders", "Hardware", "Works")),
}
LISTED = 12  # products on the builders' list of each entity
GROUPED = 6  # products with a contract of the health group
NUMBERED = 5  # products that some customers know by their own number


def price_company(
    company: Company,
    entities: dict[str, Entity],
    *,
    ids: dict[str, dict[str, int]],
    starts: date,
    today: date,
    now: datetime,
) -> None:
    """Write groups with their members, a list and promotions of each entity, and part numbers.

    `ids` are those of products and customers by code. The promotions began eighteen days ago.
    """
    products, customers = ids["products"], ids["customers"]
    groups: dict[str, int] = {}
    for code, (name, words) in GROUPS.items():
        members = [customers[c.code] for c in company.customers if c.name.endswith(words)]
        parent = groups["TRADE"] if code == "BUILD" else None
        rows = [GroupRow(code=code, name=name, parent_id=parent, members=members)]
        (groups[code],) = save_price_masters(rows=rows, actor=None, now=now)
    prices = []
    for each in company.entities:
        entity = entities[each.code]
        held = PriceListRow(
            entity_id=entity.pk,
            code=f"BUILD-{each.code}",
            name=f"Builders, {each.name}",
            currency=each.currency,
            groups=[groups["BUILD"]],
        )
        (price_list,) = save_price_masters(rows=[held], actor=None, now=now)
        fasteners = [p for p in company.products if p.category in {"Fasteners", "Tools"}]
        gloves = [p for p in company.products if p.category in {"Gloves", "Drapes"}]
        for goods, off, owner in (
            (fasteners[:LISTED], "0.94", (None, price_list)),
            (gloves[:GROUPED], "0.92", (groups["HEALTH"], None)),
        ):
            prices += [
                PriceRow(
                    entity_id=entity.pk,
                    product_id=products[p.code],
                    currency=each.currency,
                    unit_price=(p.price * each.rate * Decimal(off)).quantize(CENT),
                    valid_from=starts,
                    group_id=owner[0],
                    price_list_id=owner[1],
                )
                for p in goods
            ]
    upsert_prices(rows=prices, actor=None, now=now)
    promotions = [row for each in company.entities for row in _running(each, entities, today)]
    numbers = [
        PartNumberRow(
            customer_id=customers[c.code], code=f"{c.code}-{n:03d}", product_id=products[p.code]
        )
        for c in company.customers
        if c.tier == "A"
        for n, p in enumerate(company.products[:NUMBERED], 1)
    ]
    save_price_masters(rows=[*promotions, *numbers], actor=None, now=now)


def _running(each: DemoEntity, entities: dict[str, Entity], today: date) -> list[PromotionRow]:
    """Return the promotions of one entity: a category for three weeks more, and one to come."""
    entity_id = entities[each.code].pk
    return [
        PromotionRow(
            entity_id=entity_id,
            code="CLEAN-5",
            name="Cleaning weeks",
            kind="percent",
            percent=Decimal("0.05"),
            category="Cleaning",
            stack="SEASON",
            valid_from=today - timedelta(days=18),
            valid_until=today + timedelta(days=21),
        ),
        PromotionRow(
            entity_id=entity_id,
            code="PACK-100",
            name="Packaging by the hundred",
            kind="percent",
            percent=Decimal("0.03"),
            category="Packaging",
            min_quantity=Decimal(100),
            stack="SEASON",
            valid_from=today - timedelta(days=18),
        ),
        PromotionRow(
            entity_id=entity_id,
            code="SPRING",
            name="Spring gloves",
            kind="percent",
            percent=Decimal("0.08"),
            category="Gloves",
            valid_from=today + timedelta(days=30),
            valid_until=today + timedelta(days=60),
        ),
    ]
