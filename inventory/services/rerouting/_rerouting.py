"""Sends a shipment another way, on another day, or once more."""

from datetime import date, datetime
from typing import TYPE_CHECKING, ClassVar

from django.db import transaction

from erp.governance.services import record
from erp.kernel.errors import DomainError
from erp.kernel.sql import run
from erp.kernel.states import move
from erp.outbox.publishing import publish
from inventory.events import ShipmentRerouted
from inventory.models import Carrier, Shipment
from inventory.services._standing import ShipmentNotReady, lock

if TYPE_CHECKING:
    from erp.accounts.models import User

State = Shipment.State
STILL_HERE = (State.PLANNED, State.PICKED, State.PACKED)
REROUTE = """
    UPDATE inventory_shipment
    SET carrier_id = coalesce(%(carrier)s::bigint, carrier_id),
        planned_date = coalesce(%(planned)s::date, planned_date),
        promised_date = coalesce(%(promised)s::date, promised_date)
    WHERE id = %(id)s
"""


class UnknownCarrier(DomainError):
    """There is no such carrier, or it drives no more."""

    code: ClassVar[str] = "unknown_carrier"


@transaction.atomic
def reroute_shipment(
    *,
    shipment_id: int,
    reason: str,
    actor: "User | None",
    now: datetime,
    carrier_id: int | None = None,
    planned_date: date | None = None,
    promised_date: date | None = None,
) -> str:
    """Give a shipment another carrier or day; one that failed is on its way again.

    Returns its number. What is None stays as it is. Dates are business dates of the node. Locks
    the shipment.

    Raises:
        Shipment.DoesNotExist: it is not there.
        ShipmentNotReady: it is on its way, arrived, or was taken back.
        UnknownCarrier: nobody drives under that name.

    Publishes:
        ShipmentRerouted
    """
    if carrier_id and not Carrier.objects.filter(pk=carrier_id, is_active=True).exists():
        raise UnknownCarrier("There is no such carrier.")
    (each,) = lock([shipment_id])
    if each.state not in (*STILL_HERE, State.FAILED):
        raise ShipmentNotReady("reroute", [each])
    again = move(Shipment, "send_again", [each.id], failure="")
    asked = {
        "id": each.id, "carrier": carrier_id, "planned": None if again else planned_date,
        "promised": promised_date,
    }  # fmt: skip
    run(REROUTE, asked)
    said = {
        "state": State.SHIPPED.value if again else each.state,
        "carrier": carrier_id,
        "planned_date": planned_date,
        "promised_date": promised_date,
    }
    record(changes=[each.change("reroute", reason=reason, **said)], actor=actor, now=now)
    publish(
        ShipmentRerouted(
            **each.facts(),
            reason=reason[:200],
            is_again=int(bool(again)),
            carrier_id=carrier_id or 0,
        )
    )
    return each.number
