"""Keeps master data: products, nodes and carriers, one or thousands at a time."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db import transaction

from erp.governance.services import Change, record
from erp.kernel.errors import DomainError
from erp.kernel.quantity import QUANTITY_MAX
from erp.kernel.sql import rows, run
from inventory.models import Product
from inventory.services._drafting import CarrierDraft, NodeDraft, ProductDraft

if TYPE_CHECKING:
    from erp.accounts.models import User

WEIGHT_MAX = Decimal(10**8)
RATE_MAX = Decimal(10**15)
RATIO_MAX = 2**31


class BadMasterData(DomainError):
    """A field of one of the rows cannot be kept; `errors` says which, for programs."""

    code: ClassVar[str] = "bad_master_data"

    def __init__(self, place: int, field: str, sentence: str) -> None:
        super().__init__(f"{field}: {sentence}")
        self.place, self.field = place, field
        self.errors = [{"field": field, "code": "invalid", "message": sentence}]


Draft = TypeVar("Draft", ProductDraft, NodeDraft, CarrierDraft)

PRODUCTS = """
    INSERT INTO inventory_product AS kept (code, name, base_uom, category, tracking, weight,
        barcode, pack_note, is_blocked, is_discontinued, export_code, hazmat_class,
        licence_required, controlled_share, order_min, order_multiple, created_at)
    SELECT d.code, d.name, d.base_uom, d.category, d.tracking, d.weight, d.barcode, d.pack_note,
        d.is_blocked, d.is_discontinued, coalesce(d.export_code, p.export_code, ''),
        coalesce(d.hazmat_class, p.hazmat_class, ''),
        coalesce(d.licence_required, p.licence_required, false),
        coalesce(d.controlled_share, p.controlled_share, 1), coalesce(d.order_min, p.order_min, 0),
        coalesce(d.order_multiple, p.order_multiple, 0), %(now)s
    FROM unnest(%(code)s::text[], %(name)s::text[], %(base_uom)s::text[],
        %(category)s::text[], %(tracking)s::text[], %(weight)s::numeric[], %(barcode)s::text[],
        %(pack_note)s::text[], %(is_blocked)s::boolean[], %(is_discontinued)s::boolean[],
        %(export_code)s::text[], %(hazmat_class)s::text[], %(licence_required)s::boolean[],
        %(controlled_share)s::numeric[], %(order_min)s::numeric[], %(order_multiple)s::numeric[]
    ) AS d (code, name, base_uom, category, tracking, weight, barcode, pack_note, is_blocked,
        is_discontinued, export_code, hazmat_class, licence_required, controlled_share, order_min,
        order_multiple)
    LEFT JOIN inventory_product p ON p.code = d.code
    ORDER BY d.code
    ON CONFLICT (code) DO UPDATE SET name = excluded.name, base_uom = excluded.base_uom,
        category = excluded.category, tracking = excluded.tracking, weight = excluded.weight,
        barcode = excluded.barcode, pack_note = excluded.pack_note,
        is_blocked = excluded.is_blocked, is_discontinued = excluded.is_discontinued,
        export_code = excluded.export_code, hazmat_class = excluded.hazmat_class,
        licence_required = excluded.licence_required, controlled_share = excluded.controlled_share,
        order_min = excluded.order_min, order_multiple = excluded.order_multiple
    WHERE (kept.name, kept.base_uom, kept.category, kept.tracking, kept.weight, kept.barcode,
            kept.pack_note, kept.is_blocked, kept.is_discontinued, kept.export_code,
            kept.hazmat_class, kept.licence_required, kept.controlled_share, kept.order_min,
            kept.order_multiple)
        IS DISTINCT FROM (excluded.name, excluded.base_uom, excluded.category, excluded.tracking,
            excluded.weight, excluded.barcode, excluded.pack_note, excluded.is_blocked,
            excluded.is_discontinued, excluded.export_code, excluded.hazmat_class,
            excluded.licence_required, excluded.controlled_share, excluded.order_min,
            excluded.order_multiple)
    RETURNING id, code, xmax = 0
