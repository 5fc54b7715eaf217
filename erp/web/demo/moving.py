"""Goods on their way and sheets to count: some at every state."""

from datetime import datetime, timedelta
from decimal import Decimal

from erp.accounts.models import Entity
from erp.kernel.sql import rows
from erp.web.demo.history import Past
from finance.services import RateRow, receive_transfer, save_rates, ship_transfers
from inventory.models import Lane, Node, Transfer, TransferPiece
from inventory.services.counting import (
    Counted,
    NothingToCount,
    plan_count,
    record_counts,
    submit_count,
)
from inventory.services.transferring import (
    Came,
    TransferDraft,
    TransferPick,
    approve_transfer,
    pick_transfers,
    request_transfers,
)

RATES = {"USD": "1", "EUR": "0.92", "GBP": "0.79", "MXN": "18.4", "JPY": "151.2", "CAD": "1.37"}
STEPS = ("asked", "kept", "picked", "sent", "short", "closed")

# Products of which a node has plenty, dearest first.
PLENTY = """
    SELECT s.product_id FROM inventory_stock s
    JOIN inventory_product p ON p.id = s.product_id AND p.tracking = 'none'
    WHERE s.entity_id = %s AND s.node_id = %s AND s.status = 'available' AND NOT s.is_barred
        AND s.on_hand - s.reserved >= 60
    ORDER BY s.on_hand - s.reserved DESC, s.id LIMIT 12
"""


def move_and_count(past: Past, now: datetime) -> None:
    """Leave transfers and counts at every state, one transfer sold to a sister company."""
    entities = list(Entity.objects.order_by("pk"))
    _rates(entities, now)
    nodes = {
        e.pk: list(Node.objects.filter(entity=e, is_active=True).order_by("pk")) for e in entities
    }
    first = next((e for e in entities if len(nodes[e.pk]) > 1), None)
    if first is None:
        return
    origin, destination = nodes[first.pk][:2]
    goods = [row[0] for row in rows(PLENTY, [first.pk, origin.pk])]
    for step, product_id in zip(STEPS, goods, strict=False):
        _transfer(past, step, _draft(first, origin, destination, product_id), now)
    sister = next((e for e in entities if e.pk != first.pk and nodes[e.pk]), None)
    if sister is not None and len(goods) > len(STEPS):
        draft = _draft(first, origin, nodes[sister.pk][0], goods[len(STEPS)], buyer=sister.pk)
        _transfer(past, "sent", draft, now)
    _counts(past, first.pk, origin.pk, now)


def _rates(entities: list[Entity], now: datetime) -> None:
    """Keep a rate between each two currencies, and lanes between each company's nodes."""
    used = sorted({e.currency for e in entities} & RATES.keys())
    save_rates(
        rates=[
            RateRow(
                base,
                quote,
                now.date() - timedelta(days=90),
                round(Decimal(RATES[quote]) / Decimal(RATES[base]), 6),
            )
            for base in used
            for quote in used
            if base < quote
        ]
    )
    for entity in entities:
        pair = list(Node.objects.filter(entity=entity).order_by("pk")[:2])
        for one, other in (pair, pair[::-1]) if len(pair) == 2 else ():  # noqa: PLR2004
            Lane.objects.get_or_create(
                origin=one,
                destination=other,
                defaults={"days": 2, "cost": Decimal(180), "currency": entity.currency},
            )


def _draft(
    entity: Entity, origin: Node, destination: Node, product_id: int, *, buyer: int | None = None
) -> TransferDraft:
    return TransferDraft(
        entity_id=entity.pk,
        to_entity_id=buyer,
        origin_id=origin.pk,
        destination_id=destination.pk,
        lines=[(product_id, Decimal(24))],
        reason="It runs out there first" if buyer is None else "The sister company is out of it",
    )


def _transfer(past: Past, step: str, draft: TransferDraft, now: datetime) -> None:
    """Take one transfer as far as `step` says."""
    floor, dock = past.people["warehouse"], past.people["shipping"]
    transfer = request_transfers(drafts=[draft], actor=past.people["planner"], now=now)[0]
    if step == "asked":
        return
    if transfer.state == "requested":
        role = "controller" if draft.to_entity_id else "operations_lead"
        approve_transfer(transfer_id=transfer.pk, actor=past.people[role], now=now)
    if step == "kept" or Transfer.objects.get(pk=transfer.pk).state != "approved":
        return
    pick_transfers(picks=[TransferPick(transfer_id=transfer.pk)], actor=floor, now=now)
    if step == "picked":
        return
    ship_transfers(transfer_ids=[transfer.pk], actor=dock, now=now)
    if step == "sent":
        return
    for piece in TransferPiece.objects.filter(line__transfer=transfer):
        lost = Decimal(2) if step == "short" else Decimal(0)
        came = [Came(piece.pk, "received", piece.quantity - lost)]
        receive_transfer(transfer_id=transfer.pk, came=came, is_last=True, actor=floor, now=now)


def _counts(past: Past, entity_id: int, node_id: int, now: datetime) -> None:
    """Leave one sheet untouched, one to be counted again and one to be posted."""
    lead, floor = past.people["operations_lead"], past.people["warehouse"]
    for missing in (None, Decimal(30), Decimal(0)):
        try:
            count = plan_count(
                entity_id=entity_id, node_id=node_id, actor=lead, now=now, lines_max=12
            )
        except NothingToCount:  # a small demo: all that lies there is on a sheet
            return
        if missing is None:
            continue
        lines = list(count.lines.order_by("position"))
        off = {row[0]: row[1] for row in rows(OFF_THE_SHELF, [count.pk])}
        found = [
            Counted(line.pk, max(line.snapshot - off.get(line.pk, Decimal(0)), Decimal(0)))
            for line in lines
        ]
        found[0] = Counted(found[0].line_id, max(found[0].quantity - missing, Decimal(0)))
        record_counts(count_id=count.pk, counted=found, actor=floor, at=now, now=now)
        submit_count(count_id=count.pk, actor=floor, now=now)


OFF_THE_SHELF = """
    SELECT c.id, sum(l.picked) FROM inventory_countline c
    JOIN inventory_shipmentline l ON l.stock_id = c.stock_id
    JOIN inventory_shipment s ON s.id = l.shipment_id AND s.state IN ('picked', 'packed')
    WHERE c.count_id = %s GROUP BY c.id
"""
