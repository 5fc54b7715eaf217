"""What is valuable, steady, old, slow or too much: usage turned into classes and figures."""

from collections import Counter, defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from erp.governance.services import Question, ask_policy
from erp.kernel.sql import rows
from inventory.rules import Aged, abc_classes, aged, excess_of, xyz_class

WEEKS = 26
YEAR = 365
BANDS = [(30, "to 30 days"), (60, "31 to 60"), (90, "61 to 90"), (180, "91 to 180")]
OLDEST = "over 180 days"

# What left for customers and sister companies, by week back from now; what it cost in a year.
USAGE = """
    SELECT m.product_id, -sum(m.value), array_agg(floor(extract(epoch FROM %(now)s - m.at)
        / 604800)::int), array_agg(-m.quantity), max(m.at)
    FROM inventory_stockmove m
    WHERE m.entity_id = %(entity)s AND m.at > %(since)s AND m.at <= %(now)s AND m.quantity < 0
        AND (m.kind = 'shipment' OR m.kind = 'transfer' AND m.value < 0)
    GROUP BY m.product_id
"""

OWNED = """
    SELECT c.product_id, p.code, p.name, p.base_uom, c.quantity, c.value
    FROM inventory_productcost c JOIN inventory_product p ON p.id = c.product_id
    WHERE c.entity_id = %(entity)s AND c.quantity > 0
    ORDER BY p.code
"""

# What came into a company, as a company: moves within it cancel out by their cause.
ARRIVALS = """
    SELECT product_id, days, sum(quantity)
    FROM (
        SELECT m.product_id, floor(extract(epoch FROM %(now)s - m.at) / 86400)::int AS days,
            sum(m.quantity) AS quantity
        FROM inventory_stockmove m
        JOIN inventory_productcost c ON c.product_id = m.product_id
            AND c.entity_id = m.entity_id AND c.quantity > 0
        WHERE m.entity_id = %(entity)s AND m.at <= %(now)s
            AND m.kind NOT IN ('status')
        GROUP BY m.product_id, days, m.cause_kind, m.cause_id
        HAVING sum(m.quantity) > 0
    ) came
    GROUP BY product_id, days
"""

LAST_LEFT = """
    SELECT m.product_id, max(m.at) FROM inventory_stockmove m
    WHERE m.entity_id = %(entity)s AND m.quantity < 0 AND m.kind = 'shipment'
    GROUP BY m.product_id
"""


@dataclass(frozen=True, slots=True)
class Limits:
    """Where classes begin, as the policy `inventory.classes` says for a company."""

    a_share: Decimal
    b_share: Decimal
    x_cv: Decimal
    y_cv: Decimal
    slow_days: int
    excess_days: int
    low_days: int
    keep_days: int
    fill_days: int


@dataclass(frozen=True, slots=True)
class ProductClass:
    """A product's class by the value of a year's usage, and by how steady its weeks are.

    `daily` is what left a day over the last 26 weeks, in base units; `used` what a year cost.
    """

    abc: str
    xyz: str
    daily: Decimal
    used: Decimal
    last_at: datetime | None


@dataclass(frozen=True, slots=True)
class HealthRow:
    """One product that a company owns: how old it is, how long it lasts, what is too much.

    Quantities in base units, values in `currency` at average cost. `cover` is days, None: for ever;
    `age` the mean age in days of what is known, `idle` days since something left (None: never).
    """

    product: str
    name: str
    uom: str
    quantity: Decimal
    value: Decimal
    abc: str
    xyz: str
    cover: Decimal | None
    age: int | None
    idle: int | None
    excess: Decimal
    excess_value: Decimal
    is_slow: bool


@dataclass(frozen=True, slots=True)
class AgeBand:
    """What is of one age, in the company's currency."""

    label: str
    value: Decimal


@dataclass(frozen=True, slots=True)
class Health:
    """A company's stock at a glance. `matrix` is the value by class ("AX" to "CZ")."""

    currency: str
    value: Decimal
    excess_value: Decimal
    slow_value: Decimal
    slow_count: int
    ages: list[AgeBand]
    matrix: dict[str, Decimal]
    counts: dict[str, int]
    rows: list[HealthRow]


def class_limits(*, entity_id: int, now: datetime) -> Limits:
    """Return where classes begin for a company."""
    question = Question(entity_id, "accounts.entity", entity_id, {"entity": _code(entity_id)})
    said = ask_policy(policy="inventory.classes", questions=[question], now=now)[0].decision.outcome
    return Limits(
        a_share=Decimal(str(said["a_share"])),
        b_share=Decimal(str(said["b_share"])),
        x_cv=Decimal(str(said["x_cv"])),
        y_cv=Decimal(str(said["y_cv"])),
        slow_days=int(said["slow_days"]),
        excess_days=int(said["excess_days"]),
        low_days=int(said["low_days"]),
        keep_days=int(said["keep_days"]),
        fill_days=int(said["fill_days"]),
    )


