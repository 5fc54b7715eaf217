"""Buys what a supplier is to send straight to the customer who waits for it."""

from datetime import datetime
from typing import ClassVar

from django.db import transaction

from erp.accounts.models import User
from erp.kernel.errors import DomainError
from inventory.models import Sourcing
from inventory.services.dropping import direct_node
from inventory.services.sourcing import Document, lock_open, note_asked
from procurement.models import PurchaseOrder
from procurement.services._approving import KIND, submit_order
from procurement.services._ordering import PurchaseLine, SentTo, write_order
from procurement.services.dropping._binding import demand_of


class CannotDropShip(DomainError):
    """The supplier cannot send that straight to the customer; the sentence says why."""

    code: ClassVar[str] = "cannot_drop_ship"


@transaction.atomic
def drop_ship(*, sourcing_id: int, actor: User | None, now: datetime) -> PurchaseOrder:
    """Order what is proposed or chosen to be sent straight to a customer, and ask for agreement.

    The supplier is told once it is approved and sent; until then stock that comes in is kept for
    the demand, and the purchase called off. Of a supplier who sells no less than what is waited for
    or more: the rest would lie nowhere. Locks what it is for, then the proposal.

    Raises:
        Sourcing.DoesNotExist: there is none of that id.
        CannotDropShip: it is not proposed (any more), or cannot be sent straight.
        BadOrder: it cannot be ordered of that supplier; the field is named.

    Publishes:
        PurchaseOrderSubmitted
        PurchaseOrderApproved
        SupplyAsked
    """
    found = Sourcing.objects.get(pk=sourcing_id)
    whom = demand_of(found.demand_kind).lock(demand_ids=[found.demand_id]).get(found.demand_id)
    row = lock_open(sourcing_id=sourcing_id)
    if row is None or row.mode != "drop_ship" or row.supplier_id is None or whom is None:
        raise CannotDropShip("That is not proposed any more.")
    if whom.refusal:
        raise CannotDropShip(whom.refusal)
    if row.quantity > whom.waits:
        raise CannotDropShip(f"{whom.label} waits for {whom.waits.normalize():f} of it by now.")
    if row.buys > row.quantity:
        raise CannotDropShip(
            f"The supplier sells {row.buys.normalize():f} at least:"
            f" what is more than {row.quantity.normalize():f} would lie nowhere."
        )
    order = write_order(
        entity_id=row.entity_id,
        supplier_id=row.supplier_id,
        node_id=direct_node(entity_id=row.entity_id).pk,
        lines=[
            PurchaseLine(
                row.product_id,
                row.quantity,
                demand_kind=row.demand_kind,
                demand_id=row.demand_id,
            )
        ],
        sent_to=SentTo(
            kind=whom.document_kind, id=whom.document_id, label=whom.label, ship_to=whom.ship_to
        ),
        actor=actor,
        now=now,
    )
    order = submit_order(order_id=order.pk, actor=actor, now=now)
    document = Document(kind=KIND, id=order.pk, label=order.number)
    note_asked(sourcing_id=row.pk, document=document, now=now)
    return order
