"""Stops a lot, and lets it go again."""

from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction

from erp.governance.services import Change, record
from erp.kernel.sql import rows
from erp.outbox.publishing import publish_all
from inventory.events import LotBlocked
from inventory.models import Lot
from inventory.services._telling import fallen, received
from inventory.services.tracking._naming import BadLot

if TYPE_CHECKING:
    from erp.accounts.models import User

# Whose stock of a lot is free: what its owners may promise less, or more.
OWNED = """
    SELECT entity_id, node_id, sum(on_hand), sum(reserved),
        sum(on_hand - reserved) FILTER (WHERE status = 'available')
    FROM inventory_stock
    WHERE lot_id = %s AND on_hand > 0
    GROUP BY entity_id, node_id ORDER BY entity_id, node_id
"""


@transaction.atomic
def block_lot(*, lot_id: int, reason: str, actor: "User | None", now: datetime) -> Lot:
    """Stop a lot: nothing of it is promised or leaves any more, wherever it lies.

    What is kept of it for somebody stays kept until it is released or allocated anew; it cannot be
    shipped. Blocking again changes nothing. Locks the lot, then its balances in id order.

    Raises:
        Lot.DoesNotExist: there is no such lot.
        BadLot: no reason is given.

    Publishes:
        LotBlocked
        StockFell
    """
    lot = Lot.objects.select_for_update().get(pk=lot_id)
    if lot.blocked_at:
        return lot
    if not reason.strip():
        raise BadLot("reason", "Say why the lot is blocked.")
    lot.blocked_at, lot.block_reason = now, reason.strip()[:200]
    lot.save(update_fields=["blocked_at", "block_reason"])
    owned = rows(OWNED, [lot.pk])
    record(changes=[_change(lot, "block", reason)], actor=actor, now=now)
    publish_all(
        [
            *(
                LotBlocked(
                    lot_id=lot.pk,
                    product_id=lot.product_id,
                    code=lot.code,
                    entity_id=entity_id,
                    node_id=node_id,
                    on_hand=f"{on_hand:f}",
                    reserved=f"{reserved:f}",
                    reason=lot.block_reason,
                )
                for entity_id, node_id, on_hand, reserved, _ in owned
            ),
            *fallen((row[0], row[1], lot.product_id) for row in owned if row[4]),
        ]
    )
    return lot


@transaction.atomic
def release_lot(*, lot_id: int, reason: str, actor: "User | None", now: datetime) -> Lot:
    """Let a blocked lot go again; one that expired meanwhile stays where it is.

    Releasing again changes nothing. Locks the lot, then its balances in id order.

    Raises:
        Lot.DoesNotExist: there is no such lot.
        BadLot: no reason is given.

    Publishes:
        StockReceived
    """
    lot = Lot.objects.select_for_update().get(pk=lot_id)
    if not lot.blocked_at:
        return lot
    if not reason.strip():
        raise BadLot("reason", "Say why the lot may go again.")
    lot.blocked_at, lot.block_reason = None, ""
    lot.save(update_fields=["blocked_at", "block_reason"])
    record(changes=[_change(lot, "release", reason)], actor=actor, now=now)
    freed = {
        (row[0], row[1], lot.product_id): row[4]
        for row in rows(OWNED, [lot.pk])
        if row[4] and not lot.expired_at
    }
    publish_all(received(freed))
    return lot


def _change(lot: Lot, verb: str, reason: str) -> Change:
    return Change(
        entity_id=None,
        action=f"inventory.{verb}",
        subject_kind="inventory.lot",
        subject_id=lot.pk,
        thread=f"inventory.product:{lot.product_id}",
        after={"code": lot.code, "is_blocked": lot.blocked_at is not None},
        reason=reason,
    )
