"""Facts of what is to come from elsewhere for demand that was short."""

from dataclasses import dataclass
from typing import ClassVar

from erp.kernel.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplyChosen(Event):
    """The policy lets something be asked for that a line needs. `mode` says how it comes."""

    name: ClassVar[str] = "inventory.supply_chosen"
    sourcing_id: int
    entity_id: int
    mode: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplyUnwanted(Event):
    """What was asked for is not waited for any more: who still can calls it off."""

    name: ClassVar[str] = "inventory.supply_unwanted"
    sourcing_id: int
    entity_id: int
    mode: str
    document_kind: str
    document_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplyAsked(Event):
    """Something was asked for that a demand needs, by the document `label`."""

    name: ClassVar[str] = "inventory.supply_asked"
    sourcing_id: int
    entity_id: int
    product_id: int
    demand_kind: str
    demand_id: int
    label: str
