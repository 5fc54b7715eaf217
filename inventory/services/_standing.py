"""Locks shipments, and tells what stands at which step."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from erp.governance.services import Change
from erp.kernel.errors import DomainError
from erp.kernel.sql import rows
from erp.kernel.states import sources_of
from inventory.models import Shipment

State = Shipment.State

DONE = {
    "pick": {State.PICKED, State.PACKED, State.SHIPPED, State.DELIVERED, State.FAILED},
    "pack": {State.PACKED, State.SHIPPED, State.DELIVERED, State.FAILED},
    "ship": {State.SHIPPED, State.DELIVERED, State.FAILED},
    "deliver": {State.DELIVERED},
    "fail": {State.FAILED},
    "void": {State.VOID},
}

LOCK = """
    SELECT s.id, s.state, s.number, s.entity_id, s.node_id, s.source_kind, s.source_id,
        EXISTS (SELECT FROM inventory_bin b WHERE b.node_id = s.node_id),
        EXISTS (SELECT FROM inventory_product p WHERE p.tracking = 'serial') AND EXISTS (
            SELECT FROM inventory_shipmentline l JOIN inventory_stock k ON k.id = l.stock_id
            WHERE l.shipment_id = s.id AND k.is_serial)
    FROM inventory_shipment s WHERE s.id = ANY(%s) ORDER BY s.id FOR NO KEY UPDATE
"""


class ShipmentNotReady(DomainError):
    """A shipment is not in a state from which that can be done; `numbers` names all such."""

    code: ClassVar[str] = "shipment_not_ready"

    def __init__(self, step: str, standing: "Sequence[Standing]") -> None:
        first = standing[0]
        label = State(first.state).label.lower()
        more = f" ({len(standing) - 1} more like it)" if len(standing) > 1 else ""
        super().__init__(f"Cannot {step} {first.number}: it is at “{label}”{more}.")
        self.numbers = [each.number for each in standing]


@dataclass(frozen=True, slots=True)
class Standing:
    """A shipment as it was when it was locked; `has_bins`: its node keeps bins.

    `has_serials`: something on it is kept by serial number.
    """

    id: int
    state: str
    number: str
    entity_id: int
    node_id: int
    source_kind: str
    source_id: int
    has_bins: bool = False
    has_serials: bool = False

    def change(self, verb: str, *, reason: str = "", **after: Any) -> Change:
        """Return the audit line of this step."""
        return Change(
            entity_id=self.entity_id,
            action=f"inventory.{verb}",
            subject_kind="inventory.shipment",
            subject_id=self.id,
            thread=f"{self.source_kind}:{self.source_id}",
            before={"state": self.state},
            after={"number": self.number, **after},
            reason=reason,
        )

    def facts(self) -> dict[str, Any]:
        """Return what every fact about a shipment says."""
        return {
            "shipment_id": self.id,
            "number": self.number,
            "entity_id": self.entity_id,
            "source_id": self.source_id,
        }


def lock(shipment_ids: Collection[int]) -> list[Standing]:
    """Lock shipments in id order until the transaction ends. One statement.

    Raises:
        Shipment.DoesNotExist: one of them is not there.
    """
    return known([Standing(*row) for row in rows(LOCK, [list(shipment_ids)])], shipment_ids)


def known(standing: list[Standing], shipment_ids: Collection[int]) -> list[Standing]:
    """Return `standing` if it is complete.

    Raises:
        Shipment.DoesNotExist: one of the shipments is not there.
    """
    missing = set(shipment_ids) - {each.id for each in standing}
    if missing:
        raise Shipment.DoesNotExist(f"no shipment {min(missing)}")
    return standing


def ready(standing: Sequence[Standing], step: str) -> list[Standing]:
    """Return those for which the step is due, leaving out those that it was done for before.

    Raises:
        ShipmentNotReady: for one of them the step is not possible.
    """
    sources, done = sources_of(Shipment, step), DONE[step]
    refused = [each for each in standing if each.state not in sources and each.state not in done]
    if refused:
        raise ShipmentNotReady(step, refused)
    return [each for each in standing if each.state in sources and each.state not in done]
