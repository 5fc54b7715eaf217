"""Makes transfers at every state, by the ordinary services."""

from decimal import Decimal
from typing import Any

from erp.accounts.models import Entity
from finance.services import ship_transfers
from inventory.models import Node, Product, Stock, Transfer, TransferPiece
from inventory.selectors import transfer_fingerprints
from inventory.services.transferring import (
    Came,
    TransferDraft,
    TransferPick,
    follow_transfer_approval,
    pick_transfers,
    request_transfers,
)
from tests.finance.factories import NOW, World


def second_node(where: World, code: str = "DC-2") -> Node:
    return Node.objects.get_or_create(
        code=code,
        defaults={"name": code, "entity": where.entity, "country": "US", "time_zone": "UTC"},
    )[0]


def requested(
    where: World, *lines: tuple[Product, str], to: Node, buyer: Entity | None = None, **values: Any
) -> Transfer:
    draft = TransferDraft(
        entity_id=where.entity.pk,
        origin_id=where.node.pk,
        destination_id=to.pk,
        to_entity_id=buyer and buyer.pk,
        lines=[(each.pk, Decimal(quantity)) for each, quantity in lines],
        reason=values.pop("reason", "Needed there"),
        **values,
    )
    return request_transfers(drafts=[draft], actor=None, now=NOW)[0]


def approved(where: World, *lines: tuple[Product, str], **values: Any) -> Transfer:
    """Ask for a transfer, and let it pass as though somebody had agreed."""
    transfer = requested(where, *lines, **values)
    if transfer.state == "requested":
        follow_transfer_approval(
            transfer_id=transfer.pk,
            state="approved",
            decided_by=None,
            fingerprint=transfer_fingerprints([transfer.pk])[transfer.pk],
            reason="",
            now=NOW,
        )
    return Transfer.objects.get(pk=transfer.pk)


def picked(where: World, *lines: tuple[Product, str], **values: Any) -> Transfer:
    transfer = approved(where, *lines, **values)
    pick_transfers(picks=[TransferPick(transfer_id=transfer.pk)], actor=None, now=NOW)
    return Transfer.objects.get(pk=transfer.pk)


def sent(where: World, *lines: tuple[Product, str], **values: Any) -> Transfer:
    transfer = picked(where, *lines, **values)
    ship_transfers(transfer_ids=[transfer.pk], actor=None, now=NOW)
    return Transfer.objects.get(pk=transfer.pk)


def piece_of(transfer: Transfer, place: int = 0) -> TransferPiece:
    return TransferPiece.objects.filter(line__transfer=transfer).order_by("pk")[place]


def came(transfer: Transfer, quantity: str, outcome: str = "received", place: int = 0) -> Came:
    return Came(piece_of(transfer, place).pk, outcome, Decimal(quantity))


def on_hand(product: Product, node: Node, status: str = "available") -> Decimal:
    found = Stock.objects.filter(product=product, node=node, status=status)
    return sum((each.on_hand for each in found), Decimal(0))
