"""Master data as it should be."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import time
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class UomDraft:
    """One unit of `code` holds `numerator / denominator` base units."""

    code: str
    numerator: int
    denominator: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductDraft:
    """A product as it should be; `weight` is kilograms per base unit. `uoms` None leaves them.

    So does None of what concerns exports: `controlled_share` is a share of one. And of what one
    order line may be: at least `order_min`, a whole number of `order_multiple`, in base units.
    """

    code: str
    name: str
    base_uom: str = "EA"
    category: str = ""
    tracking: str = "none"
    weight: Decimal = Decimal(0)
    barcode: str = ""
    pack_note: str = ""
    is_blocked: bool = False
    is_discontinued: bool = False
    export_code: str | None = None
    hazmat_class: str | None = None
    licence_required: bool | None = None
    controlled_share: Decimal | None = None
    order_min: Decimal | None = None
    order_multiple: Decimal | None = None
    uoms: Sequence[UomDraft] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeDraft:
    """A node as it should be. `cutoff` is local time of `time_zone`.

    `lines_per_day` it can pick; none: as many as come.
    """

    code: str
    name: str
    entity_id: int
    country: str
    city: str = ""
    region: str = ""
    time_zone: str = "UTC"
    cutoff: time = time(15)
    handling_days: int = 1
    is_active: bool = True
    lines_per_day: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CarrierDraft:
    """A carrier as it should be. Rates are in `currency`."""

    code: str
    name: str
    currency: str
    base_rate: Decimal = Decimal(0)
    rate_per_kg: Decimal = Decimal(0)
    transit_days: int = 2
    phone: str = ""
    is_active: bool = True
