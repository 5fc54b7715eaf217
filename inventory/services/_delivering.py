"""What becomes of a shipment on its way, or before it ever leaves."""

from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction

from erp.governance.services import record
from erp.kernel.sql import rows
from erp.kernel.states import move
from erp.outbox.publishing import publish, publish_all
from inventory.events import ShipmentDelivered, ShipmentFailed, ShipmentVoided
from inventory.models import Shipment
from inventory.services._standing import lock, ready
from inventory.services.numbering._picking import give_back_serials

if TYPE_CHECKING:
    from erp.accounts.models import User

REASON_LENGTH = 200


@transaction.atomic
def deliver_shipments(
    *, shipment_ids: Collection[int], now: datetime, actor: "User | None" = None
) -> list[int]:
    """Note that the customer has the goods; return the shipments for which that is new.

    Raises:
        Shipment.DoesNotExist: one of them is not there.
        ShipmentNotReady: one of them has not left.

    Publishes:
        ShipmentDelivered
    """
    due = ready(lock(shipment_ids), "deliver")
    move(Shipment, "deliver", [each.id for each in due], delivered_at=now)
    record(
        changes=[each.change("deliver", state="delivered") for each in due], actor=actor, now=now
    )
    publish_all([ShipmentDelivered(**each.facts()) for each in due])
    return [each.id for each in due]


@transaction.atomic
def fail_shipment(*, shipment_id: int, reason: str, actor: "User | None", now: datetime) -> None:
    """Note that a shipment on its way did not arrive, and why. Noting it again changes nothing.

    Raises:
        Shipment.DoesNotExist: it is not there.
        ShipmentNotReady: it has not left, or it arrived.

    Publishes:
        ShipmentFailed
    """
    for each in ready(lock([shipment_id]), "fail"):
        move(Shipment, "fail", [each.id], failure=reason[:REASON_LENGTH])
        record(changes=[each.change("fail", reason=reason, state="failed")], actor=actor, now=now)
        publish(ShipmentFailed(**each.facts(), reason=reason[:REASON_LENGTH]))


@transaction.atomic
def void_shipment(
    *, shipment_id: int, reason: str, actor: "User | None", now: datetime
) -> dict[int, str]:
    """Take a shipment back that has not left: its goods return to the shelf and stay reserved.

    Returns its demands, id -> kind: plan them anew, or release them. Voiding again changes nothing.

    Raises:
        Shipment.DoesNotExist: it is not there.
        ShipmentNotReady: it has left.

    Publishes:
        ShipmentVoided
    """
    demands: dict[int, str] = {}
    for each in ready(lock([shipment_id]), "void"):
        move(Shipment, "void", [each.id])
        if each.has_serials:
            give_back_serials([each.id], actor=actor, now=now)
        record(changes=[each.change("void", reason=reason, state="void")], actor=actor, now=now)
        publish(ShipmentVoided(**each.facts(), reason=reason[:REASON_LENGTH]))
        demands.update(
            rows(
                "SELECT demand_id, demand_kind FROM inventory_shipmentline WHERE shipment_id = %s",
                [each.id],
            )
        )
    return demands