"""

RECOUNTED = """
    SELECT p.code FROM unnest(%(codes)s::text[], %(units)s::text[]) AS d (code, base_uom)
    JOIN inventory_product p ON p.code = d.code AND p.base_uom <> d.base_uom
    WHERE EXISTS (SELECT FROM inventory_stockmove m WHERE m.product_id = p.id)
    LIMIT 1
"""

NODES = """
    INSERT INTO inventory_node AS kept (code, name, entity_id, country, city, region, time_zone,
        cutoff, handling_days, is_active, lines_per_day)
    SELECT * FROM unnest(%(code)s::text[], %(name)s::text[], %(entity_id)s::bigint[],
        %(country)s::text[], %(city)s::text[], %(region)s::text[], %(time_zone)s::text[],
        %(cutoff)s::time[], %(handling_days)s::int[], %(is_active)s::boolean[],
        %(lines_per_day)s::int[]
    ) AS d (code, name, entity_id, country, city, region, time_zone, cutoff, handling_days,
        is_active, lines_per_day)
    ORDER BY code
    ON CONFLICT (code) DO UPDATE SET name = excluded.name, entity_id = excluded.entity_id,
        country = excluded.country, city = excluded.city, region = excluded.region,
        time_zone = excluded.time_zone, cutoff = excluded.cutoff,
        handling_days = excluded.handling_days, is_active = excluded.is_active,
        lines_per_day = excluded.lines_per_day
    WHERE (kept.name, kept.entity_id, kept.country, kept.city, kept.region, kept.time_zone,
            kept.cutoff, kept.handling_days, kept.is_active, kept.lines_per_day)
        IS DISTINCT FROM (excluded.name, excluded.entity_id, excluded.country, excluded.city,
            excluded.region, excluded.time_zone, excluded.cutoff, excluded.handling_days,
            excluded.is_active, excluded.lines_per_day)
    RETURNING id, code, xmax = 0
"""

CARRIERS = """
    INSERT INTO inventory_carrier AS kept (code, name, currency, base_rate, rate_per_kg,
        transit_days, phone, is_active)
    SELECT * FROM unnest(%(code)s::text[], %(name)s::text[], %(currency)s::text[],
        %(base_rate)s::numeric[], %(rate_per_kg)s::numeric[], %(transit_days)s::int[],
        %(phone)s::text[], %(is_active)s::boolean[]
    ) AS d (code, name, currency, base_rate, rate_per_kg, transit_days, phone, is_active)
    ORDER BY code
    ON CONFLICT (code) DO UPDATE SET name = excluded.name, currency = excluded.currency,
        base_rate = excluded.base_rate, rate_per_kg = excluded.rate_per_kg,
        transit_days = excluded.transit_days, phone = excluded.phone,
        is_active = excluded.is_active
    WHERE (kept.name, kept.currency, kept.base_rate, kept.rate_per_kg, kept.transit_days,
            kept.phone, kept.is_active)
        IS DISTINCT FROM (excluded.name, excluded.currency, excluded.base_rate,
            excluded.rate_per_kg, excluded.transit_days, excluded.phone, excluded.is_active)
    RETURNING id, code, xmax = 0
"""

UOMS = """
    WITH wanted AS (
        SELECT p.id AS product_id, d.code, d.numerator, d.denominator
        FROM unnest(%(products)s::text[], %(codes)s::text[], %(numerators)s::bigint[],
            %(denominators)s::bigint[]) AS d (product, code, numerator, denominator)
        JOIN inventory_product p ON p.code = d.product
    ), dropped AS (
        DELETE FROM inventory_productuom u
        USING inventory_product p
        WHERE p.id = u.product_id AND p.code = ANY(%(all)s) AND NOT EXISTS (
            SELECT FROM wanted WHERE wanted.product_id = u.product_id AND wanted.code = u.code
        )
    )
    INSERT INTO inventory_productuom AS kept (product_id, code, numerator, denominator)
    SELECT * FROM wanted ORDER BY product_id, code
    ON CONFLICT (product_id, code) DO UPDATE
        SET numerator = excluded.numerator, denominator = excluded.denominator
        WHERE (kept.numerator, kept.denominator)
            IS DISTINCT FROM (excluded.numerator, excluded.denominator)
