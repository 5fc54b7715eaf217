"""Puts shipments into cartons."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """A shipment that was packed, in cartons of these weights (kg); none named means one carton."""

    shipment_id: int
    cartons: Sequence[Decimal] = ()
