"""Facts of lots and of what is kept for a while. Quantities are decimals as text, in base units."""

from dataclasses import dataclass
from typing import ClassVar

from erp.kernel.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class LotBlocked(Event):
    """A lot was stopped. Told to each owner and node where some of it lies."""

    name: ClassVar[str] = "inventory.lot_blocked"
    lot_id: int
    product_id: int
    code: str
    entity_id: int
    node_id: int
    on_hand: str
    reserved: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LotExpiring(Event):
    """A lot will expire soon. Told once to each owner and node where some of it lies.

    `reserved` of `on_hand` is promised; `value` is what it is worth, in the owner's currency.
    """

    name: ClassVar[str] = "inventory.lot_expiring"
    lot_id: int
    product_id: int
    code: str
    expires_on: str
    entity_id: int
    node_id: int
    on_hand: str
    reserved: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LotExpired(Event):
    """A lot expired: nothing of it is promised any more. Told once to each owner and node.

    `reserved` of `on_hand` was promised before; `value` is in the owner's currency.
    """

    name: ClassVar[str] = "inventory.lot_expired"
    lot_id: int
    product_id: int
    code: str
    expires_on: str
    entity_id: int
    node_id: int
    on_hand: str
    reserved: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReservationsExpired(Event):
    """What was kept for a while was given back. `demand_ids` are separated by commas."""

    name: ClassVar[str] = "inventory.reservations_expired"
    entity_id: int
    demand_kind: str
    demand_ids: str
