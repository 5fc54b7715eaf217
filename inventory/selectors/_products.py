"""Products as people look for them and look at them."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal

from erp.kernel.sql import records, rows
from inventory.selectors._stock import StockRow, patterns, stock_rows

SEARCH = """
    SELECT id, code, name, base_uom AS uom, is_blocked, is_discontinued
    FROM inventory_product
    WHERE upper(code) LIKE %(starts)s OR name ILIKE %(holds)s OR barcode = %(text)s
    ORDER BY upper(code) LIKE %(starts)s DESC, code
    LIMIT %(limit)s
"""

PRODUCTS = """
    SELECT p.id, p.code, p.name, p.base_uom AS uom, p.category, p.is_blocked, p.is_discontinued,
        coalesce(s.on_hand, 0) AS on_hand, coalesce(s.reserved, 0) AS reserved,
        coalesce(s.available, 0) AS available, coalesce(s.nodes, 0) AS nodes
    FROM inventory_product p
    LEFT JOIN LATERAL (
        SELECT sum(on_hand) AS on_hand, sum(reserved) AS reserved,
            sum(on_hand - reserved) FILTER (
                WHERE status = 'available' AND NOT is_barred
            ) AS available,
            count(DISTINCT node_id) FILTER (WHERE on_hand > 0) AS nodes
        FROM inventory_stock WHERE product_id = p.id AND entity_id = ANY(%(entities)s)
    ) s ON true
    WHERE p.code > %(after)s {narrowed}
    ORDER BY p.code
    LIMIT %(limit)s
"""

NARROWED = {
    "text": "AND (upper(p.code) LIKE %(starts)s OR p.name ILIKE %(holds)s OR p.barcode = %(text)s)",
    "category": "AND p.category = %(category)s",
    "sold": "AND NOT p.is_blocked",
    "blocked": "AND p.is_blocked",
    "discontinued": "AND p.is_discontinued",
}

PRODUCT = """
    SELECT id, code, name, base_uom AS uom, category, tracking, weight, barcode, pack_note,
        is_blocked, is_discontinued, export_code, hazmat_class, licence_required, controlled_share
    FROM inventory_product WHERE code = %s
"""

UOMS = """
    SELECT product_id, code, numerator, denominator FROM inventory_productuom
    WHERE product_id = ANY(%s) ORDER BY product_id, numerator::numeric / denominator, code
"""

COSTS = """
    SELECT e.code, e.currency, c.quantity, c.value
    FROM inventory_productcost c JOIN accounts_entity e ON e.id = c.entity_id
    WHERE c.product_id = %(product)s AND c.entity_id = ANY(%(entities)s)
    ORDER BY e.code
"""


@dataclass(frozen=True, slots=True)
class ProductHit:
    """A product as a search field offers it."""

    id: int
    code: str
    name: str
    uom: str
    is_blocked: bool
    is_discontinued: bool


@dataclass(frozen=True, slots=True)
class ProductRow:
    """One line of the product list; quantities are the entities' own, in base units."""

    id: int
    code: str
    name: str
    uom: str
    category: str
    is_blocked: bool
    is_discontinued: bool
    on_hand: Decimal
    reserved: Decimal
    available: Decimal
    nodes: int


@dataclass(frozen=True, slots=True)
class UomRow:
    """One unit holds `numerator / denominator` base units."""

    code: str
    numerator: int
    denominator: int


@dataclass(frozen=True, slots=True)
class CostRow:
    """What one company owns of a product: base units and their value in `currency`."""

    entity: str
    currency: str
    quantity: Decimal
    value: Decimal

    @property
    def average(self) -> Decimal | None:
        """The moving average of one base unit, unrounded; None of nothing."""
        return self.value / self.quantity if self.quantity else None


@dataclass(frozen=True, slots=True)
class ProductPage:
    """A product with its balances and costs. `weight` is kilograms per base unit."""

    id: int
    code: str
    name: str
    uom: str
    category: str
    tracking: str
    weight: Decimal
    barcode: str
    pack_note: str
    is_blocked: bool
    is_discontinued: bool
    export_code: str
    hazmat_class: str
    licence_required: bool
    controlled_share: Decimal
    uoms: Sequence[UomRow]
    stock: Sequence[StockRow]
    costs: Sequence[CostRow]

    @property
    def on_hand(self) -> Decimal:
        return sum((row.on_hand for row in self.stock), Decimal(0))

    @property
    def reserved(self) -> Decimal:
        return sum((row.reserved for row in self.stock), Decimal(0))

    @property
    def available(self) -> Decimal:
        free = (row.available for row in self.stock if row.status == "available")
        return sum(free, Decimal(0))


def product_search(*, text: str, limit: int = 10) -> list[ProductHit]:
    """Return the products whose code begins so, whose name holds it, or whose barcode it is."""
    if not text.strip() or "\0" in text:
        return []
    params = {**patterns(text.strip()), "text": text.strip(), "limit": limit}
    return [ProductHit(**row) for row in records(SEARCH, params)]


def products(
    *,
    entity_ids: Collection[int],
    text: str = "",
    category: str = "",
    shown: str = "",
    after: str = "",
    limit: int = 100,
) -> list[ProductRow]:
    """Return products by code with what the entities have of them, `after` a code. One query."""
    narrowed = [
        NARROWED[name]
        for name, value in (("text", text), ("category", category), (shown, shown in NARROWED))
        if value
    ]
    params = {
        "entities": sorted(entity_ids),
        **patterns(text),
        "text": text,
        "category": category,
        "after": after,
        "limit": limit,
    }
    statement = PRODUCTS.format(narrowed=" ".join(narrowed))
    return [ProductRow(**row) for row in records(statement, params)]


def product_page(*, code: str, entity_ids: Collection[int]) -> ProductPage | None:
    """Return one product with what the entities have of it; None if there is none. Four queries."""
    found = records(PRODUCT, [code])
    if not found:
        return None
    (head,) = found
    owned = rows(COSTS, {"product": head["id"], "entities": sorted(entity_ids)})
    return ProductPage(
        **head,
        uoms=uoms_of(product_ids=[head["id"]]).get(head["id"], []),
        stock=stock_rows(entity_ids=entity_ids, product=code, limit=1_000),
        costs=[CostRow(*row) for row in owned],
    )


def uoms_of(*, product_ids: Collection[int]) -> dict[int, list[UomRow]]:
    """Return the units of each product besides its base unit, the smallest first. One query."""
    units: dict[int, list[UomRow]] = defaultdict(list)
    for product_id, *unit in rows(UOMS, [list(product_ids)]):
        units[product_id].append(UomRow(*unit))
    return dict(units)