"""


@transaction.atomic
def upsert_products(
    *, drafts: Sequence[ProductDraft], actor: "User | None", now: datetime
) -> dict[str, int]:
    """Add or change products by code, all or none; return every code's id.

    A few statements for thousands. What is as it should be is left alone and not audited. The last
    of several drafts of one code counts.

    Raises:
        BadMasterData: a field of one of them cannot be kept.
    """
    _check(drafts, _product_faults)
    latest = {draft.code: draft for draft in drafts}
    _refuse_another_unit(drafts)
    _write(PRODUCTS, "inventory.product", latest, actor, now)
    told = {code: draft.uoms for code, draft in latest.items() if draft.uoms is not None}
    if told:
        units = [(code, uom) for code, uoms in told.items() for uom in uoms]
        params = {
            "all": list(told),
            "products": [code for code, _ in units],
            "codes": [uom.code for _, uom in units],
            "numerators": [uom.numerator for _, uom in units],
            "denominators": [uom.denominator for _, uom in units],
        }
        run(UOMS, params)
    return dict(rows("SELECT code, id FROM inventory_product WHERE code = ANY(%s)", [[*latest]]))


@transaction.atomic
def save_product(*, draft: ProductDraft, actor: "User | None", now: datetime) -> int:
    """Add or change one product by code; return its id.

    Raises:
        BadMasterData: one of its fields cannot be kept.
    """
    return upsert_products(drafts=[draft], actor=actor, now=now)[draft.code]


@transaction.atomic
def upsert_nodes(
    *, drafts: Sequence[NodeDraft], actor: "User | None", now: datetime
) -> dict[str, int]:
    """Add or change nodes by code, all or none; return every code's id.

    Raises:
        BadMasterData: a field of one of them cannot be kept.
    """
    _check(drafts, _node_faults)
    latest = {draft.code: draft for draft in drafts}
    _write(NODES, "inventory.node", latest, actor, now)
    return dict(rows("SELECT code, id FROM inventory_node WHERE code = ANY(%s)", [[*latest]]))


@transaction.atomic
def save_node(*, draft: NodeDraft, actor: "User | None", now: datetime) -> int:
    """Add or change one node by code; return its id.

    Raises:
        BadMasterData: one of its fields cannot be kept.
    """
    return upsert_nodes(drafts=[draft], actor=actor, now=now)[draft.code]


@transaction.atomic
def upsert_carriers(
    *, drafts: Sequence[CarrierDraft], actor: "User | None", now: datetime
) -> dict[str, int]:
    """Add or change carriers by code, all or none; return every code's id.

    Raises:
        BadMasterData: a field of one of them cannot be kept.
    """
    _check(drafts, _carrier_faults)
    latest = {draft.code: draft for draft in drafts}
    _write(CARRIERS, "inventory.carrier", latest, actor, now)
    return dict(rows("SELECT code, id FROM inventory_carrier WHERE code = ANY(%s)", [[*latest]]))


@transaction.atomic
def save_carrier(*, draft: CarrierDraft, actor: "User | None", now: datetime) -> int:
    """Add or change one carrier by code; return its id.

    Raises:
        BadMasterData: one of its fields cannot be kept.
    """
    return upsert_carriers(drafts=[draft], actor=actor, now=now)[draft.code]


def _refuse_another_unit(drafts: Sequence[ProductDraft]) -> None:
    """Refuse to count a product in another unit once it has ever moved."""
    params = {"codes": [d.code for d in drafts], "units": [d.base_uom for d in drafts]}
    for code in [row[0] for row in rows(RECOUNTED, params)]:
        place = next(place for place, draft in enumerate(drafts) if draft.code == code)
        raise BadMasterData(place, "base_uom", f"{code} has stock history in its present unit.")


def _write(
    statement: str,
    kind: str,
    latest: Mapping[str, Draft],
    actor: "User | None",
    now: datetime,
) -> None:
    """Write what differs, and audit it."""
    if not latest:
        return
    drafts = list(latest.values())
    names = [field.name for field in fields(drafts[0]) if field.name != "uoms"]
    columns = {name: [getattr(draft, name) for draft in drafts] for name in names}
    changes = [
        Change(
            entity_id=getattr(latest[code], "entity_id", None),
            action="inventory.add" if is_new else "inventory.change",
            subject_kind=kind,
            subject_id=row_id,
            thread=f"{kind}:{row_id}",
            after=_told(latest[code], names),
        )
        for row_id, code, is_new in rows(statement, {**columns, "now": now})
    ]
    record(changes=changes, actor=actor, now=now)


def _told(draft: Any, names: Sequence[str]) -> dict[str, Any]:
    """Return what a draft says; what it leaves as it was is not said."""
    values = {name: getattr(draft, name) for name in names}
    return {
        name: value.isoformat("minutes") if isinstance(value, time) else value
        for name, value in values.items()
        if value is not None
    }


Faults = Iterator[tuple[str, str]]  # field, sentence


def _check(drafts: Sequence[Draft], faults: Callable[[Draft], Faults]) -> None:
    for place, draft in enumerate(drafts):
        for field, sentence in faults(draft):
            raise BadMasterData(place, field, sentence)


def _text_faults(draft: Any, limits: Mapping[str, int], needed: Sequence[str]) -> Faults:
    for name, limit in limits.items():
        value = getattr(draft, name) or ""
        if name in needed and not value.strip():
            yield name, "It cannot be empty."
        if len(value) > limit:
            yield name, f"It has more than {limit} characters."
        if "\0" in value:
            yield name, "It holds a character that cannot be stored."


def _product_faults(draft: ProductDraft) -> Faults:
    limits = {
        "code": 40, "name": 200, "base_uom": 10, "category": 100, "barcode": 20, "pack_note": 100,
        "export_code": 20, "hazmat_class": 10,
    }  # fmt: skip
    yield from _text_faults(draft, limits, ("code", "name", "base_uom"))
    if draft.tracking not in Product.Tracking.values:
        yield "tracking", "It is none, lot or serial."
    if not (draft.weight.is_finite() and 0 <= draft.weight < WEIGHT_MAX):
        yield "weight", "It is kilograms, zero or more."
    share = draft.controlled_share
    if share is not None and not (share.is_finite() and 0 <= share <= 1):
        yield "controlled_share", "It is a share, from 0 to 1."
    for name in ("order_min", "order_multiple"):
        rule = getattr(draft, name)
        if rule is not None and not (rule.is_finite() and 0 <= rule <= QUANTITY_MAX):
            yield name, "It is zero or more, in base units."
    for uom in draft.uoms or ():
        yield from _text_faults(uom, {"code": 10}, ("code",))
        if not (0 < uom.numerator < RATIO_MAX and 0 < uom.denominator < RATIO_MAX):
            yield "uoms", f"{uom.code} holds more than nothing, as a ratio of whole numbers."
    codes = [uom.code for uom in draft.uoms or ()]
    if len(set(codes)) < len(codes):
        yield "uoms", "A unit is named twice."


def _node_faults(draft: NodeDraft) -> Faults:
    limits = {"code": 20, "name": 200, "country": 2, "city": 100, "region": 100}
    yield from _text_faults(draft, limits, ("code", "name", "country"))
    try:
        ZoneInfo(draft.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        yield "time_zone", "It is the name of a zone, such as Europe/Berlin."
    if not 0 <= draft.handling_days <= 365:  # noqa: PLR2004  a year
        yield "handling_days", "It is between 0 and 365."
    if draft.lines_per_day is not None and not 0 <= draft.lines_per_day < RATIO_MAX:
        yield "lines_per_day", "It is a whole number, zero or more."


def _carrier_faults(draft: CarrierDraft) -> Faults:
    limits = {"code": 20, "name": 200, "currency": 3, "phone": 40}
    yield from _text_faults(draft, limits, ("code", "name", "currency"))
    for name in ("base_rate", "rate_per_kg"):
        value = getattr(draft, name)
        if not (value.is_finite() and 0 <= value < RATE_MAX):
            yield name, "It is an amount, zero or more."
    if not 0 <= draft.transit_days <= 365:  # noqa: PLR2004  a year
        yield "transit_days", "It is between 0 and 365."
