"""Takes goods into stock."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingLine:
    """So many base units of a product, worth `value` in the entity's currency, whole cents."""

    source_line_id: int
    product_id: int
    quantity: Decimal
    value: Decimal
    status: str = "available"


@dataclass(frozen=True, slots=True)
class ReceivedLine:
    """One line of a receipt."""

    id: int
    source_line_id: int
    product_id: int
    quantity: Decimal
    value: Decimal


@dataclass(frozen=True, slots=True)
class ReceivedGoods:
    """A receipt as it was posted."""

    receipt_id: int
    number: str
    lines: Sequence[ReceivedLine]