def classes_of(*, entity_id: int, now: datetime) -> dict[int, ProductClass]:
    """Return the classes of what a company used within a year or owns, by product id. 4 queries."""
    limits = class_limits(entity_id=entity_id, now=now)
    return _classes(entity_id, limits, now, [row[0] for row in rows(OWNED, {"entity": entity_id})])


def _classes(
    entity_id: int, limits: Limits, now: datetime, owned: Collection[int]
) -> dict[int, ProductClass]:
    params = {"entity": entity_id, "now": now, "since": now - timedelta(days=YEAR)}
    found = {row[0]: row[1:] for row in rows(USAGE, params)}
    used = {product_id: Decimal(found[product_id][0]) for product_id in found}
    abc = abc_classes(
        dict.fromkeys(owned, Decimal(0)) | used, a_share=limits.a_share, b_share=limits.b_share
    )
    classes = {}
    for product_id, letter in abc.items():
        _value, back, quantities, last = found.get(product_id, (0, [], [], None))
        weeks = [Decimal(0)] * WEEKS
        for week, quantity in zip(back, quantities, strict=True):
            if week < WEEKS:
                weeks[week] += quantity
        classes[product_id] = ProductClass(
            letter,
            xyz_class(weeks, x_cv=limits.x_cv, y_cv=limits.y_cv),
            sum(weeks, Decimal(0)) / (WEEKS * 7),
            used.get(product_id, Decimal(0)),
            last,
        )
    return classes


def inventory_health(*, entity_id: int, now: datetime) -> Health:
    """Return how old, slow and excessive what a company owns is. Seven queries."""
    limits = class_limits(entity_id=entity_id, now=now)
    params = {"entity": entity_id, "now": now}
    owned = rows(OWNED, params)
    classes = _classes(entity_id, limits, now, [row[0] for row in owned])
    arrivals: dict[int, list[tuple[int, Decimal]]] = defaultdict(list)
    for product_id, days, quantity in rows(ARRIVALS, params):
        arrivals[product_id].append((days, quantity))
    left = dict(rows(LAST_LEFT, params))
    bands: dict[str, Decimal] = dict.fromkeys([*(label for _, label in BANDS), OLDEST], Decimal(0))
    found = []
    for product_id, *shown in owned:
        ages = aged(shown[3], arrivals[product_id])
        for each in ages:
            bands[_band(each.days)] += shown[4] * each.quantity / shown[3]
        idle = (now - left[product_id]).days if product_id in left else None
        found.append(_row(shown, classes[product_id], ages, idle, limits))
    return _health(entity_id, found, bands)


def _row(
    shown: list[Any],
    of: ProductClass,
    ages: list[Aged],
    idle: int | None,
    limits: Limits,
) -> HealthRow:
    code, name, uom, quantity, value = shown
    excess = excess_of(quantity, of.daily, limits.excess_days)
    known = [(each.days, each.quantity) for each in ages if each.days is not None]
    dated = sum((amount for _, amount in known), Decimal(0))
    age = int(sum(days * amount for days, amount in known) / dated) if dated else None
    is_slow = (idle is None or idle >= limits.slow_days) and (age or 0) >= limits.slow_days
    return HealthRow(
        code, name, uom, quantity, value, of.abc, of.xyz,
        quantity / of.daily if of.daily else None,
        age, idle, round(excess, 3), round(value * excess / quantity, 2), is_slow,
    )  # fmt: skip


def _health(entity_id: int, found: list[HealthRow], bands: dict[str, Decimal]) -> Health:
    matrix: dict[str, Decimal] = defaultdict(Decimal)
    counts: Counter[str] = Counter()
    for row in found:
        matrix[row.abc + row.xyz] += row.value
        counts[row.abc + row.xyz] += 1
    slow = [row for row in found if row.is_slow]
    currency = rows("SELECT currency FROM accounts_entity WHERE id = %s", [entity_id])[0][0]
    return Health(
        currency,
        sum((row.value for row in found), Decimal(0)),
        sum((row.excess_value for row in found), Decimal(0)),
        sum((row.value for row in slow), Decimal(0)),
        len(slow),
        [AgeBand(label, round(value, 2)) for label, value in bands.items()],
        dict(matrix),
        dict(counts),
        sorted(found, key=lambda row: (-row.excess_value, row.product)),
    )


def _band(days: int | None) -> str:
    if days is None:
        return OLDEST
    return next((label for most, label in BANDS if days <= most), OLDEST)


def _code(entity_id: int) -> str:
    return str(rows("SELECT code FROM accounts_entity WHERE id = %s", [entity_id])[0][0])
