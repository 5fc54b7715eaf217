"""One node keeps bins: pick faces, reserve, a dock; some goods are put away, some wait."""

from datetime import datetime
from decimal import Decimal

from erp.kernel.sql import rows
from erp.web.demo.history import Past
from inventory.services.binning import BinDraft, BinTransfer, move_in_bins, upsert_bins

FACES = 24
# The goods of which most is free at one node, and how much of each was not picked yet.
GOODS = """
    SELECT s.id, s.product_id, s.on_hand - s.binned - coalesce((
        SELECT sum(l.picked) FROM inventory_shipmentline l
        JOIN inventory_shipment sh ON sh.id = l.shipment_id
        WHERE l.stock_id = s.id AND sh.state IN ('picked', 'packed')
    ), 0) - coalesce((
        SELECT sum(p.quantity) FROM inventory_transferpiece p
        JOIN inventory_transferline tl ON tl.id = p.line_id
        JOIN inventory_transfer t ON t.id = tl.transfer_id
        WHERE p.stock_id = s.id AND t.state = 'picked'
    ), 0)
    FROM inventory_stock s
    WHERE s.node_id = %s AND s.entity_id = %s AND s.status = 'available' AND s.on_hand > 40
    ORDER BY s.on_hand - s.reserved DESC, s.id LIMIT %s
"""
NODE = "SELECT id, entity_id FROM inventory_node WHERE code = %s"


def put_into_bins(past: Past, now: datetime) -> None:
    """Give the first node its bins and put goods away: every fourth pick face runs low.

    Every sixth product still stands on the floor. A dozen statements.
    """
    node_id, entity_id = rows(NODE, [past.company.entities[0].nodes[0][0]])[0]
    goods = [
        (stock_id, product_id, Decimal(int(quantity)))
        for stock_id, product_id, quantity in rows(GOODS, [node_id, entity_id, FACES])
        if quantity >= 10  # noqa: PLR2004  less is not worth a pallet
    ]
    floor = past.people["warehouse"]
    ids = upsert_bins(drafts=_drafts(node_id, goods), actor=floor, now=now)
    moves = []
    for place, (stock_id, _, quantity) in enumerate(goods, start=1):
        if place % 6 == 0:
            continue
        low = place % 4 == 0
        at_face = min(quantity, Decimal(2 if low else 30))
        face, reserve = ids[node_id, f"A-{place:02d}-1"], ids[node_id, f"A-{place:02d}-3"]
        for bin_id, part in ((face, at_face), (reserve, quantity - at_face)):
            if part:
                moves.append(BinTransfer(stock_id=stock_id, quantity=part, target_id=bin_id))
    move_in_bins(moves=moves, actor=floor, now=now)


def _drafts(node_id: int, goods: list[tuple[int, int, Decimal]]) -> list[BinDraft]:
    """Return a dock, a cage, and for each of the goods a pick face with its reserve above."""
    drafts = [
        BinDraft(node_id=node_id, code="DOCK-1", kind="receiving", sequence=0),
        BinDraft(node_id=node_id, code="CAGE-1", kind="quarantine", sequence=900),
    ]
    for place, (_, product_id, _) in enumerate(goods, start=1):
        aisle = f"A-{place:02d}"
        face = BinDraft(
            node_id=node_id,
            code=f"{aisle}-1",
            kind="pick_face",
            sequence=place * 10,
            capacity=Decimal(40),
            product_id=product_id,
            minimum=Decimal(10),
        )
        drafts += [face, BinDraft(node_id=node_id, code=f"{aisle}-3", sequence=place * 10 + 5)]
    return drafts
